//! Metrics for CloudWatch, as log lines in its embedded metric format.
//!
//! CloudWatch extracts metrics from such lines: the function needs no request and no permission for them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::telemetry::counters::Counters;

/// CloudWatch takes at most this many values of one metric from a line.
const MAX_VALUES: usize = 100;

/// The namespace and the dimension of the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// `METRICS_NAMESPACE`.
    pub namespace: String,
    /// The name of the function, the only dimension.
    pub function: String,
}

/// How late a published signal is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// Since the API call, if the record has its time.
    pub call: Option<Duration>,
    /// Since the delivery was written, if it is an object in S3.
    pub delivery: Option<Duration>,
}

impl Metrics {
    /// The lines of one invocation: the first has all counters and as many latencies of published signals as fit, further
    /// lines have the rest.
    #[must_use]
    pub fn lines(&self, counters: &Counters, latencies: &[Latency], now: SystemTime) -> Vec<String> {
        let timestamp = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut chunks = latencies.chunks(MAX_VALUES);
        let first = counts(counters).into_iter().chain(late(chunks.next().unwrap_or_default()));
        let first = self.line(first.collect(), timestamp);
        let further = chunks.map(|chunk| self.line(late(chunk), timestamp));
        std::iter::once(first).chain(further).collect()
    }

    fn line(&self, metrics: Vec<Metric>, timestamp: u128) -> String {
        let definitions: Vec<_> =
            metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": u64::try_from(timestamp).unwrap_or(u64::MAX),
                "CloudWatchMetrics": [{
                    "Namespace": self.namespace,
                    "Dimensions": [["FunctionName"]],
                    "Metrics": definitions,
                }],
            }),
        );
        line.insert("FunctionName".to_owned(), self.function.as_str().into());
        line.extend(metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
        Value::Object(line).to_string()
    }
}

/// Name, unit, and one value or several.
type Metric = (&'static str, &'static str, Value);

fn counts(counters: &Counters) -> Vec<Metric> {
    let metrics = counters.all().filter_map(|(counter, value)| Some((counter.metric?, value)));
    metrics.map(|((name, unit), value)| (name, unit, value.into())).collect()
}

fn late(latencies: &[Latency]) -> Vec<Metric> {
    let seconds = |name, of: fn(&Latency) -> Option<Duration>| {
        let values: Vec<_> = latencies.iter().filter_map(of).map(|value| value.as_secs_f64()).collect();
        (!values.is_empty()).then(|| (name, "Seconds", json!(values)))
    };
    [seconds("CallToSignal", |latency| latency.call), seconds("DeliveryToSignal", |latency| latency.delivery)]
        .into_iter()
        .flatten()
        .collect()
}
