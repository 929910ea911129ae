//! The mapping as one table: a row for each ECS field, sorted by name.

use std::fmt::Write;
use std::sync::LazyLock;

use foldhash::HashMap;

use super::mapping::{Make, Pick};
use super::{EVENT_ID, EVENT_TIME, actions, identity, network, request};
use crate::query::{Field, Kind, Values};

/// An ECS field: its name, the kind and number of its values, and which parts of a record it is made of.
#[derive(Debug)]
pub struct Row {
    /// The dotted name.
    pub name: &'static str,
    /// How queries compare its values, and how many it has.
    pub field: Field,
    pub(super) source: Source,
    /// What the page of fields adds to the paths of the record.
    note: &'static str,
}

/// Which parts of a record a field is made of. Paths are dotted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// Nothing: every document has this value.
    Constant(&'static str),
    /// The text at the first of these paths that has one.
    Text(&'static [&'static str]),
    /// The text or boolean at this path.
    Flag(&'static str),
    /// The boolean at this path, or the text that names one.
    Boolean(&'static str),
    /// The time at this path.
    Date(&'static str),
    /// The object at this top-level key as Java prints it.
    Printed(&'static str),
    /// The object at this path. Queries name a path below the field.
    Object(&'static str),
    /// A text of the record, or a part of one, that a function picks.
    Picked(Pick),
    /// A value that a function makes.
    Made(Make),
    /// Objects that a function makes. Queries name a path below the field.
    Objects(Make),
}

impl Row {
    const fn new(name: &'static str, source: Source, note: &'static str) -> Self {
        let (kind, values) = match source {
            Source::Constant(value) => (Kind::Keyword, Values::Constant(value)),
            Source::Boolean(_) => (Kind::Boolean, Values::One),
            Source::Date(_) => (Kind::Date, Values::One),
            Source::Object(_) | Source::Objects(_) => (Kind::Keyword, Values::Many),
            _ => (Kind::Keyword, Values::One),
        };
        Self { name, field: Field { kind, values }, source, note }
    }

    const fn kind(mut self, kind: Kind) -> Self {
        self.field.kind = kind;
        self
    }

    const fn many(mut self) -> Self {
        self.field.values = Values::Many;
        self
    }

    const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    /// Returns whether a query names a path below the field.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.source, Source::Object(_) | Source::Objects(_))
    }

    /// Where the field comes from, in Markdown for the page of fields.
    #[must_use]
    pub fn origin(&self) -> String {
        let mut text = match self.source {
            Source::Constant(value) => format!("always `{value}`"),
            Source::Text(paths) => {
                let paths: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
                paths.join(", else ")
            }
            Source::Flag(path) | Source::Boolean(path) | Source::Date(path) => format!("`{path}`"),
            Source::Printed(path) => format!("`{path}`, printed"),
            Source::Object(path) => format!("`{path}`, by path"),
            Source::Picked(_) | Source::Made(_) | Source::Objects(_) => String::new(),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", self.note);
        text
    }
}

const fn constant(name: &'static str, value: &'static str) -> Row {
    Row::new(name, Source::Constant(value), "")
}

const fn text(name: &'static str, paths: &'static [&'static str]) -> Row {
    Row::new(name, Source::Text(paths), "")
}

const fn flag(name: &'static str, path: &'static str) -> Row {
    Row::new(name, Source::Flag(path), "")
}

const fn date(name: &'static str, path: &'static str) -> Row {
    Row::new(name, Source::Date(path), "")
}

const fn printed(name: &'static str, path: &'static str) -> Row {
    Row::new(name, Source::Printed(path), "")
}

const fn object(name: &'static str, path: &'static str) -> Row {
    Row::new(name, Source::Object(path), "")
}

const fn picked(name: &'static str, pick: Pick, note: &'static str) -> Row {
    Row::new(name, Source::Picked(pick), note)
}

const fn made(name: &'static str, make: Make, note: &'static str) -> Row {
    Row::new(name, Source::Made(make), note)
}

/// Every field, sorted by name. No name followed by a dot is the start of another one.
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    date("@timestamp", EVENT_TIME),
    text("aws.cloudtrail.addendum.original_event_id", &["addendum.originalEventID"]),
    text("aws.cloudtrail.addendum.original_request_id", &["addendum.originalRequestID"]),
    text("aws.cloudtrail.addendum.reason", &["addendum.reason"]),
    text("aws.cloudtrail.addendum.updated_fields", &["addendum.updatedFields"]),
    printed("aws.cloudtrail.additional_eventdata", "additionalEventData").note(", without a `UserName` that is in `user.name`"),
    text("aws.cloudtrail.api_version", &["apiVersion"]),
    picked("aws.cloudtrail.console_login.additional_eventdata.login_to", request::login_to, "`additionalEventData.LoginTo`"),
    made("aws.cloudtrail.console_login.additional_eventdata.mfa_used", request::mfa_used, "`additionalEventData.MFAUsed`; only `No` is `false`").kind(Kind::Boolean),
    made("aws.cloudtrail.console_login.additional_eventdata.mobile_version", request::mobile_version, "`additionalEventData.MobileVersion`; only `No` is `false`").kind(Kind::Boolean),
    text("aws.cloudtrail.error_code", &["errorCode"]),
    text("aws.cloudtrail.error_message", &["errorMessage"]),
    text("aws.cloudtrail.event_category", &["eventCategory"]),
    text("aws.cloudtrail.event_type", &["eventType"]),
    text("aws.cloudtrail.event_version", &["eventVersion"]),
    object("aws.cloudtrail.flattened.additional_eventdata", "additionalEventData").note(", without a `UserName` that is in `user.name`"),
    object("aws.cloudtrail.flattened.request_parameters", "requestParameters"),
    object("aws.cloudtrail.flattened.response_elements", "responseElements"),
    object("aws.cloudtrail.flattened.service_event_details", "serviceEventDetails"),
    text("aws.cloudtrail.management_event", &["managementEvent"]),
    Row::new("aws.cloudtrail.read_only", Source::Boolean("readOnly"), ""),
    text("aws.cloudtrail.recipient_account_id", &["recipientAccountId"]).note(", the called account"),
    text("aws.cloudtrail.request_id", &["requestID"]),
    printed("aws.cloudtrail.request_parameters", "requestParameters"),
    Row::new("aws.cloudtrail.resources", Source::Objects(request::resources), "`resources`, with `arn` and `account_id` for `ARN` and `accountId`; the last of those equal in these and `type`"),
    printed("aws.cloudtrail.response_elements", "responseElements"),
    printed("aws.cloudtrail.service_event_details", "serviceEventDetails"),
    flag("aws.cloudtrail.session_credential_from_console", "sessionCredentialFromConsole"),
    text("aws.cloudtrail.shared_event_id", &["sharedEventID", "sharedEventId"]),
    picked("aws.cloudtrail.tls_details.key_exchange", network::key_exchange, "`tlsDetails.keyExchange`"),
    text("aws.cloudtrail.user_identity.access_key_id", &["userIdentity.accessKeyId"]),
    text("aws.cloudtrail.user_identity.arn", &["userIdentity.arn"]),
    text("aws.cloudtrail.user_identity.credential_id", &["userIdentity.credentialId"]),
    text("aws.cloudtrail.user_identity.identity_provider", &["userIdentity.identityProvider"]),
    text("aws.cloudtrail.user_identity.in_scope_of.credentials_issued_to", &["userIdentity.inScopeOf.credentialsIssuedTo"]),
    text("aws.cloudtrail.user_identity.in_scope_of.issuer_type", &["userIdentity.inScopeOf.issuerType"]),
    text("aws.cloudtrail.user_identity.in_scope_of.source_account", &["userIdentity.inScopeOf.sourceAccount"]),
    text("aws.cloudtrail.user_identity.in_scope_of.source_arn", &["userIdentity.inScopeOf.sourceArn"]),
    text("aws.cloudtrail.user_identity.invoked_by", &["userIdentity.invokedBy"]),
    text("aws.cloudtrail.user_identity.invoked_by_delegate.account_id", &["userIdentity.invokedByDelegate.accountId"]),
    text("aws.cloudtrail.user_identity.on_behalf_of.identity_store_arn", &["userIdentity.onBehalfOf.identityStoreArn"]),
    text("aws.cloudtrail.user_identity.on_behalf_of.user_id", &["userIdentity.onBehalfOf.userId"]),
    flag("aws.cloudtrail.user_identity.session_context.assumed_root", "userIdentity.sessionContext.assumedRoot"),
    date("aws.cloudtrail.user_identity.session_context.creation_date", "userIdentity.sessionContext.attributes.creationDate"),
    text("aws.cloudtrail.user_identity.session_context.ec2_role_delivery", &["userIdentity.sessionContext.ec2RoleDelivery"]),
    flag("aws.cloudtrail.user_identity.session_context.mfa_authenticated", "userIdentity.sessionContext.attributes.mfaAuthenticated"),
    text("aws.cloudtrail.user_identity.session_context.session_issuer.account_id", &["userIdentity.sessionContext.sessionIssuer.accountId"]),
    text("aws.cloudtrail.user_identity.session_context.session_issuer.arn", &["userIdentity.sessionContext.sessionIssuer.arn"]),
    text("aws.cloudtrail.user_identity.session_context.session_issuer.principal_id", &["userIdentity.sessionContext.sessionIssuer.principalId"]),
    text("aws.cloudtrail.user_identity.session_context.session_issuer.type", &["userIdentity.sessionContext.sessionIssuer.type"]),
    text("aws.cloudtrail.user_identity.session_context.sign_in_session_arn", &["userIdentity.sessionContext.signInSessionArn"]),
    text("aws.cloudtrail.user_identity.session_context.source_identity", &["userIdentity.sessionContext.sourceIdentity"]),
    object("aws.cloudtrail.user_identity.session_context.web_id_federation_data.attributes", "userIdentity.sessionContext.webIdFederationData.attributes"),
    text("aws.cloudtrail.user_identity.session_context.web_id_federation_data.federated_provider", &["userIdentity.sessionContext.webIdFederationData.federatedProvider"]),
    text("aws.cloudtrail.user_identity.type", &["userIdentity.type"]),
    text("aws.cloudtrail.vpc_endpoint_account_id", &["vpcEndpointAccountId"]),
    text("aws.cloudtrail.vpc_endpoint_id", &["vpcEndpointId"]),
    text("cloud.account.id", &["userIdentity.accountId", "recipientAccountId"]).note(", the caller's account"),
    constant("cloud.provider", "aws"),
    text("cloud.region", &["awsRegion"]),
    picked("cloud.service.name", request::service_name, "`eventSource` without `.amazonaws.com`"),
    constant("data_stream.dataset", "aws.cloudtrail"),
    constant("ecs.version", "8.11.0"),
    text("event.action", &["eventName"]),
    made("event.category", actions::category, "[by `eventName`](#event-categories-and-types)").many(),
    constant("event.dataset", "aws.cloudtrail"),
    text("event.id", &[EVENT_ID]),
    constant("event.kind", "event").note("; `signal` in a signal"),
    constant("event.module", "aws"),
    made("event.outcome", request::outcome, "`failure` with `errorCode` or `errorMessage`, else `success`; for ConsoleLogin `responseElements.ConsoleLogin` in lower case"),
    text("event.provider", &["eventSource"]),
    made("event.type", actions::types, "[by `eventName`](#event-categories-and-types), else `info`").many(),
    text("group.id", &["responseElements.group.groupId"]),
    text("group.name", &["requestParameters.groupName"]),
    made("related.hosts", network::hosts, "`tls.client.server_name` and a host name in `sourceIPAddress`, unless in `.amazonaws.com`; `requestParameters.computerName`; instance ids in `resources`, `requestParameters`, `responseElements`").many(),
    made("related.ip", network::addresses, "`source.ip`; an IP address in `serviceEventDetails.sourceIpAddress`").kind(Kind::Ip).many(),
    made("related.user", identity::users, "`user.id`, `user.name`; the session's name and its part before `@`; `requestParameters.userName`, `.newUserName`; `responseElements.user.userId`; `userIdentity.onBehalfOf.userId`").many(),
    picked("service.name", identity::service, "the acting AWS service: `userIdentity.invokedBy` of an AWSService or service-linked role, else the service in that role's ARN"),
    text("source.address", &["sourceIPAddress"]),
    picked("source.ip", network::source_ip, "an IP address in `sourceIPAddress`").kind(Kind::Ip),
    picked("tls.cipher", network::cipher, "`tlsDetails.cipherSuite`"),
    picked("tls.client.server_name", network::server_name, "`tlsDetails.clientProvidedHostHeader`"),
    picked("tls.version", network::tls_version, "`tlsDetails.tlsVersion`, after any `v`"),
    made("tls.version_protocol", network::tls_protocol, "`tlsDetails.tlsVersion` before the `v`, in lower case"),
    text("user.changes.name", &["requestParameters.newUserName"]),
    picked("user.email", identity::email, "the session's name, else `user.name`, if it contains `@`"),
    picked("user.id", identity::id, "`userIdentity.principalId`; for IdentityCenterUser else `onBehalfOf.userId`; none with a `service.name`"),
    picked("user.name", identity::name, "the session issuer's `userName` for AssumedRole and FederatedUser, else `userIdentity.userName`, for UserAuthentication else `additionalEventData.UserName`; none with a `service.name`"),
    text("user.target.id", &["responseElements.user.userId"]),
    text("user.target.name", &["requestParameters.userName"]),
    text("user_agent.original", &["userAgent"]),
];

/// The row that a dotted path names or leads below, and the rest of the path.
pub(super) fn find(path: &str) -> Option<(&'static Row, &str)> {
    static ROWS: LazyLock<HashMap<&str, &Row>> =
        LazyLock::new(|| TABLE.iter().map(|row| (row.name, row)).collect());
    // Most paths are names of rows, and hashing finds these several times faster than comparing.
    if let Some(row) = ROWS.get(path) {
        return Some((row, ""));
    }
    let behind = TABLE.partition_point(|row| row.name <= path);
    let row = TABLE.get(behind.checked_sub(1)?)?;
    Some((row, below(row.name, path)?))
}

/// The part of a path that is below a name: nothing if the path is the name itself.
pub(super) fn below<'p>(name: &str, path: &'p str) -> Option<&'p str> {
    match path.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    }
}

/// What a query must know about a field, or why a query cannot use it.
///
/// # Errors
/// A human-readable reason that names the field.
pub fn field(name: &str) -> Result<Field, String> {
    let is_askable = |row: &Row, below: &str| match row.source {
        Source::Object(_) => true,
        Source::Objects(_) => !below.is_empty(),
        _ => below.is_empty(),
    };
    find(name)
        .filter(|(row, below)| is_askable(row, below))
        .map(|(row, _)| row.field)
        .ok_or_else(|| super::unmapped::reason(name))
}

/// How the values of a field appear in the text of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As they are, or as parts of longer texts.
    AsItIs,
    /// With other punctuation: as an object that Java prints.
    Printed,
    /// Not at all, or in another form.
    Derived,
}

/// How the values of a field that are text appear in the text of the record. Numbers may appear differently.
#[must_use]
pub fn standing(name: &str) -> Standing {
    match find(name) {
        Some((row, below)) => match row.source {
            Source::Text(_) | Source::Picked(_) if below.is_empty() => Standing::AsItIs,
            Source::Object(_) => Standing::AsItIs,
            Source::Printed(_) if below.is_empty() => Standing::Printed,
            _ => Standing::Derived,
        },
        None => Standing::Derived,
    }
}

/// The keys below an object of the record that a field names, as a dotted path.
pub(crate) fn key_path(name: &str) -> Option<&str> {
    match find(name)? {
        (Row { source: Source::Object(_), .. }, below) => Some(below),
        _ => None,
    }
}

/// The value that the field has in every document.
pub(crate) fn constant_value(name: &str) -> Option<&'static str> {
    match find(name)? {
        (Row { source: Source::Constant(value), .. }, "") => Some(value),
        _ => None,
    }
}
