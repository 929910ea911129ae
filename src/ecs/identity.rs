//! Who made the call.

use serde_json::{Map, Value, json};

use super::{Document, at, text_at};

/// Parts of `userIdentity` that are copied as they are.
const COPIES: &[(&str, &str)] = &[
    ("type", "type"),
    ("arn", "arn"),
    ("accessKeyId", "access_key_id"),
    ("invokedBy", "invoked_by"),
    ("sessionContext.attributes.creationDate", "session_context.creation_date"),
    ("sessionContext.attributes.mfaAuthenticated", "session_context.mfa_authenticated"),
    ("sessionContext.sessionIssuer.type", "session_context.session_issuer.type"),
    ("sessionContext.sessionIssuer.principalId", "session_context.session_issuer.principal_id"),
    ("sessionContext.sessionIssuer.arn", "session_context.session_issuer.arn"),
    ("sessionContext.sessionIssuer.accountId", "session_context.session_issuer.account_id"),
];

/// Maps `userIdentity`, whose shape depends on its `type`, into `document`.
pub(super) fn map(record: &Map<String, Value>, document: &mut Document) {
    let Some(identity) = at(record, "userIdentity").and_then(Value::as_object) else { return };
    for (from, to) in COPIES {
        document.put(&format!("aws.cloudtrail.user_identity.{to}"), at(identity, from).cloned());
    }
    let kind = text_at(identity, "type").unwrap_or_default();
    let issuer = text_at(identity, "sessionContext.sessionIssuer.arn").unwrap_or_default();
    if kind == "AWSService" || issuer.contains("/aws-service-role/") {
        document.put("service.name", text_at(identity, "invokedBy"));
        return;
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
