//! Who made the call.

use serde_json::Value;

use super::mapping::Mapping;
use super::set::Set;

/// The start of a service-linked role in an ARN: only a service can assume such a role.
const SERVICE_ROLES: &str = ":role/aws-service-role/";

/// The caller that the record names.
#[derive(Debug, Default)]
pub(super) struct Caller<'a> {
    kind: &'a str,
    name: Option<&'a str>,
    /// The AWS service that acted for itself. There is no user then.
    service: Option<&'a str>,
    /// The name is `additionalEventData.UserName`, and is left out there.
    pub(super) has_moved_name: bool,
}

impl<'a> Caller<'a> {
    pub(super) fn of(mapping: &Mapping<'a>) -> Self {
        let kind = mapping.text("userIdentity.type").unwrap_or_default();
        let service = service_actor(mapping, kind);
        let mut caller = Self { kind, service, ..Self::default() };
        if service.is_none() {
            let issuer = || mapping.text("userIdentity.sessionContext.sessionIssuer.userName");
            let issuer = if matches!(kind, "AssumedRole" | "FederatedUser") { issuer() } else { None };
            caller.name = issuer.or_else(|| mapping.text("userIdentity.userName"));
            if caller.name.is_none() && mapping.text("eventName") == Some("UserAuthentication") {
                caller.name = mapping.text("additionalEventData.UserName");
                caller.has_moved_name = caller.name.is_some();
            }
        }
        caller
    }
}

/// The service that acted for itself, by its own name or by a role that only it can assume.
fn service_actor<'a>(mapping: &Mapping<'a>, kind: &str) -> Option<&'a str> {
    let role = match kind {
        "AWSService" => None,
        "AssumedRole" => {
            let issuer = mapping.text("userIdentity.sessionContext.sessionIssuer.arn")?;
            let role = memchr::memmem::find(issuer.as_bytes(), SERVICE_ROLES.as_bytes())?;
            Some(&issuer[role + SERVICE_ROLES.len()..])
        }
        _ => return None,
    };
    let of_role = role.and_then(|role| role.split('/').next()).filter(|service| !service.is_empty());
    mapping.text("userIdentity.invokedBy").or(of_role)
}

/// The name given to a session when it was opened: the last segment of its ARN.
pub(crate) fn session_name<'a>(kind: &str, arn: &'a str) -> Option<&'a str> {
    let has_sessions = matches!(kind, "AssumedRole" | "FederatedUser" | "IdentityCenterUser");
    let (_, session) = arn.rsplit_once('/').filter(|_| has_sessions && arn.contains(":sts:"))?;
    (!session.is_empty()).then_some(session)
}

pub(super) fn service<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    mapping.caller().service
}

pub(super) fn name<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    mapping.caller().name
}

pub(super) fn id<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    let Caller { kind, service: None, .. } = mapping.caller() else { return None };
    let on_behalf_of =
        || mapping.text("userIdentity.onBehalfOf.userId").filter(|_| *kind == "IdentityCenterUser");
    mapping.text("userIdentity.principalId").or_else(on_behalf_of)
}

pub(super) fn email<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    let is_email = |name: &&str| name.find('@').is_some_and(|at| at > 0);
    session(mapping).filter(|session| session.contains('@')).or(name(mapping).filter(is_email))
}

/// The name of the session.
fn session<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    session_name(mapping.caller().kind, mapping.text("userIdentity.arn")?)
}

pub(super) fn users(mapping: &Mapping<'_>) -> Option<Value> {
    let session = session(mapping);
    let mut users = Set::default();
    users.extend(session);
    users.extend(session.and_then(|session| session.split_once('@')).map(|(person, _)| person));
    users.extend(mapping.text("requestParameters.userName"));
    users.extend(mapping.text("requestParameters.newUserName"));
    users.extend(mapping.text("responseElements.user.userId"));
    users.extend([id(mapping), name(mapping)].into_iter().flatten());
    users.extend(mapping.text("userIdentity.onBehalfOf.userId"));
    users.into_value()
}
