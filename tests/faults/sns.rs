//! The SNS of the fault server: `PublishBatch`, with the limits of the real one.

use std::collections::HashSet;
use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use crate::server::{Answer, Request, State, Wire};

/// What one `PublishBatch` gets instead of a good answer.
#[derive(Debug, Clone)]
pub enum Batch {
    /// A refusal of the whole request.
    Status(u16, &'static str),
    /// Trouble on the wire before anything is taken.
    Wire(Wire),
    /// Everything is taken, and then there is trouble on the wire.
    TakenThen(Wire),
    /// Everything is taken, and the answer comes late.
    TakenLate(Duration),
    /// A good answer, after a while.
    Delay(Duration),
    /// The entry of this event fails by itself.
    Fails { event: &'static str, sender_fault: bool, code: &'static str },
    /// Every entry fails by itself.
    AllFail { sender_fault: bool, code: &'static str },
    /// The entry of this event is not mentioned, and not taken.
    Silent(&'static str),
    /// The whole request is refused while it holds this event, else the answer is good.
    RefusedWith(&'static str, &'static str),
}

/// A message that the topic took.
#[derive(Debug, Clone)]
pub struct Published {
    pub topic: String,
    pub event: String,
    pub signal: Value,
    pub entry: Entry,
}

/// One entry of a request.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub id: String,
    pub message: String,
    pub subject: String,
    pub group: Option<String>,
    pub deduplication: Option<String>,
    pub structure: Option<String>,
    /// Name, type, value.
    pub attributes: Vec<(String, String, String)>,
}

/// The `eventID` of the record that a message is made from.
fn event(message: &str) -> (String, Value) {
    let signal: Value = serde_json::from_str(message).expect("a message is JSON");
    let event = signal.pointer("/event/id").and_then(Value::as_str).unwrap_or("-").to_owned();
    (event, signal)
}

pub fn publish_batch(request: &Request, state: &mut State) -> (Duration, Answer) {
    let entries = entries(request);
    if let Some(code) = limits(&entries, request) {
        state.broken_limits.push(code);
        return (Duration::ZERO, refusal(400, code));
    }
    let fault = state.batch_fault();
    let mut delay = Duration::ZERO;
    let mut wire = Wire::Good;
    let mut failed = String::new();
    let mut taken = String::new();
    match &fault {
        Some(Batch::Status(status, code)) => return (delay, refusal(*status, code)),
        Some(Batch::Wire(wire)) => {
            return (delay, Answer { status: 200, wire: *wire, ..Answer::default() });
        }
        Some(Batch::RefusedWith(bad, code))
            if entries.iter().any(|entry| event(&entry.message).0 == *bad) =>
        {
            return (delay, refusal(400, code));
        }
        Some(Batch::TakenThen(trouble)) => wire = *trouble,
        Some(Batch::Delay(time) | Batch::TakenLate(time)) => delay = *time,
        _ => {}
    }
    for entry in entries {
        let (event, signal) = event(&entry.message);
        match &fault {
            Some(Batch::Silent(silent)) if *silent == event => continue,
            Some(Batch::Fails { event: bad, sender_fault, code }) if *bad == event => {
                fail(&mut failed, &entry.id, *sender_fault, code);
                continue;
            }
            Some(Batch::AllFail { sender_fault, code }) => {
                fail(&mut failed, &entry.id, *sender_fault, code);
                continue;
            }
            _ => {}
        }
        let _ = write!(taken, "<member><Id>{}</Id><MessageId>message-{event}</MessageId></member>", entry.id);
        let topic = request.fields["TopicArn"].clone();
        state.published.push(Published { topic, event, signal, entry });
    }
    let body = format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
         <Failed>{failed}</Failed><Successful>{taken}</Successful></PublishBatchResult></PublishBatchResponse>"
    );
    (delay, Answer { status: 200, body: body.into_bytes(), wire, ..Answer::default() })
}

fn fail(failed: &mut String, id: &str, sender_fault: bool, code: &str) {
    let _ = write!(
        failed,
        "<member><Id>{id}</Id><Code>{code}</Code><Message>on order</Message>\
         <SenderFault>{sender_fault}</SenderFault></member>"
    );
}

/// The entries of a request, from the form that the SDK sends.
pub fn entries(request: &Request) -> Vec<Entry> {
    (1..)
        .map_while(|number| {
            let field = |name: &str| {
                request.fields.get(&format!("PublishBatchRequestEntries.member.{number}.{name}")).cloned()
            };
            let attributes = (1..).map_while(|attribute| {
                let part = |name: &str| field(&format!("MessageAttributes.entry.{attribute}.{name}"));
                Some((part("Name")?, part("Value.DataType")?, part("Value.StringValue")?))
            });
            Some(Entry {
                id: field("Id")?,
                message: field("Message")?,
                subject: field("Subject").unwrap_or_default(),
                group: field("MessageGroupId"),
                deduplication: field("MessageDeduplicationId"),
                structure: field("MessageStructure"),
                attributes: attributes.collect(),
            })
        })
        .collect()
}

/// What SNS itself refuses.
fn limits(entries: &[Entry], request: &Request) -> Option<&'static str> {
    let ids: HashSet<_> = entries.iter().map(|entry| &entry.id).collect();
    let bytes: usize = entries
        .iter()
        .map(|entry| {
            let attributes =
                entry.attributes.iter().map(|(name, kind, value)| name.len() + kind.len() + value.len());
            entry.message.len() + entry.subject.len() + attributes.sum::<usize>()
        })
        .sum();
    let is_fifo = request.fields["TopicArn"].rsplit('.').next() == Some("fifo");
    let bad_subject = |subject: &str| {
        !(1..=100).contains(&subject.len()) || subject.bytes().any(|byte| !matches!(byte, b' '..=b'~'))
    };
    if entries.is_empty() {
        Some("EmptyBatchRequest")
    } else if entries.len() > 10 {
        Some("TooManyEntriesInBatchRequest")
    } else if ids.len() < entries.len() {
        Some("BatchEntryIdsNotDistinct")
    } else if bytes > 262_144 {
        Some("BatchRequestTooLong")
    } else if entries.iter().any(|entry| {
        bad_subject(&entry.subject)
            || entry.attributes.len() > 10
            || !matches!(entry.structure.as_deref(), None | Some("json"))
            || entry.attributes.iter().any(|(.., value)| value.is_empty())
            || is_fifo != (entry.group.is_some() && entry.deduplication.is_some())
    }) {
        Some("InvalidParameter")
    } else {
        None
    }
}

fn refusal(status: u16, code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>on order</Message></Error></ErrorResponse>"
    );
    Answer { status, body: body.into_bytes(), ..Answer::default() }
}
