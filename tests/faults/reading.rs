//! Faults of S3. Each row has three deliveries, and S3 fails for the second.

use std::time::Duration;

use crate::s3::Get;
use crate::server::{End, Script, Wire};
use crate::world::{ATTEMPT, World, delivery, key};

/// The outcome of the faulty delivery. Its neighbours are always published.
enum Ending {
    /// It is published too.
    Whole,
    /// Its message fails; half of it was read, or nothing.
    Fails { found: Found, retry: &'static str, reason: &'static str },
}

#[derive(PartialEq)]
enum Found {
    Half,
    Nothing,
}

type Row = (&'static str, Script<Get>, Ending);

const RESET: Get = Get::Wire(Wire::Reset);
const HALF_THEN_RESET: Get = Get::Wire(Wire::Break(0.5, End::Reset));
const HALF_THEN_STALL: Get = Get::Wire(Wire::Break(0.5, End::Stall));

fn once<const N: usize>(faults: [Get; N]) -> Script<Get> {
    Script::once(faults)
}

fn times(count: usize, fault: Get) -> Script<Get> {
    Script::once(vec![fault; count])
}

fn after<const N: usize>(first: [Get; N], then: Get) -> Script<Get> {
    Script { first: first.into(), then: Some(then) }
}

fn transient(reason: &'static str) -> Ending {
    Ending::Fails { found: Found::Nothing, retry: "transient", reason }
}

fn permanent(reason: &'static str) -> Ending {
    Ending::Fails { found: Found::Nothing, retry: "permanent", reason }
}

fn half(retry: &'static str, reason: &'static str) -> Ending {
    Ending::Fails { found: Found::Half, retry, reason }
}

fn before_the_body() -> Vec<Row> {
    use Ending::Whole;
    use Get::{Delay, Status};
    vec![
        ("an answer that takes its time", once([Delay(ATTEMPT / 5)]), Whole),
        ("an answer that comes too late once", once([Delay(ATTEMPT * 2)]), Whole),
        ("an answer that always comes too late", Script::forever(Delay(ATTEMPT * 2)), transient("timed out")),
        ("two connections reset before the headers", once([RESET, RESET]), Whole),
        ("every connection reset before the headers", Script::forever(RESET), transient("could not be sent")),
        ("something that is not HTTP", once([Get::Wire(Wire::NotHttp)]), transient("could not be sent")),
        ("500 twice", once([Status(500, "InternalError"), Status(500, "InternalError")]), Whole),
        (
            "500 for ever",
            Script::forever(Status(500, "InternalError")),
            transient("InternalError (HTTP 500)"),
        ),
        ("502 from something in between", Script::forever(Status(502, "")), transient("HTTP 502")),
        ("503 SlowDown three times", times(3, Status(503, "SlowDown")), Whole),
        ("503 SlowDown for ever", Script::forever(Status(503, "SlowDown")), transient("SlowDown")),
        ("429, which S3 itself never says, once", once([Status(429, "TooManyRequests")]), Whole),
        (
            "429, which S3 itself never says, for ever",
            Script::forever(Status(429, "TooManyRequests")),
            transient("HTTP 429"),
        ),
        ("400 RequestTimeout once", once([Status(400, "RequestTimeout")]), Whole),
        ("a key of KMS that is throttled", once([Status(400, "ThrottlingException")]), Whole),
        (
            "credentials that have expired",
            Script::forever(Status(400, "ExpiredToken")),
            transient("ExpiredToken"),
        ),
        ("403 AccessDenied", Script::forever(Status(403, "AccessDenied")), permanent("check s3:GetObject")),
        (
            "403 InvalidObjectState",
            Script::forever(Status(403, "InvalidObjectState")),
            permanent("restore it"),
        ),
        ("404 NoSuchKey", Script::forever(Status(404, "NoSuchKey")), permanent("it was deleted")),
        ("404 NoSuchBucket", Script::forever(Status(404, "NoSuchBucket")), permanent("NoSuchBucket")),
        ("404 NoSuchVersion", Script::forever(Status(404, "NoSuchVersion")), permanent("NoSuchVersion")),
        (
            "301 to another region",
            Script::forever(Status(301, "PermanentRedirect")),
            permanent("PermanentRedirect"),
        ),
        ("400 for no known reason", Script::forever(Status(400, "Whatever")), permanent("Whatever")),
    ]
}

fn in_the_body() -> Vec<Row> {
    use Ending::Whole;
    use Get::{IgnoreRange, Status, ThenChanged, Untagged, WrongRange};
    let wire = |share, end| Get::Wire(Wire::Break(share, end));
    let changed = || delivery(&["f1", "f2", "other"]);
    vec![
        ("a reset right after the headers", once([wire(0.0, End::Reset)]), Whole),
        ("a reset in the middle", once([HALF_THEN_RESET]), Whole),
        ("a reset before the last bytes", once([wire(0.99, End::Reset)]), Whole),
        ("a body closed in the middle, with its full length announced", once([wire(0.5, End::Close)]), Whole),
        ("a stall right after the headers", once([wire(0.0, End::Stall)]), Whole),
        ("a stall in the middle", once([HALF_THEN_STALL]), Whole),
        ("four breaks, each a little further", times(4, HALF_THEN_RESET), Whole),
        (
            "a body that stalls every time",
            Script::forever(HALF_THEN_STALL),
            half("transient", "nothing came for"),
        ),
        (
            "a body that breaks off every time",
            Script::forever(HALF_THEN_RESET),
            half("transient", "broke off"),
        ),
        ("a break, and 500 on the way back", once([HALF_THEN_RESET, Status(500, "InternalError")]), Whole),
        ("a break, and a reset on the way back", once([HALF_THEN_RESET, RESET]), Whole),
        ("a break, and no way back", after([HALF_THEN_RESET], RESET), half("transient", "could not be sent")),
        (
            "a break, and SlowDown ever after",
            after([HALF_THEN_RESET], Status(503, "SlowDown")),
            half("transient", "SlowDown"),
        ),
        (
            "a break, and the object is deleted",
            after([HALF_THEN_RESET], Status(404, "NoSuchKey")),
            half("permanent", "NoSuchKey"),
        ),
        (
            "a break, and the object is another one",
            once([ThenChanged(Wire::Break(0.5, End::Reset), changed())]),
            half("transient", "has changed"),
        ),
        (
            "a break, and the range is ignored",
            after([HALF_THEN_RESET], IgnoreRange),
            half("transient", "taken up"),
        ),
        ("a break, and a wrong range", after([HALF_THEN_RESET], WrongRange), half("transient", "taken up")),
        (
            "a break of a body without an ETag",
            once([Untagged(Wire::Break(0.5, End::Reset))]),
            half("transient", "broke off"),
        ),
        ("a slow drip", once([Get::Wire(Wire::Drip(20, Duration::from_millis(30)))]), Whole),
        (
            "a slow drip, broken off",
            once([HALF_THEN_RESET, Get::Wire(Wire::Drip(20, Duration::from_millis(30)))]),
            Whole,
        ),
    ]
}

async fn check((name, script, ending): Row) {
    let run = World::new(&format!("reading: {name}"))
        .delivery("before", &["b1"])
        .delivery("faulty", &["f1", "f2"])
        .delivery("after", &["a1"])
        .get("faulty", script)
        .run()
        .await;
    match ending {
        Ending::Whole => {
            assert_eq!(run.published(), ["a1", "b1", "f1", "f2"], "{name}");
            assert_eq!(run.failed(), [""; 0], "{name}");
        }
        Ending::Fails { found, retry, reason } => {
            let published = if found == Found::Half { &["a1", "b1", "f1"][..] } else { &["a1", "b1"] };
            assert_eq!(run.published(), published, "{name}");
            assert_eq!(run.failed(), ["faulty"], "{name}");
            let failures = run.failures_of("faulty");
            assert_eq!(failures.len(), 1, "{name}: {failures:?}");
            assert_eq!(failures[0].0, retry, "{name}: {failures:?}");
            let place = format!("s3://trail/{}", key("faulty"));
            assert!(failures[0].1.contains(reason) && failures[0].1.contains(&place), "{name}: {failures:?}");
        }
    }
    assert_eq!(run.counter("deliveries"), 3, "{name}");
}

#[tokio::test]
async fn a_fault_before_a_body_costs_no_neighbour_and_its_message_fails_as_it_should() {
    crate::all(before_the_body(), |row| row.0, check).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_resumed_or_its_message_fails() {
    crate::all(in_the_body(), |row| row.0, check).await;
}
