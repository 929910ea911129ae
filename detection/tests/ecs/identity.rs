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
    (ASSUMED_ROLE, "related.user", r#"["Deploy","AROAEXAMPLE:bob@example.com","bob@example.com"]"#),
    (
        ASSUMED_ROLE,
        "aws.cloudtrail.user_identity.session_context.session_issuer",
        r#"{"type":"Role","principal_id":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/Deploy","account_id":"111122223333"}"#,
    ),
    (FEDERATED, "user.name", r#""broker""#),
    (FEDERATED, "user.id", r#""111122223333:carol""#),
    (FEDERATED, "user.email", ABSENT),
    (ROOT, "user.name", ABSENT),
    (ROOT, "user.id", r#""111122223333""#),
    (ROOT, "related.user", r#"["111122223333"]"#),
    (ROOT, "aws.cloudtrail.user_identity.access_key_id", ABSENT),
    (SERVICE, "service.name", r#""autoscaling.amazonaws.com""#),
    (SERVICE, "user", ABSENT),
    (SERVICE, "related", ABSENT),
    (SERVICE, "cloud.account.id", r#""111122223333""#),
    (SERVICE, "aws.cloudtrail.user_identity.invoked_by", r#""autoscaling.amazonaws.com""#),
    (SERVICE_ROLE, "service.name", r#""autoscaling.amazonaws.com""#),
    (SERVICE_ROLE, "user", ABSENT),
    (IDENTITY_CENTER, "user.id", r#""544894e8-80c1""#),
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
