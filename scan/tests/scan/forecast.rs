//! What the summary says about rules that could see nothing, and about how noisy the others would be.

use detection::bundle::Bundle;
use serde_json::{Value, json};

use crate::rules::{rule, sigma_rule};
use crate::{assert_run, delivery, folder, folder_of, gzip, hit, miss, path, scan};

const NAME: &str = "AWS Lambda Function Created or Updated";

fn at(mut record: Value, time: &str, user: &str) -> Value {
    record["eventTime"] = json!(time);
    record["userIdentity"] = json!({ "type": "IAMUser", "userName": user, "accountId": "111122223333" });
    record
}

/// A run of one rule over these records.
fn forecast(records: &[Value]) -> crate::Run {
    let rules = folder(&[("a.toml", &rule(NAME, "event.action: CreateFunction*"))]);
    scan(&["--rules", path(&rules), path(&folder(&[("a.json", &delivery(records))]))])
}

#[test]
fn a_rule_whose_service_or_event_never_occurred_is_named() {
    let rules = folder(&[
        ("a.toml", &rule("Seen", "event.provider: s3.amazonaws.com and event.action: Get*")),
        ("b.toml", &rule("Other event", "event.provider: \"s3.amazonaws.com\" and event.action: PutObject")),
        ("c.toml", &rule("Other service", "event.provider: \"kms.amazonaws.com\"")),
        ("d.toml", &rule("Any event", "event.outcome: failure and user.name: nobody")),
        ("e.yml", &sigma_rule("Sigma", "deletetrail")),
        ("f.toml", &rule("Failed", "event.action: GetObject and event.outcome: success")),
    ]);
    let mut failed = miss("a");
    failed["errorCode"] = json!("AccessDenied");
    // In a separate file, read by a search that escapes defeat.
    let escaped = delivery(&[failed]).replace("GetObject", "\\u0047etObject");
    let logs = folder_of(&[("a.json", gzip(&escaped)), ("b.json", gzip(&delivery(&[hit("x")])))]);
    let run = scan(&["--rules", path(&rules), path(&logs)]);
    let lines = [
        "       1  Seen",
        "       0  Other event (blind: its events are not in these files)",
        "       0  Other service (blind: no event of its service in these files)",
        "       0  Any event",
        "       0  Failed",
        "3 rules blind: nothing in these files could set it off; does the trail record such events?",
    ];
    assert_run(&run, 0, &["a"], &lines);
    assert!(run.err.contains("  Sigma (blind: "), "{}", run.err);
}

#[test]
fn a_rule_is_seen_whatever_the_prefilter_leaves_out_and_records_outside_of_the_selection_do_not_count() {
    let query = "event.action: GetObject and aws.cloudtrail.error_code: NoRecordHoldsThis";
    let rules = folder(&[("a.toml", &rule("A", query))]);
    let logs = folder(&[("a.json", &delivery(&[at(miss("m"), "2026-11-22T10:00:00Z", "u"), hit("x")]))]);
    let run = scan(&["--rules", path(&rules), path(&logs)]);
    assert!(run.says("       0  A") && !run.err.contains("blind"), "{}", run.err);
    let run = scan(&["--rules", path(&rules), "--since", "2026-11-23", path(&logs)]);
    assert!(run.err.contains("  A (blind: its events"), "{}", run.err);
}

