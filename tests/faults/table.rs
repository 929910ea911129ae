//! A table that misbehaves costs the messages that need it, and no others.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dynamodb::Table;
use crate::server::{End, Script, Wire};
use crate::stage::{NEW_USER, Stage, TABLE, id_of_new, seen};
use crate::world::{ATTEMPT, RULE, matching};

/// A fault of the table, and what becomes of a delivery with a match of the seed rule and one of a new user.
struct Row {
    name: &'static str,
    reads: Script<Table>,
    writes: Script<Table>,
    /// `None` if the fault passes; else `transient` or `permanent`, and words of the reason.
    failure: Option<(&'static str, &'static [&'static str])>,
    /// The requests to the table.
    requests: std::ops::RangeInclusive<usize>,
}

fn passes(name: &'static str, reads: &[Table], writes: &[Table]) -> Row {
    let tries = reads.len() + writes.len();
    Row {
        name,
        reads: Script::once(reads.to_vec()),
        writes: Script::once(writes.to_vec()),
        failure: None,
        requests: tries + 2..=tries + 2,
    }
}

fn stays(
    name: &'static str,
    read: Option<Table>,
    write: Option<Table>,
    words: &'static [&'static str],
) -> Row {
    let script = |fault: Option<Table>| fault.map_or_else(Script::default, Script::forever);
    Row {
        name,
        reads: script(read),
        writes: script(write),
        failure: Some(("transient", words)),
        requests: 1..=15,
    }
}

fn faults() -> Vec<Row> {
    use Table::{Delay, DoneThen, OvertakenInSilence, Status, Unprocessed};
    let throttled = Status(400, "ProvisionedThroughputExceededException");
    vec![
        passes("no fault", &[], &[]),
        passes("reads throttled", &vec![throttled.clone(); 3], &[]),
        passes("writes throttled", &[], &vec![Status(400, "ThrottlingException"); 3]),
        passes("500 and 503", &[Status(500, "InternalServerError")], &[Status(503, "ServiceUnavailable")]),
        passes("a request limit", &[Status(400, "RequestLimitExceeded")], &[]),
        passes("connections reset", &[Table::Wire(Wire::Reset)], &[Table::Wire(Wire::Reset)]),
        passes("no HTTP", &[Table::Wire(Wire::NotHttp)], &[]),
        passes(
            "successes that say nothing",
            &["", "{}", "<html>", "{\"Responses\":{"].map(|body| Table::Wire(Wire::Instead(body))),
            &[Table::Wire(Wire::Instead("<html>"))],
        ),
        passes("a body that breaks off", &[Table::DoneThen(Wire::Break(0.5, End::Close))], &[]),
        passes("keys that are not processed", &[Unprocessed(1), Unprocessed(1)], &[]),
        Row {
            name: "an answer that takes its time",
            requests: 2..=2,
            ..passes("", &[Delay(ATTEMPT / 5)], &[Delay(ATTEMPT / 5)])
        },
        // What is then written is found again, and decided in the same way.
        Row {
            name: "written, and the connection reset before the answer",
            requests: 3..=4,
            ..passes("", &[], &[DoneThen(Wire::Reset)])
        },
        Row {
            name: "written, and a proxy answers with a page",
            requests: 3..=4,
            ..passes("", &[], &[DoneThen(Wire::Instead("<html>"))])
        },
        Row {
            name: "overtaken, and the answer does not say by what",
            failure: None,
            ..passes("", &[], &[OvertakenInSilence])
        },
        stays("reads throttled for ever", Some(throttled.clone()), None, &[TABLE, "ThroughputExceeded"]),
        stays("writes throttled for ever", None, Some(throttled), &[TABLE, "ThroughputExceeded"]),
        stays("keys never processed", Some(Unprocessed(1)), None, &[TABLE, "every item"]),
        Row {
            requests: 1..=1,
            ..stays(
                "a denied read",
                Some(Status(400, "AccessDeniedException")),
                None,
                &[TABLE, "AccessDenied", "dynamodb:BatchGetItem"],
            )
        },
        Row {
            requests: 2..=2,
            ..stays(
                "a denied write",
                None,
                Some(Status(400, "AccessDeniedException")),
                &[TABLE, "AccessDenied", "dynamodb:PutItem"],
            )
        },
        Row {
            requests: 1..=1,
            ..stays(
                "no such table",
                Some(Status(400, "ResourceNotFoundException")),
                None,
                &[TABLE, "ResourceNotFound", "MEMORY_TABLE"],
            )
        },
    ]
}

#[tokio::test]
async fn a_fault_of_the_table_passes_or_fails_the_messages_it_concerns_and_no_others() {
    crate::all(faults(), |row| row.name, run).await;
}

async fn run(row: Row) {
    let stage = Stage::new(&format!("remembering: {}", row.name)).await;
    {
        let mut state = stage.server.state();
        (state.read_faults, state.write_faults) = (row.reads, row.writes);
    }
    stage.put("a", &[seen("ana", "10:00:00", "e1"), matching("e2")]);
    stage.put("b", &[matching("e3")]);
    let run = stage.invoke(&stage.function(), &["a", "b"]).await;
    assert!(row.requests.contains(&run.requests.len()), "{:?}", run.requests);
    let seeds = stage.published().iter().filter(|(rule, _)| rule == RULE).count();
    assert_eq!(seeds, 2, "what needs no table is published");
    let Some((retry, words)) = row.failure else {
        assert_eq!(run.failures(), []);
        assert_eq!((run.counter("published"), run.counter("failed")), (3, 0));
        return;
    };
    assert_eq!((run.counter("published"), run.counter("failed"), run.counter("known")), (2, 1, 0));
    let [(message, found, reason)] = run.failures().try_into().expect("one message fails");
    assert_eq!((message.as_str(), found.as_str()), ("a", retry));
    assert!(words.iter().all(|word| reason.contains(word)), "{reason}");

    // The message comes again, and the table has recovered.
    {
        let mut state = stage.server.state();
        (state.read_faults, state.write_faults) = (Script::default(), Script::default());
    }
    let again = stage.invoke(&stage.function(), &["a"]).await;
    assert_eq!(again.failures(), []);
    assert!(stage.ids().contains(&id_of_new("e1", "ana")));
}

#[tokio::test]
async fn a_table_that_never_answers_fails_the_messages_in_time() {
    // Whether or not it is asked first when the rule began.
    for learning in ["0", "1"] {
        let stage =
            Stage::new(&format!("remembering: silent {learning}")).await.set("LEARNING_DAYS", learning);
        let stage = stage.time(Duration::from_secs(6));
        stage.server.state().read_faults = Script::forever(Table::Delay(Duration::from_mins(1)));
        let started = std::time::Instant::now();
        let run = stage.deliver("a", &[seen("ana", "10:00:00", "e1"), matching("e2")]).await;
        assert!(started.elapsed() < Duration::from_millis(5500), "{:?}", started.elapsed());
        assert_eq!((run.counter("published"), run.counter("failed")), (1, 1));
        let [(_, retry, reason)] = run.failures().try_into().expect("one message fails");
        assert_eq!(retry, "transient");
        assert!(reason.contains(TABLE), "{reason}");
    }
}

#[tokio::test]
async fn a_function_that_was_overtaken_decides_again_on_what_the_item_holds_then() {
    let stage = Stage::new("remembering: overtaken").await;
    stage.deliver("a", &[seen("bob", "10:00:00", "e0")]).await;
    let other = {
        let mut state = stage.server.state();
        let item = state.items.pop_first().expect("an item").1;
        // The other function saw the user a minute earlier.
        state.write_faults = Script::once([Table::Overtaken(json!({ "state": item["state"] }))]);
        item
    };
    let run = stage.deliver("b", &[seen("bob", "10:01:00", "e1")]).await;
    assert_eq!((run.counter("published"), run.counter("known")), (0, 1));
    assert_eq!(run.requests, ["BatchGetItem", "PutItem", "PutItem"]);
    assert_ne!(stage.server.state().items.pop_first().expect("an item").1["state"], other["state"]);
    assert_eq!(stage.ids(), [id_of_new("e0", "bob")]);
}

#[tokio::test]
async fn an_item_that_cannot_be_used_is_a_permanent_error_that_names_it_and_costs_its_neighbours_nothing() {
    let good = {
        let stage = Stage::new("remembering: damaged, before").await;
        stage.deliver("a", &[seen("ana", "10:00:00", "e1")]).await;
        stage.server.state().items.pop_first().expect("an item")
    };
    let with = |attribute: &str, value: Value| {
        let mut item = good.1.clone();
        item[attribute] = value;
        item
    };
    let state = good.1["state"]["S"].as_str().expect("a state").to_owned();
    let cut = &state[..state.len() / 2];
    for (name, item) in [
        ("no state", with("state", Value::Null)),
        ("a state that is no text", with("state", json!({ "N": "7" }))),
        ("a state by hand", with("state", json!({ "S": "ana was here" }))),
        ("an empty state", with("state", json!({ "S": "" }))),
        ("a truncated state", with("state", json!({ "S": cut }))),
        ("no version", with("version", Value::Null)),
        ("a version that is no number", with("version", json!({ "S": "x" }))),
    ] {
        let mut item = item;
        item.as_object_mut().expect("attributes").retain(|_, value| !value.is_null());
        let stage = Stage::new(&format!("remembering: {name}")).await;
        stage.server.state().items.insert(good.0.clone(), item);
        let records = [seen("ana", "10:00:00", "e1"), seen("bob", "10:00:00", "e2"), matching("e3")];
        let run = stage.deliver("a", &records).await;
        assert_eq!((run.counter("published"), run.counter("failed")), (2, 1), "{name}");
        let [(_, retry, reason)] = run.failures().try_into().expect("one message fails");
        assert_eq!(retry, "permanent", "{name}");
        assert!(reason.contains(TABLE) && reason.contains(NEW_USER) && reason.contains("ana"), "{reason}");
    }
}
