//! Where the call came from, and how it was secured.

use std::net::{IpAddr, Ipv6Addr};

use serde_json::Value;

use super::leaves::text_of;
use super::mapping::Mapping;
use super::set::Set;

/// Where instance ids appear in `requestParameters` and `responseElements`.
const INSTANCES: [&str; 8] = [
    "requestParameters.instanceId",
    "requestParameters.instanceIds",
    "requestParameters.target",
    "requestParameters.resourceId",
    "responseElements.instanceId",
    "responseElements.instanceIds",
    "responseElements.target",
    "responseElements.resourceId",
];
const INSTANCE_SETS: [&str; 2] =
    ["requestParameters.instancesSet.items", "responseElements.instancesSet.items"];
/// The minimum length of an instance id: shorter texts only look like one.
const MIN_INSTANCE_CHARACTERS: usize = 10;

pub(super) fn source_ip<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    mapping.text("sourceIPAddress").filter(|text| is_ip(text))
}

pub(super) fn addresses(mapping: &Mapping<'_>) -> Option<Value> {
    let mut addresses = Set::default();
    addresses.extend(source_ip(mapping));
    addresses.extend(mapping.text("serviceEventDetails.sourceIpAddress").filter(|text| is_ip(text)));
    addresses.into_value()
}

pub(super) fn hosts(mapping: &Mapping<'_>) -> Option<Value> {
    let is_foreign = |host: &&str| !host.ends_with(".amazonaws.com");
    let mut hosts = Set::default();
    hosts.extend(server_name(mapping).filter(is_foreign));
    let address = mapping.text("sourceIPAddress");
    hosts.extend(address.filter(|text| is_host_name(text) && !is_ip(text)).filter(is_foreign));
    hosts.extend(mapping.text("requestParameters.computerName"));
    if let Some(resources) = mapping.at("resources") {
        each(resources, &mut |resource| {
            let arn = ["ARN", "arn"].into_iter().find_map(|key| text_of(resource.get(key)?));
            let instance = arn.and_then(|arn| arn.split_once(":instance/"));
            hosts.extend(instance.map(|(_, id)| id).filter(is_instance));
        });
    }
    for path in INSTANCES {
        if let Some(ids) = mapping.at(path) {
            each(ids, &mut |id| hosts.extend(text_of(id).filter(is_instance)));
        }
    }
    for path in INSTANCE_SETS {
        if let Some(items) = mapping.at(path) {
            each(items, &mut |item| {
                hosts.extend(item.get("instanceId").and_then(text_of).filter(is_instance));
            });
        }
    }
    hosts.into_value()
}

/// Looks at every item of an array, or at the value itself.
fn each<'a>(value: &'a Value, look: &mut dyn FnMut(&'a Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(look),
        value => look(value),
    }
}

fn is_instance(text: &&str) -> bool {
    text.starts_with("i-") && text.chars().count() >= MIN_INSTANCE_CHARACTERS
}

/// The field holds a service's name instead of an address if a service made the call. A zone may follow an IPv6 address.
fn is_ip(text: &str) -> bool {
    match text.split_once('%') {
        Some((address, zone)) => address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty(),
        None => text.parse::<IpAddr>().is_ok(),
    }
}

/// Labels of letters, digits and hyphens between dots.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.strip_suffix('.').unwrap_or(text).split('.').all(is_label)
}

/// A part of `tlsDetails`, unless it holds placeholders: some clients write the names of the keys as their values.
fn tls<'a>(mapping: &Mapping<'a>, path: &'static str) -> Option<&'a str> {
    let version = mapping.text("tlsDetails.tlsVersion");
    mapping.text(path).filter(|_| version != Some("tlsVersion"))
}

pub(super) fn cipher<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    tls(mapping, "tlsDetails.cipherSuite")
}

pub(super) fn key_exchange<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    tls(mapping, "tlsDetails.keyExchange")
}

pub(super) fn server_name<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    tls(mapping, "tlsDetails.clientProvidedHostHeader")
}

pub(super) fn tls_version<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    let version = tls(mapping, "tlsDetails.tlsVersion")?;
    let number = version.split_once('v').map_or(version, |(_, number)| number);
    (!number.is_empty()).then_some(number)
}

pub(super) fn tls_protocol(mapping: &Mapping<'_>) -> Option<Value> {
    let (protocol, _) = tls(mapping, "tlsDetails.tlsVersion")?.split_once('v')?;
    (!protocol.is_empty()).then(|| protocol.to_lowercase().into())
}
