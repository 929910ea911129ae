//! The text of a group: `<time of the latest>|<places>|<alerts>|<events>`. The time of an event is the difference from
//! the one before.

use super::{Alert, Kept, MAX_WHOLE, Rule, Threshold, VALUE_LETTERS, max_kept};
use crate::memory::text::{self, Error, Id, letters, number};
use crate::memory::{PLACE, Place, Time};

/// A longer text is thinned: `DynamoDB` charges for an item by the kilobyte.
const MAX_BYTES: usize = 60_000;

impl Threshold {
    pub(in crate::memory) fn text(&self, rule: &Rule<'_>) -> String {
        let mut state = self.clone();
        if state.events.len() > max_kept(rule) {
            state.prune(rule);
        }
        let text = state.printed();
        if text.len() <= MAX_BYTES {
            return text;
        }
        state.thin(rule);
        state.printed()
    }

    fn printed(&self) -> String {
        let mut state = self.clone();
        let whole = state.events.len().saturating_sub(MAX_WHOLE);
        state.events[..whole].iter_mut().for_each(|event| event.id = event.id.shortened());
        let mut places: Vec<Place> = Vec::new();
        let mut before = 0;
        let events: Vec<_> = state
            .events
            .iter()
            .map(|kept| {
                let place = places.iter().position(|place| *place == kept.place).unwrap_or_else(|| {
                    places.push(kept.place);
                    places.len() - 1
                });
                let values = kept
                    .counted
                    .iter()
                    .map(|values| values.iter().map(|value| letters(*value, VALUE_LETTERS)).collect());
                let values: Vec<String> = values.collect();
                let delta = kept.time.wrapping_sub(before);
                before = kept.time;
                format!("{delta},{},{place},{}", kept.id.text(), values.join(","))
            })
            .collect();
        let places: Vec<String> = places
            .iter()
            .map(|place| place.map(|hash| hash.map_or(String::new(), |hash| format!("{hash:x}"))).join(","))
            .collect();
        let alerts: Vec<_> = state.alerts.iter().map(Alert::text).collect();
        let content =
            [state.latest.to_string(), places.join(";"), alerts.join(";"), events.join(";")].join("|");
        text::sealed(text::THRESHOLD, &content)
    }

    pub(in crate::memory) fn parse(text: &str, fields: usize) -> Result<Self, Error> {
        Self::read(text::content(text, text::THRESHOLD)?, fields).ok_or(Error::Damaged)
    }

    fn read(content: &str, fields: usize) -> Option<Self> {
        let [latest, places, alerts, events] = parts(content, '|')?;
        let places: Vec<Place> = items(places).map(place).collect::<Option<_>>()?;
        let alerts = items(alerts).map(Alert::parse).collect::<Option<_>>()?;
        let mut before: Time = 0;
        let events = items(events).map(|event| {
            let mut parts = event.splitn(4, ',');
            before = before.wrapping_add(parts.next()?.parse().ok()?);
            let id = Id::parse(parts.next()?)?;
            let place = *places.get(parts.next()?.parse::<usize>().ok()?)?;
            let values = parts.next()?.split(',').take(fields).map(|values| {
                let values = values.as_bytes().chunks(VALUE_LETTERS);
                values.map(|value| number(std::str::from_utf8(value).ok()?)).collect::<Option<_>>()
            });
            Some(Kept { time: before, id, place, counted: values.collect::<Option<_>>()? })
        });
        let events = events.collect::<Option<Vec<_>>>()?;
        let mut state = Self { alerts, events, distinct: Vec::new(), latest: latest.parse().ok()? };
        state.recount();
        Some(state)
    }
}

impl Alert {
    fn text(&self) -> String {
        let (shown_at, shown_by) = match &self.shown_by {
            Some((time, id)) => (time.to_string(), id.text()),
            None => (String::new(), String::new()),
        };
        let flags: String = [self.is_learned]
            .into_iter()
            .chain(self.agreed)
            .map(|flag| if flag { '1' } else { '0' })
            .collect();
        let numbers: Vec<_> = self.cardinality.iter().map(ToString::to_string).collect();
        let ancestors: Vec<_> = self.ancestors.iter().map(Id::text).collect();
        [
            self.time.to_string(),
            self.id.text(),
            shown_at,
            shown_by,
            flags,
            self.count.to_string(),
            numbers.join("/"),
            ancestors.join("/"),
        ]
        .join(",")
    }

    fn parse(text: &str) -> Option<Self> {
        let [time, id, shown_at, shown_by, flags, count, numbers, ancestors] = parts(text, ',')?;
        let shown_by =
            if shown_at.is_empty() { None } else { Some((shown_at.parse().ok()?, Id::parse(shown_by)?)) };
        let flags: Vec<bool> = flags.chars().map(|flag| flag == '1').collect();
        let [is_learned, agreed @ ..] = <[bool; PLACE.len() + 1]>::try_from(flags).ok()?;
        let slashed = |text: &'_ str| {
            text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        Some(Self {
            time: time.parse().ok()?,
            id: Id::parse(id)?,
            shown_by,
            is_learned,
            count: count.parse().ok()?,
            cardinality: slashed(numbers).iter().map(|number| number.parse().ok()).collect::<Option<_>>()?,
            agreed,
            ancestors: slashed(ancestors).iter().map(|id| Id::parse(id)).collect::<Option<_>>()?,
        })
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').filter(|item| !item.is_empty())
}

fn parts<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    text.split(separator).collect::<Vec<_>>().try_into().ok()
}

fn place(text: &str) -> Option<Place> {
    let parts: [&str; PLACE.len()] = parts(text, ',')?;
    let mut place = Place::default();
    for (hash, part) in place.iter_mut().zip(parts) {
        if !part.is_empty() {
            *hash = Some(u32::from_str_radix(part, 16).ok()?);
        }
    }
    Some(place)
}
