//! Who made the call.

use serde_json::{Map, Value, json};

use super::{Document, at, text_at};

/// Parts of `userIdentity` that are copied as they are: from a path in the record to a field.
pub(super) const COPIES: &[(&str, &str)] = &[
    ("userIdentity.type", "aws.cloudtrail.user_identity.type"),
    ("userIdentity.arn", "aws.cloudtrail.user_identity.arn"),
    ("userIdentity.accessKeyId", "aws.cloudtrail.user_identity.access_key_id"),
    ("userIdentity.invokedBy", "aws.cloudtrail.user_identity.invoked_by"),
    (
        "userIdentity.sessionContext.attributes.creationDate",
        "aws.cloudtrail.user_identity.session_context.creation_date",
    ),
    (
        "userIdentity.sessionContext.attributes.mfaAuthenticated",
        "aws.cloudtrail.user_identity.session_context.mfa_authenticated",
    ),
    (
        "userIdentity.sessionContext.sessionIssuer.type",
        "aws.cloudtrail.user_identity.session_context.session_issuer.type",
    ),
    (
        "userIdentity.sessionContext.sessionIssuer.principalId",
        "aws.cloudtrail.user_identity.session_context.session_issuer.principal_id",
    ),
    (
        "userIdentity.sessionContext.sessionIssuer.arn",
        "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    ),
    (
        "userIdentity.sessionContext.sessionIssuer.accountId",
        "aws.cloudtrail.user_identity.session_context.session_issuer.account_id",
    ),
];

/// Whom the parts of `userIdentity` name.
#[derive(Debug, Default)]
pub(super) struct Caller<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) id: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    /// The AWS service that called for itself: then there is no user.
    pub(super) service: Option<&'a str>,
}

impl<'a> Caller<'a> {
    /// Reads `userIdentity`, whose shape depends on its `type`.
    pub(super) fn of(record: &'a Map<String, Value>) -> Self {
        let Some(identity) = at(record, "userIdentity").and_then(Value::as_object) else {
            return Self::default();
        };
        let kind = text_at(identity, "type").unwrap_or_default();
        let issuer = text_at(identity, "sessionContext.sessionIssuer.arn").unwrap_or_default();
        if kind == "AWSService" || issuer.contains("/aws-service-role/") {
            return Self { service: text_at(identity, "invokedBy"), ..Self::default() };
        }
        let name = match kind {
            "AssumedRole" | "FederatedUser" => text_at(identity, "sessionContext.sessionIssuer.userName"),
            // An account alias may stand here; the root user has no name.
            "Root" => None,
            _ => text_at(identity, "userName"),
        };
        let id = match kind {
            "Root" => text_at(identity, "accountId"),
            "IdentityCenterUser" => text_at(identity, "onBehalfOf.userId"),
            _ => text_at(identity, "principalId"),
        };
        let email = session_name(identity).filter(|session| session.contains('@'));
        Self { name, id, email, service: None }
    }
}

/// Maps whom `userIdentity` names into `document`.
pub(super) fn map(record: &Map<String, Value>, document: &mut Document) {
    let Caller { name, id, email, service } = Caller::of(record);
    document.put("service.name", service);
    document.put("user.name", name);
    document.put("user.id", id);
    document.put("user.email", email);
    let mut related: Vec<&str> = Vec::new();
    for value in [name, id, email].into_iter().flatten() {
        if !related.contains(&value) {
            related.push(value);
        }
    }
    document.put("related.user", (!related.is_empty()).then(|| json!(related)));
}

/// The name that whoever assumed a role gave the session: behind the colon of the principal id, or the last part
/// of the ARN.
fn session_name(identity: &Map<String, Value>) -> Option<&str> {
    let principal = text_at(identity, "principalId").and_then(|id| id.split_once(':'));
    let arn = text_at(identity, "arn").filter(|arn| arn.contains(":assumed-role/"));
    principal.map(|(_, session)| session).or_else(|| arn?.rsplit('/').next())
}
