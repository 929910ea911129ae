//! What a signal is made of.

use super::{MAX_BYTES, Signal, SignalId, attributes, body, day, is_group, words};
use crate::ecs::Document;
use crate::memory::{Reached, Terms};
use crate::notice::{Accounts, Principal};
use crate::origin::Origin;
use crate::rule::{Cardinality, Definition};

/// A match of a rule, with everything that its signal reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finding<'a> {
    pub(crate) definition: &'a Definition,
    /// The fields of the event, or those that the events of a group share.
    pub(crate) document: &'a Document,
    /// The text of the record; none for a group.
    pub(crate) record: Option<&'a [u8]>,
    pub(crate) origin: &'a Origin,
    /// The time as RFC 3339.
    pub(crate) now: &'a str,
    /// Account names, for display.
    pub(crate) accounts: &'a Accounts,
    pub(crate) detail: Detail<'a>,
}

/// What a rule that remembers adds to a signal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Detail<'a> {
    None,
    NewTerms(&'a Terms),
    Group(Group<'a>),
    /// A signal that no call caused has its own message.
    Sentence(&'a str),
}

/// A group of events that is big enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group<'a> {
    pub(crate) fields: &'a [String],
    pub(crate) terms: &'a Terms,
    pub(crate) cardinality: &'a [Cardinality],
    /// The window in seconds.
    pub(crate) window: u64,
    pub(crate) reached: &'a Reached,
    /// Whether its events are signals.
    pub(crate) of_signals: bool,
}

impl Finding<'_> {
    pub(crate) fn signal(&self) -> Signal {
        let Self { definition, document, accounts, .. } = *self;
        let id = self.id();
        let group = document.text("aws.cloudtrail.recipient_account_id").filter(|id| is_group(id));
        let mut signal = Signal {
            id,
            rule: definition.rule_id.clone(),
            message: String::new(),
            uncut: None,
            subject: words::subject(definition, |field| document.text(field), accounts),
            attributes: attributes(definition, |field| document.text(field), id),
            principal: Principal::of(|field| document.text(field), || self.terms()),
            caller_account: document.text("cloud.account.id").map(str::to_owned),
            group: group.unwrap_or("unknown").to_owned(),
            date: day(document),
            time: document.text("@timestamp").map(str::to_owned),
        };
        let limit = MAX_BYTES.saturating_sub(signal.bytes());
        (signal.message, signal.uncut) = body::Body::new(self, id).fit(limit);
        signal
    }

    /// The fields of a group and their values.
    fn terms(&self) -> Vec<(String, String)> {
        let Detail::Group(Group { fields, terms, .. }) = self.detail else { return Vec::new() };
        let values = terms.values().into_iter().map(Option::unwrap_or_default);
        fields.iter().cloned().zip(values).collect()
    }

    fn id(&self) -> SignalId {
        let rule_id = &self.definition.rule_id;
        let record = self.record.unwrap_or_default();
        match self.detail {
            Detail::None | Detail::Sentence(_) => SignalId::new(rule_id, self.document, record),
            Detail::NewTerms(terms) => {
                SignalId::with_terms(rule_id, self.document, record, Some(terms.json()))
            }
            Detail::Group(Group { terms, reached, .. }) => {
                SignalId::of(&[rule_id, terms.json(), &reached.id])
            }
        }
    }
}
