//! A CloudWatch Logs subscription to the log group of a trail.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use detection::origin::Origin;
use detection::records::{Decoder, Subscription};
use serde::Deserialize;

use super::envelope::{Envelope, Member, object, text};
use super::{Error, Part, Source};

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    data: Member<'a>,
}

/// `{"awslogs":{"data":"<base64 of gzip>"}}`
pub(super) fn subscription(envelope: &Envelope<'_>) -> Option<Result<Part, Error>> {
    let data = object::<Data<'_>>(Some(envelope.awslogs?)).and_then(|logs| text(logs.data));
    let missing = Error::Missing { envelope: "CloudWatch Logs event", part: "data" };
    Some(data.ok_or(missing).and_then(|data| log_events(&data)))
}

fn log_events(data: &str) -> Result<Part, Error> {
    let bytes = STANDARD.decode(data).map_err(|error| Error::LogData { reason: error.to_string() })?;
    let Subscription { log_group: group, log_stream: stream, .. } = match head(&bytes) {
        Some(head) if head.is_control_message() => {
            return Ok(Part::Nothing("CloudWatch Logs' test of a subscription"));
        }
        head => head.unwrap_or_default(),
    };
    Ok(Part::Source(Source::Bytes { origin: Origin::LogStream { group, stream }, bytes }))
}

/// The head of the document, if it can be read. Reading the records finds the errors in the rest.
fn head(bytes: &[u8]) -> Option<Subscription> {
    let mut decoder = Decoder::new();
    let mut input = bytes;
    // One step inflates one window, which holds more than what precedes the log events.
    decoder.step(&mut input, &mut |_, _| {}).ok()?;
    decoder.subscription().cloned()
}
