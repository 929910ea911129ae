//! A CloudTrail record as an Elastic Common Schema document, the way Elastic's AWS integration maps it.
//!
//! [`crate::detect::Head`] answers for the few fields that decide most records, [`Verbatim`] for those that a record gives as they are;
//! [`Document`] is the whole mapping. All answer queries through [`crate::query::Fields`], and agree.

pub(crate) mod fields;
mod identity;
mod java;
mod raw;
mod verbatim;

pub use fields::{FIELDS, field};
pub use raw::Raw;
pub use verbatim::Verbatim;

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::nested::{Field, Nested};
use crate::query::{Fields, Scalar};

/// The dataset of every document.
pub const DATASET: &str = "aws.cloudtrail";
const SOURCE_IP: &str = "source.ip";
pub(crate) const CONSOLE_LOGIN: &str = "ConsoleLogin";
pub(crate) const SUCCESS: &str = "success";
pub(crate) const FAILURE: &str = "failure";

/// Parts of the record that are copied as they are: from a path in the record to a field.
const COPIES: &[(&str, &str)] = &[
    ("eventTime", "@timestamp"),
    ("eventSource", "event.provider"),
    ("eventName", "event.action"),
    ("eventID", "event.id"),
    ("awsRegion", "cloud.region"),
    ("sourceIPAddress", "source.address"),
    ("userAgent", "user_agent.original"),
    ("tlsDetails.cipherSuite", "tls.cipher"),
    ("tlsDetails.clientProvidedHostHeader", "tls.client.server_name"),
    ("eventVersion", "aws.cloudtrail.event_version"),
    ("eventCategory", "aws.cloudtrail.event_category"),
    ("eventType", "aws.cloudtrail.event_type"),
    ("apiVersion", "aws.cloudtrail.api_version"),
    ("readOnly", "aws.cloudtrail.read_only"),
    ("requestID", "aws.cloudtrail.request_id"),
    ("recipientAccountId", "aws.cloudtrail.recipient_account_id"),
    ("sharedEventID", "aws.cloudtrail.shared_event_id"),
    ("vpcEndpointId", "aws.cloudtrail.vpc_endpoint_id"),
    ("errorCode", "aws.cloudtrail.error_code"),
    ("errorMessage", "aws.cloudtrail.error_message"),
    ("sessionCredentialFromConsole", "aws.cloudtrail.session_credential_from_console"),
    ("addendum.reason", "aws.cloudtrail.addendum.reason"),
    ("addendum.updatedFields", "aws.cloudtrail.addendum.updated_fields"),
    ("addendum.originalRequestID", "aws.cloudtrail.addendum.original_request_id"),
    ("addendum.originalEventID", "aws.cloudtrail.addendum.original_event_id"),
];

/// Objects that are kept as they are, to be asked for by path.
const FLATTENED: &[(&str, &str)] = &[
    ("requestParameters", "aws.cloudtrail.flattened.request_parameters"),
    ("responseElements", "aws.cloudtrail.flattened.response_elements"),
    ("additionalEventData", "aws.cloudtrail.flattened.additional_eventdata"),
    ("serviceEventDetails", "aws.cloudtrail.flattened.service_event_details"),
];

/// Objects that are also kept as the text that Java prints of them.
const PRINTED: &[(&str, &str)] = &[
    ("requestParameters", "aws.cloudtrail.request_parameters"),
    ("responseElements", "aws.cloudtrail.response_elements"),
    ("additionalEventData", "aws.cloudtrail.additional_eventdata"),
    ("serviceEventDetails", "aws.cloudtrail.service_event_details"),
];

/// Fields that have the same value in every document.
const CONSTANTS: &[(&str, &str)] = &[
    ("event.kind", "event"),
    ("event.type", "info"),
    ("event.module", "aws"),
    ("event.dataset", DATASET),
    ("data_stream.dataset", DATASET),
    ("cloud.provider", "aws"),
    ("ecs.version", "8.11.0"),
];

pub(crate) fn constant(field: &str) -> Option<&'static str> {
    CONSTANTS.iter().find(|(name, _)| *name == field).map(|(_, value)| *value)
}

/// The texts that Elastic's pipeline drops as if they were missing.
pub(crate) fn is_empty_text(text: &str) -> bool {
    matches!(text, "" | "-" | "none")
}

