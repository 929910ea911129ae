//! Turns the text of a value into a test of a field of some kind, or says why the field cannot have such a value.

use std::net::IpAddr;

use super::parse::Literal;
use crate::query::{Comparison, Decimal, Kind, Pattern, Test, evaluate::normal_time};

pub(super) fn equality(kind: Kind, value: &Literal) -> Result<Test, String> {
    if value.pieces.len() > 1 {
        return if value.pieces.iter().all(String::is_empty) {
            Ok(Test::Exists)
        } else if kind == Kind::Keyword {
            Ok(Test::Pattern(Pattern::new(value.pieces.clone())))
        } else {
            Err("wildcards work on keyword fields only; \"*\" alone asks whether the field exists".to_owned())
        };
    }
    let text = value.pieces[0].as_str();
    match (kind, text) {
        (_, "null") if !value.quoted => Ok(Test::Null),
        (Kind::Boolean, "true" | "false") => Ok(Test::Boolean(text == "true")),
        (Kind::Boolean, _) => Err("expected true or false: the field is a boolean".to_owned()),
        (Kind::Keyword, "true" | "false") if !value.quoted => Ok(Test::Boolean(text == "true")),
        (Kind::Keyword, _) => Ok(Test::Text(text.to_owned())),
        (Kind::Long, _) => number(text).map(Test::Number),
        (Kind::Ip, _) => network(text),
        (Kind::Date, _) => time(text).map(Test::Text),
    }
}

pub(super) fn range(kind: Kind, comparison: Comparison, bound: &Literal) -> Result<Test, String> {
    let [text] = bound.pieces.as_slice() else {
        return Err("a bound cannot have wildcards".to_owned());
    };
    match kind {
        Kind::Keyword => Ok(Test::TextRange(comparison, text.clone())),
        Kind::Date => time(text).map(|time| Test::TextRange(comparison, time)),
        Kind::Long => number(text).map(|number| Test::NumberRange(comparison, number)),
        Kind::Ip => text
            .parse()
            .map(|address| Test::AddressRange(comparison, address))
            .map_err(|_| "expected an IP address".to_owned()),
        Kind::Boolean => Err("a boolean has no order".to_owned()),
    }
}

fn number(text: &str) -> Result<Decimal, String> {
    Decimal::parse(text).ok_or_else(|| "expected a number: the field is numeric".to_owned())
}

pub(in crate::query) fn time(text: &str) -> Result<String, String> {
    match normal_time(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected a time such as \"2026-11-23T10:05:00Z\": date arithmetic and partial dates mean nothing without an index".to_owned()),
    }
}

pub(in crate::query) fn network(text: &str) -> Result<Test, String> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (text, Some(u8::MAX)),
    };
    let block = address.parse::<IpAddr>().ok().zip(length).and_then(|(address, length)| {
        let full = if address.is_ipv4() { 32 } else { 128 };
        let length = if text.contains('/') { length } else { full };
        (length <= full).then_some(Test::Network(address, length))
    });
    block.ok_or_else(|| "expected an IP address or a CIDR block such as \"192.0.2.0/24\"".to_owned())
}
