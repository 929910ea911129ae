//! Accounts whose deliveries stop: tables, and a plain model to compare the real thing with.

use std::collections::BTreeSet;

use detection::bundle::Exception;
use detection::detect::Ruleset;
use detection::key::Key;
use detection::silence::{Alert, News, RULE_ID, Sighting, Watched, check_time, items, rule};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24;
/// 2026-11-01T00:00:00Z, in hours since 1970.
const START: i64 = 498_192;
/// A clock that is ahead of every delivery here.
const CLOCK: i64 = (START + 40 * DAY) * HOUR;

fn key(account: &str, region: &str, hour: i64) -> Key {
    let time = jiff::Timestamp::from_second(hour * 3600 + 1500).expect("a time");
    let time = time.strftime("%Y%m%dT%H%MZ");
    let name = format!("{account}_CloudTrail_{region}_{time}_Qx7LmN2pVb9sTk4d.json.gz");
    Key::plain(format!("AWSLogs/o-a1b2c3d4e5/{account}/CloudTrail/{region}/2026/11/23/{name}"))
}

fn seen(hour: i64) -> Sighting {
    Sighting::of(&key("111122223333", "us-east-1", hour)).expect("a delivery")
}

fn watched(hours: impl IntoIterator<Item = i64>) -> Watched {
    let mut watched = Watched::default();
    for hour in hours {
        watched.see(&seen(hour), CLOCK);
    }
    watched
}

/// Noon on each of this many days.
fn days(count: i64) -> impl Iterator<Item = i64> {
    (0..count).map(|day| START + day * DAY + 12)
}

fn signal(news: &News) -> (String, Value) {
    let rules = Ruleset::new(Vec::new()).expect("no rules");
    match news.alert(&rules, "2026-11-30T00:00:00.000Z") {
        Alert::Signal(signal) => {
            (signal.id.to_string(), serde_json::from_str(&signal.message).expect("JSON"))
        }
        Alert::Suppressed(_) => panic!("no exception"),
    }
}

