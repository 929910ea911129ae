//! Test cases of rules: records, and the number of signals that the rule beside them makes of them.
//!
//! `NAME.cases.jsonl` stands beside the rule file `NAME.toml` or `NAME.yml`. Each line is a case:
//!
//! ```json
//! {"case": "a function is created", "fires": true, "records": [{"eventName": "CreateFunction20150331"}]}
//! ```
//!
//! A case is judged by the rules of its own file alone, with the decoder and the detection that judge a delivery. A
//! rule on signals looks at the signals of all rules on records, including embedded rules if they are chosen.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use detection::detect::Ruleset;
use detection::memory::{self, Candidate, State, Time};
use detection::origin::Origin;
use detection::pipeline::{self, Pipeline};
use detection::query;
use detection::records::Decoder;
use detection::rule::{Reading, Source};
use detection::time::rfc3339;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::summary::{count, name};

const SUFFIX: &str = ".cases.jsonl";
const UNLIKE_A_CASE: &str =
    "expected {\"case\": \"…\", \"fires\": true, false or a number, \"records\": […]}";

/// The outcome of one file's cases, or what is missing if a rule has no such file.
pub struct Suite {
    /// The file with the cases, or else the one with the rule.
    pub file: String,
    /// The names of the rules.
    pub rules: String,
    /// What was judged, in the order of the file.
    pub verdicts: Vec<Verdict>,
}

/// The outcome of one case.
pub struct Verdict {
    pub case: String,
    /// Expected and found signals; `None` if there was nothing to judge.
    pub signals: Option<(Fires, u64)>,
    /// Why the case is wrong.
    pub wrong: Option<String>,
}

/// How many signals a case expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fires {
    AtLeastOnce,
    Times(u64),
}

/// A line of a file with cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'a> {
    #[serde(borrow, rename = "case")]
    name: Cow<'a, str>,
    #[serde(borrow)]
    fires: &'a RawValue,
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

/// Judges every file of cases by the rules beside it. `embedded` adds rules whose signals rules on signals look at.
/// With `strict`, a rule without a case that fires, or without one that does not, is wrong too.
pub fn judge(reading: &Reading, embedded: &[Source], files: &[PathBuf], strict: bool) -> Vec<Suite> {
    let mut suites: Vec<_> = files.iter().map(|file| suite(reading, embedded, file, strict)).collect();
    if strict {
        let has_cases = |rule: &Source| files.iter().any(|file| is_beside(file, &rule.file));
        suites.extend(reading.rules.iter().filter(|rule| !has_cases(rule)).map(|rule| Suite {
            file: rule.file.clone(),
            rules: rule.definition.name.clone(),
            verdicts: missing(&[]),
        }));
    }
    suites
}

fn suite(reading: &Reading, embedded: &[Source], path: &Path, strict: bool) -> Suite {
    let mut rules: Vec<_> =
        reading.rules.iter().filter(|rule| is_beside(path, &rule.file)).cloned().collect();
    let names: Vec<_> = rules.iter().map(|rule| rule.definition.name.as_str()).collect();
    let mut suite = Suite { file: name(path), rules: names.join(", "), verdicts: Vec::new() };
    let ids: Vec<_> = rules.iter().map(|rule| rule.definition.rule_id.clone()).collect();
    let is_own = |id: &str| ids.iter().any(|own| own == id);
    if rules.iter().any(|rule| rule.on_signals) {
        // They look at the signals of the others.
        let has_same_id = |rule: &Source| {
            let is_same = |other: &Source| other.definition.rule_id == rule.definition.rule_id;
            reading.rules.iter().any(is_same)
        };
        let others = reading.rules.iter().filter(|rule| !is_own(&rule.definition.rule_id));
        let others = others.chain(embedded.iter().filter(|rule| !has_same_id(rule)));
        rules.extend(others.filter(|rule| !rule.on_signals).cloned());
    }
    let problem = match (ruleset(rules), fs::read_to_string(path)) {
        (Ok(rules), Ok(text)) => {
            let text = text.trim_start_matches('\u{feff}');
            let judge = |(start, line)| verdict(&rules, &is_own, &suite.file, text, start, line);
            suite.verdicts = lines(text).map(judge).collect();
            if strict {
                suite.verdicts.extend(missing(&suite.verdicts));
            }
            return suite;
        }
        (_, Err(error)) => error.to_string(),
        (Err(reason), _) => match reading.not_run.iter().find(|error| is_beside(path, &error.file)) {
            Some(error) => format!("the rule is not run: {}", error.error.reason),
            None => reason,
        },
    };
    suite.verdicts.push(Verdict { case: "the file".to_owned(), signals: None, wrong: Some(problem) });
    suite
}

fn ruleset(rules: Vec<Source>) -> Result<Ruleset, String> {
    if rules.is_empty() {
        return Err("no rule (NAME.toml, NAME.yml or NAME.yaml) beside it".to_owned());
    }
    Ruleset::new(rules).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// Whether a file of cases and a file of rules have the same name apart from their extensions.
fn is_beside(cases: &Path, rule: &str) -> bool {
    cases.display().to_string().strip_suffix(SUFFIX).is_some_and(|name| {
        Path::new(rule).extension().is_some() && Path::new(rule).with_extension("") == Path::new(name)
    })
}

/// Every non-blank line, with its position in the text.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        start += line.len();
        (start - line.len(), line.trim_end())
    });
    lines.filter(|(_, line)| !line.is_empty())
}