/// Services that call on somebody's behalf stand in the place of an address.
fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// A record as an ECS document. As JSON it has nested objects, in alphabetical order.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Sorted by name. Names are letters, digits, `_` and `@` between dots, so what is below one comes right behind it.
    fields: Vec<Field<Value>>,
}

impl Document {
    /// Maps a record, which is any JSON object.
    #[must_use]
    pub fn from_record(mut record: Map<String, Value>) -> Self {
        let mut document = Self { fields: Vec::with_capacity(FIELDS.len()) };
        for (from, to) in PRINTED {
            document.put(to, record.get(*from).and_then(java::text));
        }
        record.retain(|_, value| !drop_empty(value));

        for (field, value) in CONSTANTS {
            // The type is the only one of which a document may have several.
            document.put(field, Some(if *field == "event.type" { json!([value]) } else { json!(value) }));
        }
        for (from, to) in COPIES.iter().chain(identity::COPIES) {
            document.put(to, at(&record, from).cloned());
        }
        document.put("event.outcome", Some(outcome(&record)));
        let provider = text_at(&record, "eventSource");
        document.put(
            "cloud.service.name",
            provider.map(|provider| provider.strip_suffix(".amazonaws.com").unwrap_or(provider)),
        );
        let account = text_at(&record, "userIdentity.accountId").or(text_at(&record, "recipientAccountId"));
        document.put("cloud.account.id", account);
        let address = text_at(&record, "sourceIPAddress");
        let ip = address.filter(|address| is_address(address));
        document.put(SOURCE_IP, ip);
        document.put("related.ip", ip.map(|ip| json!([ip])));
        document.put_tls_version(&record);
        // A string in Elastic's mapping, a boolean in CloudTrail's.
        let management = at(&record, "managementEvent").map(|value| match value {
            Value::Bool(management) => json!(management.to_string()),
            other => other.clone(),
        });
        document.put("aws.cloudtrail.management_event", management);
        document.put("aws.cloudtrail.resources", at(&record, "resources").map(resources));
        document.put_console_login(&record);
        identity::map(&record, &mut document);
        for (from, to) in FLATTENED {
            document.put(to, record.get_mut(*from).map(Value::take));
        }
        document.fields.sort_unstable_by_key(|(name, _)| *name);
        debug_assert!(document.fields.is_sorted_by(|(one, _), (next, _)| one < next), "a field came twice");
        document
    }

    /// The fields of the mapping, each with its value, sorted by name.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.fields.iter().map(|(name, value)| (*name, value))
    }

    /// The value at a dotted path: of a field of the mapping, or of what is below it.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Value> {
        match self.find(field)? {
            (value, "") => Some(value),
            (value, path) => at(value.as_object()?, path),
        }
    }

    /// The string at a dotted path, unless it counts as empty.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.value(field)?.as_str().filter(|text| !is_empty_text(text))
    }

    /// The field of the mapping that a path names or begins with, and the rest of the path.
    fn find<'f>(&self, path: &'f str) -> Option<(&Value, &'f str)> {
        let behind = self.fields.partition_point(|(name, _)| *name <= path);
        let (name, value) = self.fields.get(behind.checked_sub(1)?)?;
        match path.strip_prefix(name)? {
            "" => Some((value, "")),
            rest => Some((value, rest.strip_prefix('.')?)),
        }
    }

    fn put(&mut self, field: &'static str, value: Option<impl Into<Value>>) {
        self.fields.extend(value.map(|value| (field, value.into())));
    }

    /// `TLSv1.3` becomes `1.3` and `tls`.
    fn put_tls_version(&mut self, record: &Map<String, Value>) {
        let Some(version) = text_at(record, "tlsDetails.tlsVersion") else { return };
        let digits = version.find(|character: char| character.is_ascii_digit()).unwrap_or(version.len());
        let (protocol, number) = version.split_at(digits);
        let protocol = protocol.trim_end_matches(['v', 'V']).to_lowercase();
        self.put("tls.version", (!number.is_empty()).then_some(number));
        self.put("tls.version_protocol", (!protocol.is_empty()).then_some(protocol));
    }

    fn put_console_login(&mut self, record: &Map<String, Value>) {
        if text_at(record, "eventName") != Some(CONSOLE_LOGIN) {
            return;
        }
        let yes = |from: &str| text_at(record, from).map(|answer| answer.eq_ignore_ascii_case("yes"));
        self.put(
            "aws.cloudtrail.console_login.additional_eventdata.mobile_version",
            yes("additionalEventData.MobileVersion"),
        );
        self.put(
            "aws.cloudtrail.console_login.additional_eventdata.login_to",
            text_at(record, "additionalEventData.LoginTo"),
        );
        self.put(
            "aws.cloudtrail.console_login.additional_eventdata.mfa_used",
            yes("additionalEventData.MFAUsed"),
        );
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Nested::new(&self.fields).serialize(serializer)
    }
}

