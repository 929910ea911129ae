//! A CloudTrail record as an Elastic Common Schema document, the way Elastic's AWS integration maps it.
//!
//! [`Head`] answers for the few fields that decide most records, [`Verbatim`] for those that a record gives as they are;
//! [`Document`] is the whole mapping. All answer queries through [`crate::kql::Fields`], and agree.

pub(crate) mod fields;
mod glance;
mod head;
mod identity;
mod java;
mod verbatim;

pub use fields::{FIELDS, kind};
pub(crate) use glance::hides_text;
pub use head::Head;
pub use verbatim::Verbatim;

use serde_json::{Map, Value, json};

use crate::kql::{Fields, Scalar};

/// The dataset of every document.
pub const DATASET: &str = "aws.cloudtrail";
const SOURCE_IP: &str = "source.ip";
const CONSOLE_LOGIN: &str = "ConsoleLogin";
const SUCCESS: &str = "success";
const FAILURE: &str = "failure";

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

/// A field that has the same value in every document.
fn constant(field: &str) -> Option<&'static str> {
    Some(match field {
        "event.dataset" | "data_stream.dataset" => DATASET,
        "event.module" | "cloud.provider" => "aws",
        "event.kind" => "event",
        "event.type" => "info",
        "ecs.version" => "8.11.0",
        _ => return None,
    })
}

/// The texts that Elastic's pipeline drops as if they were missing.
fn is_empty_text(text: &str) -> bool {
    matches!(text, "" | "-" | "none")
}

/// Services that call on somebody's behalf stand in the place of an address.
fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// A record as a nested ECS document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    fields: Map<String, Value>,
}

impl Document {
    /// Maps a record, which is any JSON object.
    #[must_use]
    pub fn from_record(mut record: Map<String, Value>) -> Self {
        let printed: Vec<_> =
            PRINTED.iter().filter_map(|(from, to)| Some((*to, java::text(record.get(*from)?)?))).collect();
        record.retain(|_, value| !drop_empty(value));

        let mut document = Self { fields: Map::new() };
        for field in ["event.kind", "event.module", "event.dataset", "data_stream.dataset"] {
            document.put(field, constant(field));
        }
        document.put("event.type", constant("event.type").map(|info| json!([info])));
        for (from, to) in COPIES {
            document.put(to, at(&record, from).cloned());
        }
        document.put("event.outcome", Some(outcome(&record)));
        document.put("cloud.provider", constant("cloud.provider"));
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
        for (to, text) in printed {
            document.put(to, Some(text));
        }
        for (from, to) in FLATTENED {
            document.put(to, record.get_mut(*from).map(Value::take));
        }
        document.put("ecs.version", constant("ecs.version"));
        document
    }

    /// The document as nested JSON objects.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The string at a dotted path of nested objects.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        text_at(&self.fields, field)
    }

    fn put(&mut self, field: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            put(&mut self.fields, field, value.into());
        }
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
        let prefix = "aws.cloudtrail.console_login.additional_eventdata";
        self.put(&format!("{prefix}.mobile_version"), yes("additionalEventData.MobileVersion"));
        self.put(&format!("{prefix}.login_to"), text_at(record, "additionalEventData.LoginTo"));
        self.put(&format!("{prefix}.mfa_used"), yes("additionalEventData.MFAUsed"));
    }
}

impl Fields for Document {
    fn any(&self, name: &str, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Option<bool> {
        let whole = fields::is_flattened(name);
        Some(any_in_map(&self.fields, name, &mut |value| any_leaf(value, whole, test)))
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

/// Puts a value at a dotted path, making the objects on the way.
pub(crate) fn put(map: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((key, rest)) = path.split_once('.') else {
        map.insert(path.to_owned(), value);
        return;
    };
    // Most objects are there already: looking first costs less than a key to look with.
    match map.get_mut(key) {
        Some(Value::Object(below)) => put(below, rest, value),
        Some(_) => {}
        None => {
            let mut below = Map::new();
            put(&mut below, rest, value);
            map.insert(key.to_owned(), Value::Object(below));
        }
    }
}