#[test]
fn a_rule_is_seen_however_the_record_writes_its_service_and_its_event() {
    let query = "event.provider: \"kms.amazonaws.com\" and event.action: Decrypt and user.name: nobody";
    let rules = folder(&[("a.toml", &rule("A", query))]);
    let long = "x".repeat(300);
    let heads = [
        r#""eventSource":"kms.amazonaws.com","eventName":"Decrypt""#,
        r#""eventSource" : "kms.amazonaws.com" , "eventName" : "Decrypt""#,
        r#""eventName":"Decrypt","eventSource":"kms.amazonaws.com""#,
        &format!(r#""eventSource":"kms.amazonaws.com","requestID":"{long}","eventName":"Decrypt""#),
        r#""eventSource":"kms.amazonaws.com","eventName":"Dec\u0072ypt""#,
    ];
    for head in heads {
        let other = head.replace("crypt", "scribeKey").replace("c\\u0072ypt", "scribeKey");
        for (head, is_seen) in [(head, true), (other.as_str(), false)] {
            // The second record has a head that is known by then.
            let record = format!(r#"{{"eventTime":"2026-11-22T10:00:00Z",{head},"eventID":"e"}}"#);
            let text = format!(r#"{{"Records":[{record},{record}]}}"#);
            let run = scan(&["--rules", path(&rules), path(&folder(&[("a.json", &text)]))]);
            assert_eq!(!run.err.contains("blind"), is_seen, "{head}: {}", run.err);
        }
    }
}

#[test]
fn without_a_record_no_rule_is_blind_and_there_is_no_forecast() {
    let none = folder(&[("a.json", &delivery(&[]))]);
    let run = scan(&[path(&none)]);
    assert_run(&run, 0, &[], &[&format!("       0  {NAME}")]);
    let documents = scan(&["--ecs", path(&folder(&[("a.json", &delivery(&[miss("m")]))]))]);
    let quiet = scan(&[path(&folder(&[("a.json", &delivery(&[miss("m")]))]))]);
    assert!(quiet.err.contains("blind") && !documents.err.contains("blind"), "{}", quiet.err);
    for run in [run, documents, quiet] {
        assert!(!run.err.contains("a day") && !run.err.contains("exceptions/"), "{}", run.err);
    }
}

#[test]
fn signals_a_day_are_told_by_rule_and_principal_over_the_days_of_the_events() {
    let mut records = vec![
        at(miss("first"), "2026-11-20T00:00:00Z", "u"),
        at(miss("second"), "2026-11-21T00:00:00Z", "u"),
        at(miss("third"), "2026-11-22T00:00:00Z", "u"),
        at(miss("last"), "2026-11-24T00:00:00Z", "u"),
    ];
    records.extend((0..6).map(|i| at(hit(&format!("a{i}")), "2026-11-20T10:00:00Z", "deploy")));
    records.extend((0..2).map(|i| at(hit(&format!("b{i}")), "2026-11-21T10:00:00Z", "evil\u{202e}\n")));
    let run = forecast(&records);
    for line in [
        "signals a day, from events between 2026-11-20T00:00:00Z and 2026-11-24T00:00:00Z:",
        &format!("     2.0  {NAME}"),
        "by principal:",
        "     1.5  deploy",
        "     0.5  evil\u{fffd}",
    ] {
        assert!(run.says(line), "{line} in {}", run.err);
    }
    // A record with an odd time adds one day, not a century.
    records.push(at(miss("odd"), "9999-12-31T23:59:59Z", "u"));
    let run = forecast(&records);
    assert!(run.says(&format!("     1.6  {NAME}")), "{}", run.err);
}

#[test]
fn less_than_a_day_is_no_reason_to_multiply() {
    let records = [
        at(hit("a"), "2026-11-23T23:58:00Z", "u"),
        at(hit("b"), "2026-11-24T00:02:00Z", "u"),
        at(hit("c"), "2026-11-24T00:03:00Z", "u"),
    ];
    let run = forecast(&records);
    let line = "signals a day, from events between 2026-11-23T23:58:00Z and 2026-11-24T00:03:00Z, which is less than a day: at least:";
    assert!(run.says(line) && run.says(&format!("     3.0  {NAME}")), "{}", run.err);
}

#[test]
fn without_times_there_is_no_forecast_and_max_per_day_counts_them_as_one_day() {
    let logs = folder(&[("a.json", &delivery(&[hit("a"), hit("b")]))]);
    let run = scan(&["--max-per-day", "1", path(&logs)]);
    let line = format!("{NAME}: 2 signals on an unknown day, more than --max-per-day 1");
    assert_run(&run, 1, &["a", "b"], &["no forecast: no record says when its event occurred", &line]);
    assert_eq!(scan(&["--max-per-day", "2", path(&logs)]).code, Some(0));
}

#[test]
fn the_drafted_exception_takes_out_the_loudest_principal_of_the_loudest_rule_alone() {
    let mut records: Vec<_> =
        (0..3).map(|i| at(hit(&format!("a{i}")), "2026-11-20T10:00:00Z", "deploy")).collect();
    records.push(at(hit("b"), "2026-11-20T10:00:00Z", "person"));
    let logs = folder(&[("a.json", &delivery(&records))]);
    let rules = folder(&[("a.toml", &rule(NAME, "event.action: CreateFunction*"))]);
    let run = scan(&["--rules", path(&rules), path(&logs)]);
    let title = format!(
        "3 of 4 signals of {NAME} are about deploy. If they are expected, save this below exceptions/ as a .toml file:"
    );
    assert!(run.says(&title), "{}", run.err);
    let (_, rest) = run.err.split_once(&title).expect("it is there");
    let draft: Vec<_> = rest.lines().skip(1).map_while(|line| line.strip_prefix("  ")).collect();
    let draft = draft.join("\n");
    assert!(draft.contains("cloud.account.id: \"111122223333\""), "{draft}");
    let exceptions = folder(&[("deploy.toml", &draft)]);
    let run = scan(&["--rules", path(&rules), "--exceptions", path(&exceptions), path(&logs)]);
    assert_run(&run, 0, &["b"], &["4 signals: 1 printed, 3 suppressed, 0 duplicates"]);
    assert!(!run.err.contains("save this"), "one signal is no noise: {}", run.err);
}

#[test]
fn people_read_the_name_of_an_account_and_fields_and_ids_stay() {
    let accounts = r#"{"Accounts": [{"Id": "111122223333", "Name": "payments-prod\u202e\u001b[31m"}]}"#;
    let rule = rule("A", "event.action: Create*");
    let named = folder(&[("a.toml", &rule), ("accounts.json", accounts)]);
    let plain = folder(&[("a.toml", &rule)]);
    let logs = folder(&[("a.json", &delivery(&[hit("x")]))]);
    let of = |rules: &tempfile::TempDir, format: &str| {
        let run = scan(&["--rules", path(rules), "--format", format, path(&logs)]);
        assert_eq!(run.code, Some(0), "{}", run.err);
        run.out
    };
    let name = "payments-prod\u{fffd}\u{fffd}[31m (111122223333)";
    for format in ["table", "csv", "html"] {
        let text = of(&named, format);
        assert!(text.contains(name), "{format}: {text}");
        assert!(!of(&plain, format).contains("payments"), "{format}");
    }
    let document = |rules| -> Value { serde_json::from_str(&of(rules, "json")).expect("JSON") };
    let (mut with, mut without) = (document(&named), document(&plain));
    let message = with["message"].as_str().expect("a sentence");
    assert!(message.contains(&format!(" in account {name}")), "{message}");
    for document in [&mut with, &mut without] {
        for field in ["message", "@timestamp"] {
            document[field] = Value::Null;
        }
        document["event"]["created"] = Value::Null;
        document["kibana"]["alert"]["original_event"]["created"] = Value::Null;
    }
    assert_eq!(with, without);
    // The same names are in a bundle.
    let file = logs.path().join("rules.bundle");
    let run = scan(&["--rules", path(&named), "--bundle", file.to_str().expect("text")]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let bundle = Bundle::read(&std::fs::read(file).expect("it is there")).expect("a good bundle");
    assert_eq!(bundle.accounts.len(), 1);
}