impl Fields for Document {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        Some(match self.find(name) {
            None => false,
            Some((value, "")) => any_leaf(value, fields::is_flattened(name), test),
            Some((value, path)) => any_below(value, path, &mut |value| any_leaf(value, false, test)),
        })
    }
}

/// Follows a dotted path into nested objects whose own keys may hold dots, as keys of request parameters do.
fn any_in_map(map: &Map<String, Value>, path: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    if map.get(path).is_some_and(&mut *test) {
        return true;
    }
    path.match_indices('.')
        .any(|(dot, _)| map.get(&path[..dot]).is_some_and(|value| any_below(value, &path[dot + 1..], test)))
}

fn any_below(value: &Value, path: &str, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    match value {
        Value::Object(map) => any_in_map(map, path, test),
        Value::Array(items) => items.iter().any(|item| any_below(item, path, test)),
        _ => false,
    }
}

/// Looks at one value or at several. Elasticsearch keeps leaves: an object has no value of its own, unless it is a
/// `whole` flattened object, to which all its leaves belong.
fn any_leaf(value: &Value, whole: bool, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(boolean) => test(Scalar::Boolean(*boolean)),
        Value::Number(number) => {
            test(Scalar::Number(number.as_f64().unwrap_or(f64::NAN), &java::number_text(number)))
        }
        Value::String(text) => test(Scalar::Text(text)),
        Value::Array(items) => items.iter().any(|item| any_leaf(item, whole, test)),
        Value::Object(map) => whole && map.values().any(|value| any_leaf(value, whole, test)),
    }
}

/// Removes every part that Elastic's pipeline takes for empty, and says whether nothing is left.
fn drop_empty(value: &mut Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => is_empty_text(text),
        Value::Array(items) => {
            items.retain_mut(|item| !drop_empty(item));
            items.is_empty()
        }
        Value::Object(map) => {
            map.retain(|_, value| !drop_empty(value));
            map.is_empty()
        }
    }
}

/// Says whether [`drop_empty`] would leave nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => is_empty_text(text),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(map) => map.values().all(is_empty),
    }
}

fn outcome(record: &Map<String, Value>) -> String {
    if text_at(record, "eventName") == Some(CONSOLE_LOGIN)
        && let Some(outcome) = text_at(record, "responseElements.ConsoleLogin")
    {
        return outcome.to_lowercase();
    }
    let has = |key| record.get(key).is_some_and(|value| !is_empty(value));
    let failed = has("errorCode") || has("errorMessage");
    if failed { FAILURE } else { SUCCESS }.to_owned()
}

/// CloudTrail writes the keys of a resource in its own case.
fn resources(value: &Value) -> Value {
    let resource = |item: &Value| {
        let Value::Object(item) = item else { return item.clone() };
        let mut renamed = Map::new();
        for (from, to) in [("ARN", "arn"), ("accountId", "account_id"), ("type", "type")] {
            if let Some(value) = item.get(from) {
                renamed.insert(to.to_owned(), value.clone());
            }
        }
        Value::Object(renamed)
    };
    match value {
        Value::Array(items) => items.iter().map(resource).collect(),
        other => resource(other),
    }
}

/// The value at a dotted path of plain keys.
fn at<'a>(map: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => map.get(path),
        Some((key, rest)) => at(map.get(key)?.as_object()?, rest),
    }
}

/// The string at a dotted path, unless it counts as empty.
fn text_at<'a>(map: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    at(map, path)?.as_str().filter(|text| !is_empty_text(text))
}
