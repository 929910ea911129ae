//! The contract in a few plain lines.

use std::collections::{BTreeSet, HashSet};

use detection::memory::{Event, Time};

/// The identifiers under which events signal, the events being taken in the order given.
pub fn new_terms(window: i64, learn_before: Time, events: &[Event]) -> Vec<Option<String>> {
    let (mut last, mut claims) = (None, HashSet::new());
    let verdict = |event: &Event| {
        let is_new = last.is_none_or(|last: Time| last < event.time - window);
        last = last.max(Some(event.time));
        if event.time < learn_before {
            return None;
        }
        let claim = (event.time, event.id.clone());
        (claims.contains(&claim) || is_new && claims.insert(claim)).then(|| event.id.to_string())
    };
    events.iter().map(verdict).collect()
}

pub fn suppression(window: i64, events: &[Event]) -> Vec<Option<String>> {
    let mut openers: Vec<(Time, Box<str>)> = Vec::new();
    let verdict = |event: &Event| {
        let opener = (event.time, event.id.clone());
        let opens = || openers.iter().all(|(time, _)| event.time < *time || event.time >= time + window);
        if !openers.contains(&opener) {
            if !opens() {
                return None;
            }
            openers.push(opener);
        }
        Some(event.id.to_string())
    };
    events.iter().map(verdict).collect()
}

/// What a group remembers in the model: every event, forever.
#[derive(Default)]
pub struct Group {
    events: BTreeSet<(Time, Box<str>, Vec<u64>)>,
    alerts: Vec<(Time, Box<str>, Box<str>)>,
}

impl Group {
    pub fn decide(&mut self, window: i64, value: usize, distinct: &[usize], event: &Event) -> Option<String> {
        let is_of =
            |(_, by, shown_by): &&(Time, Box<str>, Box<str>)| *by == event.id || *shown_by == event.id;
        if let Some((_, id, _)) = self.alerts.iter().find(is_of) {
            return Some(id.to_string());
        }
        let is_spent = |alerts: &[(Time, Box<str>, Box<str>)], time: Time| {
            alerts.iter().any(|(at, ..)| at - window < time && time < at + window)
        };
        let values = event.counted.iter().map(|values| values[0]).collect();
        if is_spent(&self.alerts, event.time) || !self.events.insert((event.time, event.id.clone(), values)) {
            return None;
        }
        let alerts = &self.alerts;
        let open: Vec<_> = self.events.iter().filter(|(time, ..)| !is_spent(alerts, *time)).collect();
        let completing = open.iter().enumerate().find(|(place, (time, id, _))| {
            let in_window: Vec<_> =
                open[..=*place].iter().filter(|(other, ..)| *other > time - window).collect();
            let is_rich = distinct.iter().enumerate().all(|(field, wanted)| {
                in_window.iter().map(|(_, _, values)| values[field]).collect::<HashSet<_>>().len() >= *wanted
            });
            let is_judged = (*time, id) >= (event.time, &event.id) && *time < event.time + window;
            is_judged && in_window.len() >= value && is_rich
        });
        let (_, (time, id, _)) = completing?;
        self.alerts.push((*time, id.clone(), event.id.clone()));
        Some(id.to_string())
    }
}
