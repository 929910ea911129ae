use std::cmp::Ordering;
use std::net::IpAddr;

use super::glob::folded;
use super::{Comparison, Decimal, Kind, Node, Relation, Subject, Test};

/// One value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// A string.
    Text(&'a str),
    /// `true` or `false`.
    Boolean(bool),
    /// A number, as text: this is how Elasticsearch keeps it in a keyword, and no digit is lost.
    Number(&'a str),
}

/// Something that has fields.
pub trait Fields {
    /// Returns whether some value of the field passes `test`; `None` if the field's values are not known here.
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool>;

    /// The same for the values at a path in the raw record or, without a path, for every value in it.
    fn any_in_record(&self, _path: Option<&str>, _test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        None
    }
}

impl Subject {
    fn any(&self, fields: &impl Fields, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        match self {
            Self::Field(name) => fields.any(name, test),
            Self::Record(path) => fields.any_in_record(Some(path), test),
            Self::Anywhere => fields.any_in_record(None, test),
        }
    }
}

impl Node {
    pub(super) fn evaluate(&self, fields: &impl Fields) -> Option<bool> {
        match self {
            Self::And(nodes) => decide(nodes, fields, false),
            Self::Or(nodes) => decide(nodes, fields, true),
            Self::Not(node) => node.evaluate(fields).map(|holds| !holds),
            Self::Field { subject, kind, test } => {
                subject.any(fields, &mut |value| test.passes(*kind, value))
            }
            Self::Fields { one, relation, other, any_case } => {
                let mut is_unknown = false;
                let found = one.any(fields, &mut |one| {
                    let found = other
                        .any(fields, &mut |other| relation.holds(one.as_text(), other.as_text(), *any_case));
                    is_unknown |= found.is_none();
                    found == Some(true)
                });
                if is_unknown && found == Some(false) { None } else { found }
            }
        }
    }
}

/// One node with the value `decisive` decides the result; otherwise a single unknown node leaves it unknown.
pub(super) fn decide<'n>(
    nodes: impl IntoIterator<Item = &'n Node>,
    fields: &impl Fields,
    decisive: bool,
) -> Option<bool> {
    let mut result = Some(!decisive);
    for node in nodes {
        match node.evaluate(fields) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

impl Test {
    pub(super) fn passes(&self, kind: Kind, value: Scalar<'_>) -> bool {
        match self {
            Self::Exists => true,
            Self::Null => false,
            Self::Text(text) if kind == Kind::Date => {
                value.as_time().is_some_and(|time| Some(time) == normal_time(text))
            }
            Self::Text(text) => value.as_text() == text,
            Self::Pattern(pattern) => pattern.matches(value.as_text()),
            Self::Glob(glob) => glob.matches(value.as_text()),
            Self::Regex(regex) => regex.matches(value.as_text()),
            Self::Boolean(wanted) => match value {
                Scalar::Boolean(value) => value == *wanted,
                other => other.as_text() == if *wanted { "true" } else { "false" },
            },
            Self::Number(wanted) => value.as_number().is_some_and(|number| number == *wanted),
            Self::Network(network, length) => {
                // Only Elasticsearch treats every IPv4 address as an IPv6 address too.
                let is_of_family =
                    |address: &IpAddr| kind == Kind::Ip || address.is_ipv4() == network.is_ipv4();
                value
                    .as_address()
                    .filter(is_of_family)
                    .is_some_and(|address| in_network(address, *network, *length))
            }
            Self::TextRange(comparison, bound) if kind == Kind::Date => value
                .as_time()
                .zip(normal_time(bound))
                .is_some_and(|(time, bound)| comparison.holds(time.cmp(&bound))),
            Self::TextRange(comparison, bound) => comparison.holds(value.as_text().cmp(bound)),
            Self::NumberRange(comparison, bound) => {
                value.as_number().is_some_and(|number| comparison.holds(number.cmp(bound)))
            }
            Self::AddressRange(comparison, bound) => {
                value.as_address().is_some_and(|address| comparison.holds(as_v6(address).cmp(&as_v6(*bound))))
            }
            Self::Length(wanted) => value.length() == *wanted,
            Self::LengthRange(comparison, bound) => comparison.holds(value.length().cmp(bound)),
        }
    }
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Relation {
    fn holds(self, one: &str, other: &str, any_case: bool) -> bool {
        if any_case {
            return self.holds(&folded(one), &folded(other), false);
        }
        match self {
            Self::Equals => one == other,
            Self::StartsWith => one.starts_with(other),
            Self::EndsWith => one.ends_with(other),
            Self::Contains => one.contains(other),
        }
    }
}

impl<'a> Scalar<'a> {
    fn as_text(self) -> &'a str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
        }
    }

    /// The number, compared by its digits: a float would treat adjacent integers above 2^53 as equal.
    fn as_number(self) -> Option<Decimal> {
        Decimal::parse(self.as_text())
    }

    /// As Java counts it.
    fn length(self) -> Decimal {
        self.as_text().encode_utf16().count().into()
    }

    fn as_address(self) -> Option<IpAddr> {
        // The zone that may follow an IPv6 address plays no part in comparisons.
        let (address, _) = self.as_text().split_once('%').unwrap_or((self.as_text(), ""));
        address.parse().ok()
    }

    fn as_time(self) -> Option<String> {
        normal_time(self.as_text())
    }
}

/// Elasticsearch keeps every address as IPv6 and orders addresses that way.
pub(super) fn as_v6(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn in_network(address: IpAddr, network: IpAddr, length: u8) -> bool {
    // A block of IPv4 addresses is a block of IPv6 addresses with 96 more bits in front.
    let length = u32::from(length) + if network.is_ipv4() { 96 } else { 0 };
    let ignored = 128_u32.saturating_sub(length);
    let block = |address| as_v6(address).checked_shr(ignored).unwrap_or(0);
    block(address) == block(network)
}

/// `2026-11-23T10:05:00Z`, with or without a fraction, in a form whose byte order is the order of time.
pub(super) fn normal_time(text: &str) -> Option<String> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let digits = text.strip_suffix('Z')?;
    let (seconds, fraction) = match digits.split_once('.') {
        Some((seconds, fraction)) => (seconds, fraction),
        None => (digits, "0"),
    };
    let fits = seconds.len() == SHAPE.len()
        && seconds.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            shape => byte == *shape,
        })
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| format!("{seconds}.{fraction:0<9}"))
}
