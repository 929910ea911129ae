//! What the memory of a real mix of rules and records costs.
//!
//! Half of the records are candidates for one of 47 rules, and they make about a thousand tuples, as real ones do.
//! Their distribution over a day and over the tuples is assumed.
//! `make bench` prints the table.

use std::fmt::Write as _;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::stage::{Stage, call, rule};

const RECORDS: usize = 27_000;
/// How many records CloudTrail delivers at once.
const DELIVERY: usize = 100;
const NEW_TERMS: usize = 43;
const THRESHOLDS: usize = 4;
/// Dollars per million, on demand in us-east-1.
const READ: f64 = 0.125;
const WRITE: f64 = 0.625;

fn rules() -> Vec<Value> {
    let day = 24 * 60 * 60;
    let new_terms = (0..NEW_TERMS).map(|number| {
        let window = [5, 7, 10, 10][number % 4] * day;
        let fields = [json!(["cloud.account.id", "user.name"]), json!(["user.name", "source.ip"])];
        (number, json!({ "new_terms": { "fields": fields[number % 2], "window": window } }))
    });
    let thresholds = (NEW_TERMS..NEW_TERMS + THRESHOLDS).map(|number| {
        (number, json!({ "threshold": { "fields": ["user.name"], "value": 10, "window": 360 } }))
    });
    let all = new_terms.chain(thresholds);
    all.map(|(number, memory)| {
        rule(&format!("33333333-0000-4000-8000-{number:012}"), &format!("Action{number}"), &memory)
    })
    .collect()
}

/// How many tuples there are; about a thousand of them occur in a day.
const TUPLES: usize = 1500;
/// A few tuples account for most matches: the second comes half as often as the first, or even less (Zipf's law).
const EXPONENT: f64 = 1.2;

/// A day of records, in the order of their times.
fn records() -> Vec<Value> {
    let mut random = Rng::with_seed(1);
    let mut sum = 0.0;
    let ranks: Vec<f64> = (1_u16..=u16::try_from(TUPLES).expect("few"))
        .map(|rank| {
            sum += f64::from(rank).powf(-EXPONENT);
            sum
        })
        .collect();
    (0..RECORDS)
        .map(|number| {
            let second = number * 24 * 60 * 60 / RECORDS;
            let time = format!("2026-11-23T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            let (action, user) = match random.u32(0..100) {
                0..50 => ("ListUsers".to_owned(), 0),
                // Events that thresholds count are rare: otherwise there would be too many.
                50 => {
                    let action = random.usize(NEW_TERMS..NEW_TERMS + THRESHOLDS);
                    (format!("Action{action}"), random.usize(0..20) * random.usize(0..20) / 20)
                }
                _ => {
                    let point = random.f64() * sum;
                    let tuple = ranks.partition_point(|rank| *rank < point).min(TUPLES - 1);
                    (format!("Action{}", tuple % NEW_TERMS), tuple / NEW_TERMS)
                }
            };
            let event = format!("{number:08}-0000-4000-8000-000000000000");
            call(&action, &format!("user-{user}"), &time, &event)
        })
        .collect()
}

/// What a day costs.
struct Cost {
    name: &'static str,
    records: usize,
    requests: usize,
    reads: usize,
    writes: usize,
}

impl Cost {
    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    fn dollars(&self) -> f64 {
        (self.reads as f64 * READ + self.writes as f64 * WRITE) / self.records as f64
    }
}

#[tokio::test]
async fn a_million_records_of_a_real_mix_cost_less_than_ten_cents_of_table() {
    let (warm, matches, tuples) = day("warm", true).await;
    // The morning is enough: a function that knows nothing does the same at any hour.
    let (cold, ..) = day("cold", false).await;
    let one_by_one = Cost {
        name: "each match by itself",
        records: RECORDS,
        requests: 2 * matches,
        reads: matches,
        writes: matches,
    };
    assert!((RECORDS * 45 / 100..RECORDS * 55 / 100).contains(&matches), "{matches} matches");
    assert!((800..1300).contains(&tuples), "{tuples} tuples");
    let mut table = String::from("| | requests | reads | writes | dollars |\n|---|---|---|---|---|\n");
    for cost in [&one_by_one, &cold, &warm] {
        let million = |count: usize| count * 1_000_000 / cost.records;
        let [requests, reads, writes] = [cost.requests, cost.reads, cost.writes].map(million);
        let _ =
            writeln!(table, "| {} | {requests} | {reads} | {writes} | {:.3} |", cost.name, cost.dollars());
    }
    println!("Memory of {} rules, for a million records:\n\n{table}", NEW_TERMS + THRESHOLDS);
    assert!(warm.dollars() < 0.10, "{table}");
    assert!(warm.dollars() < cold.dollars() && cold.dollars() < one_by_one.dollars(), "{table}");
}

/// Delivers a day to a function that stays, or to one that starts for each delivery. Returns its cost, the matches, and
/// the tuples and groups.
async fn day(name: &'static str, is_warm: bool) -> (Cost, usize, usize) {
    let stage = Stage::new(&format!("cost: {name}")).await.rules(rules());
    let mut records = records();
    if !is_warm {
        records.truncate(RECORDS / 10);
    }
    let mut function = stage.function();
    let mut matches = 0;
    for (number, chunk) in records.chunks(DELIVERY).enumerate() {
        let delivery = number.to_string();
        stage.put(&delivery, chunk);
        if !is_warm {
            function = stage.function();
        }
        let run = stage.invoke(&function, &[&delivery]).await;
        assert_eq!(run.failures(), []);
        matches += usize::try_from(run.counter("signals")).expect("small");
        stage.server.state().objects.clear();
    }
    let state = stage.server.state();
    let name = if is_warm { "batches, and what a warm function knows" } else { "batches alone" };
    let requests =
        state.requests.iter().filter(|request| crate::dynamodb::operation(request).is_some()).count();
    let cost = Cost {
        name,
        records: records.len(),
        requests,
        reads: state.billed.reads,
        writes: state.billed.writes,
    };
    (cost, matches, state.items.len())
}
