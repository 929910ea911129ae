//! Who made the call: every type of identity.

use crate::{ABSENT, Row, check};

const IAM_USER: &str = r#"{"recipientAccountId":"999999999999","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE",
    "arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE","userName":"alice",
    "invokedBy":"cloudformation.amazonaws.com",
    "sessionContext":{"attributes":{"creationDate":"2026-11-23T09:00:00Z","mfaAuthenticated":"false"}}}}"#;
const ASSUMED_ROLE: &str = r#"{"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:bob@example.com",
    "arn":"arn:aws:sts::111122223333:assumed-role/Deploy/bob@example.com","accountId":"111122223333",
    "sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE",
    "arn":"arn:aws:iam::111122223333:role/Deploy","accountId":"111122223333","userName":"Deploy"}}}}"#;
const FEDERATED: &str = r#"{"userIdentity":{"type":"FederatedUser","principalId":"111122223333:carol",
    "arn":"arn:aws:sts::111122223333:federated-user/carol","userName":"not this",
    "sessionContext":{"sessionIssuer":{"type":"IAMUser","userName":"broker"}}}}"#;
const ROOT: &str = r#"{"userIdentity":{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root",
    "accountId":"111122223333","userName":"an-alias","accessKeyId":""}}"#;
const SERVICE: &str = r#"{"recipientAccountId":"111122223333","userIdentity":{"type":"AWSService",
    "invokedBy":"autoscaling.amazonaws.com","userName":"x","principalId":"y"}}"#;
const SERVICE_ROLE: &str = r#"{"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:as@example.com",
    "invokedBy":"autoscaling.amazonaws.com","sessionContext":{"sessionIssuer":{"userName":"AWSServiceRoleForAutoScaling",
    "arn":"arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"}}}}"#;
const IDENTITY_CENTER: &str = r#"{"userIdentity":{"type":"IdentityCenterUser","accountId":"111122223333","principalId":"no",
    "onBehalfOf":{"userId":"544894e8-80c1","identityStoreArn":"arn:x"}}}"#;
const WEB_IDENTITY: &str = r#"{"userIdentity":{"type":"WebIdentityUser","principalId":"accounts.google.com:app:user",
    "userName":"dave","identityProvider":"accounts.google.com"}}"#;
const SAML: &str = r#"{"userIdentity":{"type":"SAMLUser","principalId":"qualifier:erin@example.com","userName":"erin@example.com"}}"#;
const OTHER_ACCOUNT: &str = r#"{"recipientAccountId":"111122223333",
    "userIdentity":{"type":"AWSAccount","principalId":"AIDAOTHER","accountId":"444455556666"}}"#;
const ARN_ONLY: &str =
    r#"{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/R/frank@example.com"}}"#;

const BARE_ROOT: &str =
    r#"{"userIdentity":{"type":"Root","arn":"arn:aws:iam::1:root","accountId":"111122223333"}}"#;
const UNNAMED_BROKER: &str =
    r#"{"userIdentity":{"type":"FederatedUser","userName":"dora","sessionContext":{"sessionIssuer":{}}}}"#;
const PRINCIPAL_ONLY: &str = r#"{"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:bob@example.com","arn":null,
    "sessionContext":{"sessionIssuer":{"userName":"Deploy"}}}}"#;
const NAMED_BY_EMAIL: &str = r#"{"userIdentity":{"type":"IAMUser","userName":"a@b.c","principalId":"A"}}"#;
const NAMELESS_SERVICE: &str = r#"{"userIdentity":{"type":"AWSService","principalId":"P","userName":"n"}}"#;
const LINKED_ROLE: &str = r#"{"userIdentity":{"type":"AssumedRole","principalId":"AROAX:s1","arn":"arn:aws:sts::1:assumed-role/R/s1",
    "sessionContext":{"sessionIssuer":{"userName":"R","arn":"arn:aws:iam::1:role/aws-service-role/autoscaling.amazonaws.com/R"}}}}"#;
const LINKED_USER: &str = r#"{"userIdentity":{"type":"IAMUser","userName":"u",
    "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/aws-service-role/autoscaling.amazonaws.com/R"}}}}"#;
