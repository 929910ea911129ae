//! Metric lines: what CloudWatch must find in them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloudtrail_signals::settings::Settings;
use cloudtrail_signals::telemetry::counters::Counters;
use cloudtrail_signals::telemetry::metrics::{Latency, Metrics};
use serde_json::{Value, json};

fn lines(latencies: &[Latency]) -> Vec<Value> {
    let metrics = Metrics { namespace: "CloudTrailSignals".into(), function: "signals".into() };
    let counters = Counters { deliveries: 1, records: 80, matched: 8, bytes_in: 9, ..Counters::default() };
    let now: SystemTime = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let lines = metrics.lines(&counters, latencies, now);
    lines.iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn latency(call: u64, delivery: Option<u64>) -> Latency {
    Latency { call: Some(Duration::from_secs(call)), delivery: delivery.map(Duration::from_millis) }
}

#[test]
fn every_metric_that_is_defined_has_a_value_under_its_name_and_every_value_is_defined() {
    for line in lines(&[latency(300, Some(250)), latency(400, None)]) {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let defined: Vec<_> = directive["Metrics"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|metric| metric["Name"].as_str().expect("a name"))
            .collect();
        let there: Vec<_> = line
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .filter(|key| !["_aws", "FunctionName"].contains(key))
            .collect();
        assert_eq!(defined, there);
        assert_eq!(directive["Namespace"], "CloudTrailSignals");
        assert_eq!(directive["Dimensions"], json!([["FunctionName"]]));
        assert_eq!(line["FunctionName"], "signals");
        assert_eq!(line["_aws"]["Timestamp"], 1_700_000_000_123_u64);
    }
}

#[test]
fn counters_and_latencies_keep_their_numbers_and_units() {
    let lines = lines(&[latency(300, Some(250)), latency(400, None)]);
    let [line] = lines.as_slice() else { panic!("one line, not {}", lines.len()) };
    assert_eq!((&line["Deliveries"], &line["Records"], &line["Matched"]), (&json!(1), &json!(80), &json!(8)));
    assert_eq!(line["BytesIn"], 9);
    assert_eq!(line["CallToSignal"], json!([300.0, 400.0]));
    assert_eq!(line["DeliveryToSignal"], json!([0.25]));
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().expect("a list");
    let unit = |name| metrics.iter().find(|metric| metric["Name"] == name).map(|metric| &metric["Unit"]);
    assert_eq!(unit("Records"), Some(&json!("Count")));
    assert_eq!(unit("BytesIn"), Some(&json!("Bytes")));
    assert_eq!(unit("CallToSignal"), Some(&json!("Seconds")));
}

#[test]
fn an_invocation_without_signals_still_counts_its_deliveries() {
    let lines = lines(&[]);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["Deliveries"], 1);
    assert_eq!(lines[0].get("CallToSignal"), None);
}

#[test]
fn no_line_has_more_values_than_cloudwatch_takes_and_counters_stand_in_one_line_only() {
    let lines = lines(&vec![latency(1, Some(2)); 250]);
    let values = |line: &Value| line["CallToSignal"].as_array().map_or(0, Vec::len);
    assert_eq!(lines.iter().map(values).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(lines.iter().filter(|line| line.get("Records").is_some()).count(), 1);
}

#[test]
fn the_namespace_is_a_setting_and_a_bad_one_fails_the_start_by_name() {
    let read = |namespace: &str| {
        Settings::read(|name| match name {
            "SIGNAL_TOPIC_ARN" => Some("arn:aws:sns:us-east-1:111122223333:signals".to_owned()),
            "AWS_LAMBDA_FUNCTION_NAME" => Some("signals".to_owned()),
            "METRICS_NAMESPACE" => Some(namespace.to_owned()),
            _ => None,
        })
    };
    let metrics = |settings: Settings| settings.metrics.map(|metrics| (metrics.namespace, metrics.function));
    assert_eq!(read("My/Signals").map(metrics), Ok(Some(("My/Signals".into(), "signals".into()))));
    assert_eq!(read("").map(metrics), Ok(None));
    for wrong in [":x".to_owned(), "a\nb".to_owned(), "x".repeat(256)] {
        assert_eq!(read(&wrong).map_err(|error| error.variable), Err("METRICS_NAMESPACE"), "{wrong:?}");
    }
}

#[test]
fn the_page_has_a_row_for_every_counter_with_its_meaning() {
    let page = std::fs::read_to_string("docs/operate.md").expect("the page");
    let table =
        page.split("## Counters").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a section");
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<_> = Counters::default()
        .all()
        .map(|(counter, _)| format!("| `{}` | {} |", counter.name, counter.meaning))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_metric_of_every_counter_but_one_is_its_name_in_camel_case_as_the_page_says() {
    for (counter, _) in Counters::default().all() {
        let camel = |word: &str| word[..1].to_uppercase() + &word[1..];
        let name: String = counter.name.split('_').map(camel).collect();
        let unit = if counter.name.starts_with("bytes_") { "Bytes" } else { "Count" };
        let expected = (counter.name != "unmatched").then_some((name.as_str(), unit));
        assert_eq!(counter.metric, expected, "{}", counter.name);
    }
}

#[test]
fn every_counter_is_added_up_and_stands_in_the_reply_under_its_name() {
    let ones: Counters = {
        let mut counters = Counters { deliveries: 1, completed: 2, unarchived: 3, ..Counters::default() };
        counters += counters;
        counters
    };
    let reply = serde_json::to_value(ones).expect("JSON");
    for (counter, value) in ones.all() {
        assert_eq!(reply[counter.name], value, "{}", counter.name);
    }
    assert_eq!((ones.deliveries, ones.completed, ones.unarchived), (2, 4, 6));
    assert_eq!(reply.as_object().map(serde_json::Map::len), Some(ones.all().count()));
}
