//! The fields of a document, and the kinds of their values: one row a field.

use crate::query::{self, Kind, Values};

/// Every field that a CloudTrail record can give, as Elastic's AWS integration names and types it.
pub const FIELDS: &[(&str, Kind)] = &[
    ("@timestamp", Kind::Date),
    ("aws.cloudtrail.addendum.original_event_id", Kind::Keyword),
    ("aws.cloudtrail.addendum.original_request_id", Kind::Keyword),
    ("aws.cloudtrail.addendum.reason", Kind::Keyword),
    ("aws.cloudtrail.addendum.updated_fields", Kind::Keyword),
    ("aws.cloudtrail.additional_eventdata", Kind::Keyword),
    ("aws.cloudtrail.api_version", Kind::Keyword),
    ("aws.cloudtrail.console_login.additional_eventdata.login_to", Kind::Keyword),
    ("aws.cloudtrail.console_login.additional_eventdata.mfa_used", Kind::Boolean),
    ("aws.cloudtrail.console_login.additional_eventdata.mobile_version", Kind::Boolean),
    ("aws.cloudtrail.error_code", Kind::Keyword),
    ("aws.cloudtrail.error_message", Kind::Keyword),
    ("aws.cloudtrail.event_category", Kind::Keyword),
    ("aws.cloudtrail.event_type", Kind::Keyword),
    ("aws.cloudtrail.event_version", Kind::Keyword),
    ("aws.cloudtrail.management_event", Kind::Keyword),
    ("aws.cloudtrail.read_only", Kind::Boolean),
    ("aws.cloudtrail.recipient_account_id", Kind::Keyword),
    ("aws.cloudtrail.request_id", Kind::Keyword),
    ("aws.cloudtrail.request_parameters", Kind::Keyword),
    ("aws.cloudtrail.resources.account_id", Kind::Keyword),
    ("aws.cloudtrail.resources.arn", Kind::Keyword),
    ("aws.cloudtrail.resources.type", Kind::Keyword),
    ("aws.cloudtrail.response_elements", Kind::Keyword),
    ("aws.cloudtrail.service_event_details", Kind::Keyword),
    ("aws.cloudtrail.session_credential_from_console", Kind::Keyword),
    ("aws.cloudtrail.shared_event_id", Kind::Keyword),
    ("aws.cloudtrail.user_identity.access_key_id", Kind::Keyword),
    ("aws.cloudtrail.user_identity.arn", Kind::Keyword),
    ("aws.cloudtrail.user_identity.invoked_by", Kind::Keyword),
    ("aws.cloudtrail.user_identity.session_context.creation_date", Kind::Date),
    ("aws.cloudtrail.user_identity.session_context.mfa_authenticated", Kind::Keyword),
    ("aws.cloudtrail.user_identity.session_context.session_issuer.account_id", Kind::Keyword),
    ("aws.cloudtrail.user_identity.session_context.session_issuer.arn", Kind::Keyword),
    ("aws.cloudtrail.user_identity.session_context.session_issuer.principal_id", Kind::Keyword),
    ("aws.cloudtrail.user_identity.session_context.session_issuer.type", Kind::Keyword),
    ("aws.cloudtrail.user_identity.type", Kind::Keyword),
    ("aws.cloudtrail.vpc_endpoint_id", Kind::Keyword),
    ("cloud.account.id", Kind::Keyword),
    ("cloud.provider", Kind::Keyword),
    ("cloud.region", Kind::Keyword),
    ("cloud.service.name", Kind::Keyword),
    ("data_stream.dataset", Kind::Keyword),
    ("ecs.version", Kind::Keyword),
    ("event.action", Kind::Keyword),
    ("event.dataset", Kind::Keyword),
    ("event.id", Kind::Keyword),
    ("event.kind", Kind::Keyword),
    ("event.module", Kind::Keyword),
    ("event.outcome", Kind::Keyword),
    ("event.provider", Kind::Keyword),
    ("event.type", Kind::Keyword),
    ("related.ip", Kind::Ip),
    ("related.user", Kind::Keyword),
    ("service.name", Kind::Keyword),
    ("source.address", Kind::Keyword),
    ("source.ip", Kind::Ip),
    ("tls.cipher", Kind::Keyword),
    ("tls.client.server_name", Kind::Keyword),
    ("tls.version", Kind::Keyword),
    ("tls.version_protocol", Kind::Keyword),
    ("user.email", Kind::Keyword),
    ("user.id", Kind::Keyword),
    ("user.name", Kind::Keyword),
    ("user_agent.original", Kind::Keyword),
];

/// Below this, the objects of the record as they are: every leaf is a keyword.
const FLATTENED: &str = "aws.cloudtrail.flattened.";
const FLATTENED_OBJECTS: [&str; 4] =
    ["additional_eventdata", "request_parameters", "response_elements", "service_event_details"];

/// Fields of which a document may have several values, by the start of their names.
const MANY: [&str; 5] =
    ["aws.cloudtrail.flattened.", "aws.cloudtrail.resources.", "event.category", "event.type", "related."];

/// Fields that Elastic's stack fills and a CloudTrail record alone cannot, by the start of their names.
const UNAVAILABLE: &[(&str, &str)] = &[
    ("event.category", "Elastic's table of event categories does not know every action"),
    ("event.created", "it is the time of reading, not part of the record"),
    ("event.ingested", "it is the time of indexing, and nothing is indexed"),
    ("event.original", "it is kept in signals, but not indexed by Elastic either"),
    ("message", "Elastic leaves it empty for CloudTrail"),
    ("source.geo.", "it needs a GeoIP database"),
    ("source.as.", "it needs a database of autonomous systems"),
    ("user_agent.", "it needs a parser of user agents; user_agent.original is there"),
    ("host.", "CloudTrail records no host"),
    ("process.", "CloudTrail records no process"),
];

/// What a query must know about a field, or why a query cannot use it.
///
/// # Errors
/// A reason for people, naming the field.
pub fn field(name: &str) -> Result<query::Field, String> {
    let kind = kind(name)?;
    let values = match super::constant(name) {
        _ if MANY.iter().any(|start| name.starts_with(start)) => Values::Many,
        Some(constant) => Values::Constant(constant),
        None => Values::One,
    };
    Ok(query::Field { kind, values })
}

fn kind(field: &str) -> Result<Kind, String> {
    if let Ok(row) = FIELDS.binary_search_by(|(name, _)| (*name).cmp(field)) {
        return Ok(FIELDS[row].1);
    }
    if let Some(path) = field.strip_prefix(FLATTENED) {
        let object = path.split('.').next().unwrap_or_default();
        if FLATTENED_OBJECTS.contains(&object) {
            return Ok(Kind::Keyword);
        }
    }
    let is_below = |start: &str| {
        let rest = field.strip_prefix(start);
        rest.is_some_and(|rest| start.ends_with('.') || rest.is_empty() || rest.starts_with('.'))
    };
    Err(match UNAVAILABLE.iter().find(|(start, _)| is_below(start)) {
        Some((_, why)) => format!("the field {field} is not available: {why}"),
        None => format!("no CloudTrail record gives a field {field}"),
    })
}

/// Says whether a field is a whole flattened object, whose values are all of its leaves.
pub(super) fn is_flattened(field: &str) -> bool {
    field.strip_prefix(FLATTENED).is_some_and(|object| FLATTENED_OBJECTS.contains(&object))
}
