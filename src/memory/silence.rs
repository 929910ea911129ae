//! When each account and region was last seen, in the table.
//!
//! They are divided among a fixed number of items, so that a check finds all of them by their keys: the table is never
//! scanned. What a warm function knows of an item decides whether a delivery needs a request at all.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::SystemTime;

use aws_sdk_dynamodb::Client;
use detection::memory::Time;
use detection::silence::{News, Sighting, Watched, items};
use tokio::time::Instant;

use super::milliseconds;
use super::table::{Item, Table, Write};
use super::update::{Base, Update, Updated};
use crate::failure::Failure;
use crate::invocation::report::Report;
use crate::settings::MemoryTable;

/// The watch for accounts whose deliveries stop.
#[derive(Debug)]
pub(crate) struct Silence {
    table: Table,
    /// `ACCOUNT_SILENCE_HOURS`
    hours: u32,
    /// The items as this process read or wrote them last, each with its version.
    known: RefCell<HashMap<String, (Watched, Option<u64>)>>,
}

impl Silence {
    pub(crate) fn new(client: Client, table: &MemoryTable, hours: u32) -> Self {
        Self { table: Table::new(client, table), hours, known: RefCell::default() }
    }

    /// Notes deliveries that were read to their end. If that is not possible, their messages fail.
    pub(crate) async fn note(&self, seen: &[(Sighting, Rc<Report>)], deadline: Instant) {
        let now = milliseconds(SystemTime::now());
        let mut groups: BTreeMap<String, Vec<&(Sighting, Rc<Report>)>> = BTreeMap::new();
        for sighting in seen {
            groups.entry(sighting.0.item()).or_default().push(sighting);
        }
        groups.retain(|key, seen| {
            let known = self.known.borrow();
            known.get(key).is_none_or(|(watched, _)| {
                let mut watched = watched.clone();
                seen.iter().any(|(sighting, _)| watched.see(sighting, now))
            })
        });
        let see = |key: &str, watched: &mut Watched| {
            groups[key].iter().fold(false, |changes, (sighting, _)| watched.see(sighting, now) | changes)
        };
        let failures = self.change(groups.keys().cloned().collect(), &see, now, deadline).await;
        for (key, failure) in failures {
            let mut told: Vec<&Rc<Report>> = Vec::new();
            for (_, report) in &groups[&key] {
                if !told.iter().any(|other| Rc::ptr_eq(other, report)) {
                    told.push(report);
                    let reason = format!("the delivery cannot be noted as seen: {failure}");
                    report.fail(Failure { reason, ..failure.clone() });
                }
            }
        }
    }

    /// What a check at this time finds.
    pub(crate) async fn check(&self, time: Time, deadline: Instant) -> Result<Vec<News>, Failure> {
        let updates = items().map(|key| Update {
            key,
            base: Base::Unread,
            decide: Box::new(|text| Ok((parse(text)?.check(time, self.hours), None))),
        });
        let mut found = Vec::new();
        for (_, result) in self.table.update(updates.collect(), deadline).await {
            found.extend(result?.outcome);
        }
        found.sort();
        Ok(found)
    }

    /// Notes that these were published.
    pub(crate) async fn published(&self, news: &[News], deadline: Instant) -> Result<(), Failure> {
        let now = milliseconds(SystemTime::now());
        let mut groups: BTreeMap<String, Vec<&News>> = BTreeMap::new();
        for news in news {
            groups.entry(news.item()).or_default().push(news);
        }
        let mark = |key: &str, watched: &mut Watched| {
            groups[key].iter().fold(false, |changes, news| watched.published(news) | changes)
        };
        let failures = self.change(groups.keys().cloned().collect(), &mark, now, deadline).await;
        failures.into_iter().next().map_or(Ok(()), |(_, failure)| Err(failure))
    }

    /// Changes items, and returns the failures by key.
    async fn change(
        &self,
        keys: Vec<String>,
        change: &dyn Fn(&str, &mut Watched) -> bool,
        now: Time,
        deadline: Instant,
    ) -> Vec<(String, Failure)> {
        let updates = keys.into_iter().map(|key| {
            let known = self.known.borrow();
            let base = known.get(&key).and_then(|(watched, version)| Some((watched, (*version)?)));
            let base = base.map_or(Base::Unread, |(watched, version)| {
                Base::Read(Some(Item { state: watched.text(), version }))
            });
            let name = key.clone();
            let decide = Box::new(move |text: Option<&str>| {
                let mut watched = parse(text)?;
                let write = change(&name, &mut watched)
                    .then(|| Write { state: watched.text(), expires: Some(watched.expires(now)) });
                Ok((watched, write))
            });
            Update { key, base, decide }
        });
        let updates = updates.collect();
        let mut failures = Vec::new();
        for (key, result) in self.table.update(updates, deadline).await {
            match result {
                Ok(Updated { outcome, version }) => {
                    self.known.borrow_mut().insert(key, (outcome, version));
                }
                Err(failure) => {
                    // Another process may have written it.
                    self.known.borrow_mut().remove(&key);
                    failures.push((key, failure));
                }
            }
        }
        failures
    }
}

fn parse(text: Option<&str>) -> Result<Watched, String> {
    text.map_or(Ok(Watched::default()), |text| Watched::parse(text).map_err(|error| error.to_string()))
}
