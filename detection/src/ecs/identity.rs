//! Who made the call.

use serde_json::Value;

use super::mapping::Mapping;
use super::set::Set;

/// Whom the record names as the caller.
#[derive(Debug, Default)]
pub(super) struct Caller<'a> {
    name: Option<&'a str>,
    id: Option<&'a str>,
    email: Option<&'a str>,
    /// The AWS service that acted for itself. There is no user then.
    service: Option<&'a str>,
    /// The name of the session.
    session: Option<&'a str>,
    /// The name is `additionalEventData.UserName`, and is left out there.
    pub(super) has_moved_name: bool,
}

impl<'a> Caller<'a> {
    pub(super) fn of(mapping: &Mapping<'a>) -> Self {
        let kind = mapping.text("userIdentity.type").unwrap_or_default();
        let session = mapping.text("userIdentity.arn").and_then(|arn| session_name(kind, arn));
        let service = service_actor(mapping, kind);
        let mut caller = Self { service, session, ..Self::default() };
        if service.is_none() {
            let issuer = || mapping.text("userIdentity.sessionContext.sessionIssuer.userName");
            let issuer = if matches!(kind, "AssumedRole" | "FederatedUser") { issuer() } else { None };
            caller.name = issuer.or_else(|| mapping.text("userIdentity.userName"));
            if caller.name.is_none() && mapping.text("eventName") == Some("UserAuthentication") {
                caller.name = mapping.text("additionalEventData.UserName");
                caller.has_moved_name = caller.name.is_some();
            }
            let on_behalf_of = || mapping.text("userIdentity.onBehalfOf.userId");
            let id = mapping.text("userIdentity.principalId");
            caller.id = if kind == "IdentityCenterUser" { id.or_else(on_behalf_of) } else { id };
        }
        let is_email = |name: &&str| name.find('@').is_some_and(|at| at > 0);
        caller.email = session.filter(|session| session.contains('@')).or(caller.name.filter(is_email));
        caller
    }
}

/// The service that acted for itself, by its own name or by a role that only it can assume.
fn service_actor<'a>(mapping: &Mapping<'a>, kind: &str) -> Option<&'a str> {
    let role = match kind {
        "AWSService" => None,
        "AssumedRole" => {
            let issuer = mapping.text("userIdentity.sessionContext.sessionIssuer.arn")?;
            Some(issuer.split_once(":role/aws-service-role/")?.1)
        }
        _ => return None,
    };
    let of_role = role.and_then(|role| role.split('/').next()).filter(|service| !service.is_empty());
    mapping.text("userIdentity.invokedBy").or(of_role)
}

/// The name that whoever opened a session gave it: the last segment of its ARN.
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
    mapping.caller().id
}

pub(super) fn email<'a>(mapping: &Mapping<'a>) -> Option<&'a str> {
    mapping.caller().email
}

pub(super) fn users(mapping: &Mapping<'_>) -> Option<Value> {
    let caller = mapping.caller();
    let mut users = Set::default();
    users.extend(caller.session);
    users.extend(caller.session.and_then(|session| session.split_once('@')).map(|(person, _)| person));
    users.extend(mapping.text("requestParameters.userName"));
    users.extend(mapping.text("requestParameters.newUserName"));
    users.extend(mapping.text("responseElements.user.userId"));
    users.extend([caller.id, caller.name].into_iter().flatten());
    users.extend(mapping.text("userIdentity.onBehalfOf.userId"));
    users.into_value()
}