fn id(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[test]
fn an_account_seen_on_most_days_that_stops_gives_one_signal_and_one_when_it_is_back() {
    let mut watched = watched(days(10));
    let last = START + 9 * DAY + 12;
    // It may have been seen until the end of that hour.
    assert_eq!(watched.check((last + 25) * HOUR - 1, 24), []);
    let found = watched.check((last + 25) * HOUR, 24);
    let [stopped] = &found[..] else { panic!("{found:?}") };
    let (stopped_id, document) = signal(stopped);
    assert_eq!(stopped_id, id(&format!("{RULE_ID}/111122223333/us-east-1/2026-11-10T12:00:00Z")));
    assert_eq!(document["event"]["action"], "DeliveriesStopped");
    assert_eq!(document["kibana"]["alert"]["severity"], "high");
    assert_eq!(document["kibana"]["alert"]["rule"]["name"], "CloudTrail Deliveries Stopped");
    assert_eq!(document["kibana"]["alert"]["original_time"], "2026-11-11T13:00:00Z");
    assert_eq!(document["cloud"]["account"]["id"], "111122223333");
    assert!(document["event"]["original"].is_null(), "nobody has called anything");
    // Until it is published, each check finds it, with the same id.
    assert_eq!(signal(&watched.check((last + 26) * HOUR, 24)[0]).0, stopped_id);
    assert!(watched.published(stopped));
    assert_eq!(watched.check((last + 90) * HOUR, 24), []);
    watched.see(&seen(last + 100), CLOCK);
    let found = watched.check((last + 101) * HOUR, 24);
    let (back, document) = signal(&found[0]);
    assert_eq!(back, id(&format!("{RULE_ID}/111122223333/us-east-1/2026-11-10T12:00:00Z/resumed")));
    assert_eq!(document["event"]["action"], "DeliveriesResumed");
    assert!(watched.published(&found[0]));
    assert_eq!(watched.check((last + 102) * HOUR, 24), []);
}

#[test]
fn an_account_that_is_not_seen_on_most_days_is_never_silent() {
    let rows: [(&str, Vec<i64>, usize); 5] = [
        ("twice", vec![START, START + DAY], 0),
        ("seven days", days(7).collect(), 0),
        ("eight days", days(8).collect(), 1),
        ("one day a week", (0..5).map(|week| START + week * 7 * DAY).collect(), 0),
        ("all hours of three days", (START..START + 3 * DAY).collect(), 0),
    ];
    for (name, hours, expected) in rows {
        let last = *hours.last().expect("an hour");
        assert_eq!(watched(hours).check((last + 30) * HOUR, 24).len(), expected, "{name}");
    }
}

#[test]
fn a_delivery_that_comes_late_ends_no_silence_and_one_ahead_of_the_clock_hides_none() {
    let last = START + 9 * DAY + 12;
    let mut watched = watched(days(10));
    let found = watched.check((last + 48) * HOUR, 24);
    watched.published(&found[0]);
    // Whether it is from before the silence or from the middle of it, it is still long ago.
    for late in [last - 30, last + 3] {
        watched.see(&seen(late), CLOCK);
        assert_eq!(watched.check((last + 49) * HOUR, 24), []);
    }
    let ahead = seen(CLOCK / HOUR + 2);
    assert!(!watched.see(&ahead, CLOCK));
    assert_eq!(Sighting::of(&Key::plain("AWSLogs/111122223333/CloudTrail/us-east-1/9999/99/99/x")), None);
}

#[test]
fn a_check_that_comes_late_or_twice_and_one_before_the_last_delivery_say_nothing_new() {
    let last = START + 9 * DAY + 12;
    let mut watched = watched(days(10));
    assert_eq!(watched.check((last - 100) * HOUR, 24), []);
    let first = watched.check((last + 30) * HOUR, 24);
    assert_eq!(watched.check((last + 30) * HOUR, 24), first);
    // The account comes back between the two checks that have both found its silence.
    watched.see(&seen(last + 31), CLOCK);
    assert!(watched.published(&first[0]));
    assert!(!watched.published(&first[0]));
    let back = watched.check((last + 31) * HOUR, 24);
    assert_eq!(signal(&back[0]).1["event"]["action"], "DeliveriesResumed");
    // With a longer limit it is no longer silent, but nothing has arrived.
    let mut quiet = self::watched(days(10));
    quiet.published(&quiet.check((last + 30) * HOUR, 24)[0].clone());
    assert_eq!(quiet.check((last + 31) * HOUR, 72), []);
}

#[test]
fn a_closed_account_is_an_exception() {
    let mut rules = Ruleset::new(Vec::new()).expect("no rules");
    let query = "cloud.account.id: 111122223333".to_owned();
    let exception = Exception { rules: Some(vec![RULE_ID.to_owned()]), ..Exception::of_setting("x", query) };
    rules.except(exception).expect("KQL");
    let found = watched(days(10)).check((START + 15 * DAY) * HOUR, 24);
    assert!(matches!(found[0].alert(&rules, "2026-11-30T00:00:00.000Z"), Alert::Suppressed(_)));
    let mut other = Watched::default();
    for hour in days(10) {
        other.see(&Sighting::of(&key("444455556666", "us-east-1", hour)).expect("a delivery"), CLOCK);
    }
    let found = other.check((START + 15 * DAY) * HOUR, 24);
    assert!(matches!(found[0].alert(&rules, "2026-11-30T00:00:00.000Z"), Alert::Signal(_)));
}

#[test]
fn only_keys_of_trail_deliveries_say_when_an_account_was_seen() {
    let name = "111122223333_CloudTrail_us-east-1_20261123T1005Z_Qx7LmN2pVb9sTk4d.json.gz";
    let at = |key: String| Sighting::of(&Key::plain(key));
    let good = at(format!("AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/{name}"));
    assert!(good.is_some());
    let twice = at(format!("o-abc/AWSLogs/o-abc/111122223333/CloudTrail/us-east-1/2026/11/23/{name}"));
    assert_eq!(twice, good);
    for bad in [
        format!("AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/23/{name}"),
        format!("AWSLogs/444455556666/CloudTrail/us-east-1/2026/11/23/{name}"),
        format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/23/{name}"),
        "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/x.json.gz".to_owned(),
        format!("{name}/AWSLogs"),
        "AWSLogs/111122223333/CloudTrail/a b/111122223333_CloudTrail_a b_20261123T1005Z_x.json.gz".to_owned(),
        "AWSLogs/111122223333/CloudTrail/us-east-1/111122223333_CloudTrail_us-east-1_20269923T1005Z_x"
            .to_owned(),
        "AWSLogs/111122223333/CloudTrail/us-east-1/111122223333_CloudTrail_us-east-1_2026é23T105Z_x"
            .to_owned(),
    ] {
        assert_eq!(at(bad.clone()), None, "{bad}");
    }
}

#[test]
fn the_rule_on_silence_is_one_and_says_what_it_needs_to() {
    assert_eq!((rule().rule_id.as_str(), rule().severity.as_str(), rule().risk_score), (RULE_ID, "high", 73));
    assert!(rule().building_block_type.is_none(), "people are to hear of it");
}

#[test]
fn what_was_not_seen_for_two_months_is_forgotten_and_ten_thousand_accounts_fit_into_the_items() {
    let mut watched = watched([START]);
    let later = START + 61 * DAY;
    let other = Sighting::of(&key("444455556666", "us-east-1", later)).expect("a delivery");
    assert!(watched.see(&other, later * HOUR));
    assert!(!watched.see(&seen(START), later * HOUR));
    assert_eq!(watched.text().matches(" us-east-1 ").count(), 1);
    // DynamoDB's limit is 400 KB per item.
    let mut all: std::collections::HashMap<String, Watched> =
        items().map(|key| (key, Watched::default())).collect();
    for number in 0..10_000_u64 {
        for region in ["us-east-1", "ap-southeast-2", "eu-central-1"] {
            let seen = Sighting::of(&key(&format!("{number:012}"), region, START)).expect("a delivery");
            assert!(all.get_mut(&seen.item()).expect("an item").see(&seen, CLOCK));
        }
    }
    let longest = all.values().map(|watched| watched.text().len()).max().expect("items");
    assert!(longest < 20_000, "{longest}");
}

#[test]
fn a_text_that_was_cut_or_altered_is_refused() {
    let text = watched(days(10)).text();
    assert_eq!(Watched::parse(&text).expect("its own text"), watched(days(10)));
    assert!(Watched::parse(&text[..text.len() - 1]).is_err());
    assert!(Watched::parse(&text.replace("us-east-1", "us-east-2")).is_err());
    assert!(Watched::parse("").is_err());
}

#[test]
fn the_time_of_a_check_is_rfc_3339() {
    assert_eq!(check_time("2026-11-01T00:00:00Z"), Some(START * HOUR));
    assert_eq!(check_time("<aws.scheduler.scheduled-time>"), None);
}

/// A plain model of the same: every hour in which the account was seen.
#[derive(Debug, Default)]
struct Model {
    hours: BTreeSet<i64>,
    reported: Option<i64>,
}

impl Model {
    fn check(&mut self, hour: i64, silence: i64) -> Option<String> {
        let last = *self.hours.last()?;
        let is_silent = hour > last + silence;
        let days: BTreeSet<_> = self.hours.iter().map(|hour| hour.div_euclid(DAY)).collect();
        let most = days.range(last.div_euclid(DAY) - 13..).count() >= 8;
        match self.reported {
            None if is_silent && most => Some(format!("DeliveriesStopped {last}")),
            Some(reported) if !is_silent && last > reported => Some(format!("DeliveriesResumed {reported}")),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    See(i64),
    /// A check, and whether what it found was published and noted, or the function was killed first.
    Check(i64, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let hour = START..START + 30 * DAY;
    prop_oneof![
        5 => hour.clone().prop_map(Step::See),
        1 => (hour, any::<bool>()).prop_map(|(hour, noted)| Step::Check(hour, noted)),
    ]
}

proptest! {
    #[test]
    fn checks_decide_as_a_plain_model_of_all_hours_does(
        steps in proptest::collection::vec(step(), 1..120),
        silence in 1_u32..100,
    ) {
        let (mut watched, mut model) = (Watched::default(), Model::default());
        for step in steps {
            match step {
                Step::See(hour) => {
                    watched.see(&seen(hour), CLOCK);
                    model.hours.insert(hour);
                }
                Step::Check(hour, noted) => {
                    let found = watched.check(hour * HOUR, silence);
                    let said = found.first().map(|news| {
                        let (_, document) = signal(news);
                        let text = |value: &Value| value.as_str().expect("a text").to_owned();
                        let event = text(&document["event"]["id"]);
                        let last = event.split('/').nth(1).expect("a time").to_owned();
                        let last = check_time(&last).expect("a time") / HOUR;
                        format!("{} {last}", text(&document["event"]["action"]))
                    });
                    prop_assert_eq!(&said, &model.check(hour, i64::from(silence)));
                    if noted && let Some(said) = said {
                        watched.published(&found[0]);
                        let (what, last) = said.split_once(' ').expect("two words");
                        model.reported = (what == "DeliveriesStopped").then(|| last.parse().expect("an hour"));
                    }
                }
            }
            watched = Watched::parse(&watched.text()).expect("its own text");
        }
    }

    #[test]
    fn deliveries_in_any_order_and_doubled_leave_the_same(
        hours in proptest::collection::vec(START..START + 30 * DAY, 1..60),
        seed in any::<u64>(),
    ) {
        let mut others = [hours.clone(), hours.clone()].concat();
        let mut state = seed | 1;
        for place in (1..others.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let other = usize::try_from(state >> 33).expect("31 bits") % (place + 1);
            others.swap(place, other);
        }
        prop_assert_eq!(watched(hours), watched(others));
    }

    #[test]
    fn no_text_and_no_key_makes_it_panic(text in ".{0,80}", key in "(AWSLogs/)?[0-9]{12}/CloudTrail/.{0,10}/[0-9]{12}_CloudTrail_.{0,40}") {
        let _ = Watched::parse(&text);
        let _ = Sighting::of(&Key::plain(key));
    }
}
