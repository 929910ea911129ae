//! What a rule remembers about earlier events.

use serde::{Deserialize, Serialize};

/// The part of a rule that no single event can decide. Fields are fields of the alert document; windows are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// Signals for values that did not occur in the window before.
    NewTerms {
        /// One to three fields, whose values are looked at together.
        fields: Vec<String>,
        /// How long values are remembered after they occur.
        window: u64,
    },
    /// Signals when enough events of a group occur within the window.
    Threshold {
        /// One to three fields: events with the same values form a group.
        fields: Vec<String>,
        /// How many events it takes, 1 to 1,000.
        value: u32,
        /// How many different values other fields must have among those events; at most three fields.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cardinality: Vec<Cardinality>,
        /// How far apart the events may be.
        window: u64,
    },
    /// Signals for the first event of a group, and holds back those that follow within the window.
    Suppression {
        /// One to three fields: events with the same values form a group.
        fields: Vec<String>,
        /// How long the events after the first are held back.
        window: u64,
        /// What happens to an event without one of the fields.
        missing_fields: MissingFields,
    },
}

/// How many different values a field must have among the events of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cardinality {
    /// The field.
    pub field: String,
    /// The number of values, 1 to 1,000.
    pub value: u32,
}

/// What suppression does with an event that lacks a field of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MissingFields {
    /// A missing field counts as a value of its own.
    Suppress,
    /// The event is never held back.
    DoNotSuppress,
}

impl Memory {
    /// The fields whose values are remembered together.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        let (Self::NewTerms { fields, .. }
        | Self::Threshold { fields, .. }
        | Self::Suppression { fields, .. }) = self;
        fields
    }

    /// The window in seconds.
    #[must_use]
    pub fn window(&self) -> u64 {
        let (Self::NewTerms { window, .. }
        | Self::Threshold { window, .. }
        | Self::Suppression { window, .. }) = self;
        *window
    }

    /// Returns whether the rule makes no sense without it. Suppression only holds signals back.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        !matches!(self, Self::Suppression { .. })
    }

    /// The fields whose values are counted.
    #[must_use]
    pub fn cardinality(&self) -> &[Cardinality] {
        match self {
            Self::Threshold { cardinality, .. } => cardinality,
            Self::NewTerms { .. } | Self::Suppression { .. } => &[],
        }
    }
}
