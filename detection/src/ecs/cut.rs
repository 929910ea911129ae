//! A JSON object cut into its members, and those of the objects in it.

use std::cell::OnceCell;
use std::ops::Range;

use serde_json::Value;

/// Members are listed down to this level: no field of the mapping names a deeper one.
pub(super) const LISTED_LEVELS: usize = 4;

/// The members of an object, by their places in its text. Members of a nested object follow the member that holds it.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) members: Vec<Member>,
    /// Whether every value can certainly be parsed: cutting does not limit levels or check for halves of surrogate
    /// pairs.
    pub(super) can_be_parsed: bool,
}

/// The members of one object, by their indices. Their own members come in between.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) first: usize,
    pub(super) behind: usize,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: Key,
    pub(super) place: Range<usize>,
    /// Its own members, if it is a listed object. The next member of the same object follows them.
    pub(super) inside: Span,
    /// The value, once it has been needed; nothing if it cannot be parsed.
    pub(super) value: OnceCell<Option<Box<Value>>>,
}

#[derive(Debug)]
pub(super) enum Key {
    At(Range<usize>),
    /// It has escapes.
    Written(Box<str>),
}

impl Cut {
    /// The members of the object itself.
    pub(super) fn all(&self) -> Span {
        Span { first: 0, behind: self.members.len() }
    }

    /// The member with this key among the members of an object. Of equal keys the last one counts.
    pub(super) fn find(&self, text: &str, among: Span, key: &str) -> Option<&Member> {
        let members = &self.members[..among.behind];
        let (mut index, mut found) = (among.first, None);
        while let Some(member) = members.get(index) {
            if member.key.is(text.as_bytes(), key.as_bytes()) {
                found = Some(member);
            }
            index = member.inside.behind;
        }
        found
    }
}

impl Key {
    fn is(&self, text: &[u8], key: &[u8]) -> bool {
        match self {
            Self::At(place) => {
                let own = &text[place.clone()];
                // Most keys differ in length, and others of the same length mostly at the ends.
                own.len() == key.len() && own.first() == key.first() && own.last() == key.last() && own == key
            }
            Self::Written(written) => written.as_bytes() == key,
        }
    }
}