const IDENTITY_CENTER_ONLY: &str = r#"{"userIdentity":{"type":"IdentityCenterUser","credentialId":"c",
    "onBehalfOf":{"userId":"544894e8-80c1","identityStoreArn":"arn:x"}}}"#;
const SESSION: &str = r#"{"userIdentity":{"type":"AssumedRole","invokedByDelegate":{"accountId":"1"},"identityProvider":"p",
    "inScopeOf":{"issuerType":"T","credentialsIssuedTo":"C","sourceArn":"S","sourceAccount":"A"},
    "sessionContext":{"ec2RoleDelivery":"2.0","sourceIdentity":"si","assumedRoot":"true","signInSessionArn":"arn",
    "attributes":{"creationDate":"20131102T010628Z","mfaAuthenticated":false},
    "webIdFederationData":{"federatedProvider":"fp","attributes":{"x.example.com:aud":"b","n":1,"gone":""}}}}}"#;

pub const SESSIONS: &[Row] = &[
    (
        SESSION,
        "aws.cloudtrail.user_identity",
        r#"{"type":"AssumedRole","invoked_by_delegate":{"account_id":"1"},"identity_provider":"p",
        "in_scope_of":{"issuer_type":"T","credentials_issued_to":"C","source_arn":"S","source_account":"A"},
        "session_context":{"ec2_role_delivery":"2.0","source_identity":"si","assumed_root":"true","sign_in_session_arn":"arn",
        "creation_date":"2013-11-02T01:06:28.000Z","mfa_authenticated":false,
        "web_id_federation_data":{"federated_provider":"fp","attributes":{"x.example.com:aud":"b","n":1}}}}"#,
    ),
    (
        IDENTITY_CENTER_ONLY,
        "aws.cloudtrail.user_identity",
        r#"{"type":"IdentityCenterUser","credential_id":"c","on_behalf_of":{"user_id":"544894e8-80c1","identity_store_arn":"arn:x"}}"#,
    ),
];

#[test]
fn everything_that_is_said_of_a_session_is_mapped() {
    check(SESSIONS);
}