fn verdict(
    rules: &Ruleset,
    is_own: &dyn Fn(&str) -> bool,
    file: &str,
    text: &str,
    start: usize,
    line: &str,
) -> Verdict {
    let mistake = |place: usize, reason: String| {
        let error = query::Error::new(text, start + place, reason);
        let case = format!("line {}", error.line);
        Verdict { case, signals: None, wrong: Some(format!("{file}:{error}")) }
    };
    let case: Case = match serde_json::from_str(line) {
        Ok(case) => case,
        Err(error) => {
            // The message ends with its own position, counted from the start of the line.
            let reason = error.to_string();
            let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
            let place = line.floor_char_boundary(error.column().saturating_sub(1));
            return mistake(place, format!("{reason}; {UNLIKE_A_CASE}"));
        }
    };
    let place = |part: &RawValue| part.get().as_ptr().addr() - line.as_ptr().addr();
    let Some(fires) = Fires::of(case.fires.get()) else {
        return mistake(place(case.fires), "fires must be true, false or a whole number".to_owned());
    };
    if case.records.is_empty() {
        return mistake(0, "a case needs at least one record".to_owned());
    }
    let (found, rejected) = signals(rules, is_own, &case.records);
    let wrong = rejected.or_else(|| {
        (!fires.agrees(found)).then(|| format!("expected {fires}, found {}", count(found, "signal")))
    });
    Verdict { case: case.name.into_owned(), signals: Some((fires, found)), wrong }
}

/// The number of signals, and the first reason why a record cannot be judged.
fn signals(rules: &Ruleset, is_own: &dyn Fn(&str) -> bool, records: &[&RawValue]) -> (u64, Option<String>) {
    let records: Vec<_> = records.iter().map(|record| record.get()).collect();
    let delivery = format!("[{}]", records.join(","));
    let (origin, now) = (Origin::File("case".to_owned()), rfc3339(SystemTime::now()));
    let mut pipeline = Pipeline::new(rules, &origin, &now);
    let (mut decoder, mut bytes) = (Decoder::new(), delivery.as_bytes());
    let outcome = loop {
        match decoder.step(&mut bytes, &mut |position, record| pipeline.process(position, record)) {
            Ok(true) => {}
            Ok(false) => break decoder.finish(),
            Err(error) => break Err(error),
        }
    };
    let rejection =
        pipeline.rejections.first().map(|(position, reason)| format!("record {position}: {reason}"));
    let found = pipeline.found.iter().filter(|signal| is_own(&signal.rule)).count() as u64;
    let found = found + remembered(rules, pipeline.candidates, &origin, &now, is_own);
    (found, outcome.err().map(|error| error.to_string()).or(rejection))
}

/// The number of signals of rules that remember, and of rules on those.
fn remembered(
    rules: &Ruleset,
    candidates: Vec<Candidate>,
    origin: &Origin,
    now: &str,
    is_own: &dyn Fn(&str) -> bool,
) -> u64 {
    let (mut above, mut waiting): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|one| rules.rules()[one.rule].on_signals);
    let mut states = HashMap::new();
    let mut signals = 0;
    // First on records, then on signals.
    for _ in 0..2 {
        waiting.sort_by(|a, b| (a.event.time, &a.event.id).cmp(&(b.event.time, &b.event.id)));
        for one in std::mem::take(&mut waiting) {
            let rule = &rules.rules()[one.rule];
            let Some(memory) = &rule.memory else { continue };
            let state = states.entry(one.key(rules)).or_insert_with(|| State::new(memory));
            let (verdict, _) = state.decide(memory, &one.event, Time::MIN);
            if verdict == memory::Verdict::Known {
                continue;
            }
            signals += u64::from(is_own(&rule.definition.rule_id));
            if !rule.on_signals {
                let mut signal = memory::signal(rules, &one, &verdict, origin, now);
                let more = pipeline::above(rules, &mut signal, now);
                signals += more.found.iter().filter(|signal| is_own(&signal.rule)).count() as u64;
                above.extend(more.candidates);
            }
        }
        waiting = std::mem::take(&mut above);
    }
    signals
}

/// What the cases of a rule do not show.
fn missing(verdicts: &[Verdict]) -> Vec<Verdict> {
    let expected: Vec<_> =
        verdicts.iter().filter_map(|verdict| verdict.signals).map(|(fires, _)| fires).collect();
    let wrong = |case: &str, reason: &str| Verdict {
        case: case.to_owned(),
        signals: None,
        wrong: Some(reason.to_owned()),
    };
    let mut missing = Vec::new();
    if expected.iter().all(|fires| *fires == Fires::Times(0)) {
        missing.push(wrong("a case that fires", "there is none"));
    }
    if !expected.contains(&Fires::Times(0)) {
        missing.push(wrong("a case that does not fire", "there is none"));
    }
    missing
}

impl Fires {
    fn of(json: &str) -> Option<Self> {
        match json {
            "true" => Some(Self::AtLeastOnce),
            "false" => Some(Self::Times(0)),
            number => number.parse().ok().map(Self::Times),
        }
    }

    fn agrees(self, found: u64) -> bool {
        match self {
            Self::AtLeastOnce => found > 0,
            Self::Times(times) => found == times,
        }
    }
}

impl std::fmt::Display for Fires {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeastOnce => f.write_str("a signal at least"),
            Self::Times(0) => f.write_str("no signal"),
            Self::Times(times) => f.write_str(&count(*times, "signal")),
        }
    }
}
