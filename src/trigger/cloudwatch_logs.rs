//! A subscription of CloudWatch Logs to the log group of a trail.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{Error, Source};
use detection::origin::Origin;
use detection::records;

/// Lambda takes payloads of 6 MB, which hold 4.5 MB of gzip; log events compress about tenfold.
const MAX_DATA_BYTES: usize = 64 * 1024 * 1024;

/// `{"awslogs":{"data":"<base64 of gzip>"}}`
pub(super) fn subscription(envelope: &Map<String, Value>) -> Option<Vec<Result<Source, Error>>> {
    let data = envelope.get("awslogs")?.get("data").and_then(Value::as_str);
    let missing = Error::Missing { envelope: "CloudWatch Logs event", part: "data" };
    Some(vec![data.ok_or(missing).and_then(log_events)])
}

fn log_events(data: &str) -> Result<Source, Error> {
    let unreadable = |reason: String| Error::LogData { reason };
    let missing = |part| Error::Missing { envelope: "CloudWatch Logs data", part };
    let bytes = STANDARD.decode(data).map_err(|error| unreadable(error.to_string()))?;
    let json = records::gunzip(&bytes, MAX_DATA_BYTES).map_err(|error| unreadable(error.to_string()))?;
    let data: Value = serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))?;
    let text = |key: &str| data.get(key).and_then(Value::as_str);
    match text("messageType") {
        Some("CONTROL_MESSAGE") => return Ok(Source::Nothing("CloudWatch Logs' test of a subscription")),
        Some("DATA_MESSAGE") => {}
        _ => return Err(missing("messageType")),
    }
    let events = data.get("logEvents").and_then(Value::as_array).ok_or(missing("logEvents"))?;
    let records = events
        .iter()
        .map(|event| event.get("message").and_then(Value::as_str).map(str::to_owned))
        .collect::<Option<Vec<_>>>()
        .ok_or(missing("message in a log event"))?;
    let name = |key| text(key).unwrap_or_default().to_owned();
    let origin = Origin::LogStream { group: name("logGroup"), stream: name("logStream") };
    Ok(Source::Records { origin, records })
}