pub const ROWS: &[Row] = &[
    (IAM_USER, "user.name", r#""alice""#),
    (IAM_USER, "user.id", r#""AIDAEXAMPLE""#),
    (IAM_USER, "user.email", ABSENT),
    (IAM_USER, "related.user", r#"["alice","AIDAEXAMPLE"]"#),
    // The caller's account before the account of the trail.
    (IAM_USER, "cloud.account.id", r#""111122223333""#),
    (IAM_USER, "aws.cloudtrail.recipient_account_id", r#""999999999999""#),
    (IAM_USER, "service", ABSENT),
    (IAM_USER, "aws.cloudtrail.user_identity.type", r#""IAMUser""#),
    (IAM_USER, "aws.cloudtrail.user_identity.arn", r#""arn:aws:iam::111122223333:user/alice""#),
    (IAM_USER, "aws.cloudtrail.user_identity.access_key_id", r#""AKIAEXAMPLE""#),
    (IAM_USER, "aws.cloudtrail.user_identity.invoked_by", r#""cloudformation.amazonaws.com""#),
    (IAM_USER, "aws.cloudtrail.user_identity.session_context.creation_date", r#""2026-11-23T09:00:00Z""#),
    (IAM_USER, "aws.cloudtrail.user_identity.session_context.mfa_authenticated", r#""false""#),
    (IAM_USER, "aws.cloudtrail.user_identity.session_context.session_issuer", ABSENT),
    (ASSUMED_ROLE, "user.name", r#""Deploy""#),
    (ASSUMED_ROLE, "user.id", r#""AROAEXAMPLE:bob@example.com""#),
    (ASSUMED_ROLE, "user.email", r#""bob@example.com""#),
    (ASSUMED_ROLE, "related.user", r#"["Deploy","AROAEXAMPLE:bob@example.com","bob@example.com","bob"]"#),
    (
        ASSUMED_ROLE,
        "aws.cloudtrail.user_identity.session_context.session_issuer",
        r#"{"type":"Role","principal_id":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/Deploy","account_id":"111122223333"}"#,
    ),
    (FEDERATED, "user.name", r#""broker""#),
    (FEDERATED, "user.id", r#""111122223333:carol""#),
    (FEDERATED, "user.email", ABSENT),
    (FEDERATED, "related.user", r#"["carol","broker","111122223333:carol"]"#),
    (UNNAMED_BROKER, "user.name", r#""dora""#),
    (PRINCIPAL_ONLY, "user.email", ABSENT),
    (PRINCIPAL_ONLY, "related.user", r#"["AROAEXAMPLE:bob@example.com","Deploy"]"#),
    (NAMED_BY_EMAIL, "user.email", r#""a@b.c""#),
    (r#"{"userIdentity":{"type":"IAMUser","userName":"@b.c"}}"#, "user.email", ABSENT),
    (r#"{"userIdentity":{"type":"IAMUser","arn":"arn:aws:sts::1:x/a@b.c"}}"#, "user.email", ABSENT),
    (r#"{"userIdentity":{"type":"IAMUser","userName":5}}"#, "user.name", r#""5""#),
    (r#"{"userIdentity":{"type":"IAMUser","userName":{"a":1}}}"#, "user", ABSENT),
    (ROOT, "user.name", r#""an-alias""#),
    (ROOT, "user.id", r#""111122223333""#),
    (ROOT, "related.user", r#"["111122223333","an-alias"]"#),
    (BARE_ROOT, "user", ABSENT),
    (BARE_ROOT, "related", ABSENT),
    (ROOT, "aws.cloudtrail.user_identity.access_key_id", ABSENT),
    (SERVICE, "service.name", r#""autoscaling.amazonaws.com""#),
    (SERVICE, "user", ABSENT),
    (SERVICE, "related", ABSENT),
    (SERVICE, "cloud.account.id", r#""111122223333""#),
    (SERVICE, "aws.cloudtrail.user_identity.invoked_by", r#""autoscaling.amazonaws.com""#),
    (SERVICE_ROLE, "service.name", r#""autoscaling.amazonaws.com""#),
    (SERVICE_ROLE, "user", ABSENT),
    (NAMELESS_SERVICE, "service", ABSENT),
    (NAMELESS_SERVICE, "user", r#"{"id":"P","name":"n"}"#),
    (NAMELESS_SERVICE, "related.user", r#"["P","n"]"#),
    (LINKED_ROLE, "service.name", r#""autoscaling.amazonaws.com""#),
    (LINKED_ROLE, "user", ABSENT),
    (LINKED_ROLE, "related.user", r#"["s1"]"#),
    (LINKED_USER, "service", ABSENT),
    (LINKED_USER, "user.name", r#""u""#),
    (IDENTITY_CENTER, "user.id", r#""no""#),
    (IDENTITY_CENTER, "related.user", r#"["no","544894e8-80c1"]"#),
    (IDENTITY_CENTER_ONLY, "user.id", r#""544894e8-80c1""#),
    (IDENTITY_CENTER_ONLY, "related.user", r#"["544894e8-80c1"]"#),
    (IDENTITY_CENTER, "user.name", ABSENT),
    (WEB_IDENTITY, "user.name", r#""dave""#),
    (WEB_IDENTITY, "user.id", r#""accounts.google.com:app:user""#),
    (SAML, "user.name", r#""erin@example.com""#),
    (SAML, "user.email", r#""erin@example.com""#),
    (SAML, "related.user", r#"["erin@example.com","qualifier:erin@example.com"]"#),
    (OTHER_ACCOUNT, "cloud.account.id", r#""444455556666""#),
    (OTHER_ACCOUNT, "user.name", ABSENT),
    (OTHER_ACCOUNT, "user.id", r#""AIDAOTHER""#),
    (ARN_ONLY, "user.email", r#""frank@example.com""#),
    (ARN_ONLY, "user.id", ABSENT),
    (ARN_ONLY, "related.user", r#"["frank@example.com","frank"]"#),
    (r#"{"userIdentity":{"invokedBy":"x.amazonaws.com"}}"#, "service", ABSENT),
    (r#"{"recipientAccountId":"111122223333"}"#, "cloud.account.id", r#""111122223333""#),
    (r#"{"userIdentity":{"accountId":"-"},"recipientAccountId":"1"}"#, "cloud.account.id", r#""1""#),
    ("{}", "cloud.account", ABSENT),
    ("{}", "user", ABSENT),
];

#[test]
fn every_type_of_identity_is_mapped_in_its_own_way() {
    check(ROWS);
}
