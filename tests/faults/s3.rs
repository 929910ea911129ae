//! The S3 of the fault server: objects by path, with tags, ranges and conditions.

use std::time::Duration;

use crate::server::{Answer, Request, State, Wire};

/// What one request gets instead of a good answer.
#[derive(Debug, Clone)]
pub enum Get {
    /// A good answer, after a while.
    Delay(Duration),
    /// A refusal.
    Status(u16, &'static str),
    /// Trouble on the wire.
    Wire(Wire),
    /// The whole object, whatever the range.
    IgnoreRange,
    /// Another range than the requested one.
    WrongRange,
    /// This trouble, and then the object is a different one.
    ThenChanged(Wire, Vec<u8>),
    /// This trouble, and no ETag.
    Untagged(Wire),
}

pub fn answer(request: &Request, state: &mut State) -> (Duration, Answer) {
    let fault = state.get_fault(request);
    let mut answer = match (request.method.as_str(), &fault) {
        ("PUT", None | Some(Get::Delay(_))) => put(request, state),
        ("PUT", Some(_)) => Answer { status: 200, ..Answer::default() },
        _ => good(request, state, matches!(fault, Some(Get::IgnoreRange))),
    };
    let mut delay = Duration::ZERO;
    match fault {
        None | Some(Get::IgnoreRange) => {}
        Some(Get::Delay(time)) => delay = time,
        Some(Get::Status(status, code)) => answer = refusal(status, code),
        Some(Get::Wire(wire)) => answer.wire = wire,
        Some(Get::WrongRange) => {
            for (name, value) in &mut answer.headers {
                if *name == "content-range" {
                    *value = value.replacen("bytes ", "bytes 1", 1);
                }
            }
        }
        Some(Get::ThenChanged(wire, bytes)) => {
            answer.wire = wire;
            state.objects.insert(request.path[1..].to_owned(), bytes);
        }
        Some(Get::Untagged(wire)) => {
            answer.wire = wire;
            answer.headers.retain(|(name, _)| *name != "etag");
        }
    }
    if request.method == "HEAD" {
        answer.headers.push(("content-length", answer.body.len().to_string()));
        answer.body.clear();
    }
    (delay, answer)
}

fn good(request: &Request, state: &State, ignore_range: bool) -> Answer {
    let Some(bytes) = state.objects.get(&request.path[1..]) else { return refusal(404, "NoSuchKey") };
    let tag = format!("\"{:x}\"", crc(bytes));
    let owner = request.headers.get("x-amz-expected-bucket-owner");
    if owner.is_some_and(|owner| owner != crate::world::OWNER) {
        return refusal(403, "AccessDenied");
    }
    if request.headers.get("if-match").is_some_and(|wanted| *wanted != tag) {
        return refusal(412, "PreconditionFailed");
    }
    let mut answer = Answer { status: 200, headers: vec![("etag", tag)], ..Answer::default() };
    let from = request.headers.get("range").filter(|_| !ignore_range).map(|range| {
        let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        from.and_then(|from| from.parse::<usize>().ok()).expect("ranges of the form bytes=N-")
    });
    match from {
        None => answer.body.clone_from(bytes),
        Some(from) if from >= bytes.len() => return refusal(416, "InvalidRange"),
        Some(from) => {
            answer.status = 206;
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            answer.headers.push(("content-range", range));
            answer.body = bytes[from..].to_vec();
        }
    }
    answer
}

fn put(request: &Request, state: &mut State) -> Answer {
    let only_new = request.headers.get("if-none-match").is_some_and(|value| value == "*");
    assert!(only_new, "nothing may ever be overwritten");
    if state.objects.contains_key(&request.path[1..]) {
        return refusal(412, "PreconditionFailed");
    }
    state.objects.insert(request.path[1..].to_owned(), request.body.clone());
    Answer { status: 200, ..Answer::default() }
}

fn refusal(status: u16, code: &str) -> Answer {
    let body =
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>on order</Message></Error>");
    Answer { status, body: body.into_bytes(), ..Answer::default() }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
