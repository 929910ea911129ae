//! Everything but the identity of the caller.

use crate::{ABSENT, Row, at, check, document, json};

pub const CONSTANTS: &[Row] = &[
    ("{}", "event.dataset", r#""aws.cloudtrail""#),
    ("{}", "data_stream.dataset", r#""aws.cloudtrail""#),
    ("{}", "event.module", r#""aws""#),
    ("{}", "event.kind", r#""event""#),
    ("{}", "event.type", r#"["info"]"#),
    ("{}", "event.category", ABSENT),
    ("{}", "event.outcome", r#""success""#),
    ("{}", "cloud.provider", r#""aws""#),
    ("{}", "ecs.version", r#""8.11.0""#),
];

#[test]
fn every_document_has_the_constant_fields() {
    check(CONSTANTS);
    let document = json(&document("{}"));
    let names: Vec<_> = document.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["cloud", "data_stream", "ecs", "event"], "an empty record gives nothing else");
}

pub const COPIES: &[Row] = &[
    (r#"{"eventTime":"2026-11-23T10:05:00Z"}"#, "@timestamp", r#""2026-11-23T10:05:00Z""#),
    (r#"{"eventSource":"lambda.amazonaws.com"}"#, "event.provider", r#""lambda.amazonaws.com""#),
    (r#"{"eventSource":"lambda.amazonaws.com"}"#, "cloud.service.name", r#""lambda""#),
    (r#"{"eventSource":"s3-outposts.amazonaws.com"}"#, "cloud.service.name", r#""s3-outposts""#),
    (r#"{"eventSource":"custom.source"}"#, "cloud.service.name", r#""custom.source""#),
    (r#"{"eventName":"CreateFunction20150331"}"#, "event.action", r#""CreateFunction20150331""#),
    (r#"{"eventID":"e-1"}"#, "event.id", r#""e-1""#),
    (r#"{"awsRegion":"eu-central-1"}"#, "cloud.region", r#""eu-central-1""#),
    (r#"{"userAgent":"aws-cli/2.0"}"#, "user_agent.original", r#""aws-cli/2.0""#),
    (r#"{"eventVersion":"1.11"}"#, "aws.cloudtrail.event_version", r#""1.11""#),
    (r#"{"eventCategory":"Management"}"#, "aws.cloudtrail.event_category", r#""Management""#),
    (r#"{"eventType":"AwsApiCall"}"#, "aws.cloudtrail.event_type", r#""AwsApiCall""#),
    (r#"{"apiVersion":"2015-03-31"}"#, "aws.cloudtrail.api_version", r#""2015-03-31""#),
    (r#"{"requestID":"r-1"}"#, "aws.cloudtrail.request_id", r#""r-1""#),
    (r#"{"sharedEventID":"s-1"}"#, "aws.cloudtrail.shared_event_id", r#""s-1""#),
    (r#"{"vpcEndpointId":"vpce-1"}"#, "aws.cloudtrail.vpc_endpoint_id", r#""vpce-1""#),
    (r#"{"recipientAccountId":"111122223333"}"#, "aws.cloudtrail.recipient_account_id", r#""111122223333""#),
    (r#"{"errorCode":"AccessDenied"}"#, "aws.cloudtrail.error_code", r#""AccessDenied""#),
    (r#"{"errorMessage":"no"}"#, "aws.cloudtrail.error_message", r#""no""#),
    (
        r#"{"sessionCredentialFromConsole":"true"}"#,
        "aws.cloudtrail.session_credential_from_console",
        r#""true""#,
    ),
    // A string in one, a boolean in the other, whatever CloudTrail calls them.
    (r#"{"managementEvent":true}"#, "aws.cloudtrail.management_event", r#""true""#),
    (r#"{"managementEvent":false}"#, "aws.cloudtrail.management_event", r#""false""#),
    (r#"{"managementEvent":"true"}"#, "aws.cloudtrail.management_event", r#""true""#),
    (r#"{"readOnly":true}"#, "aws.cloudtrail.read_only", "true"),
    (r#"{"readOnly":false}"#, "aws.cloudtrail.read_only", "false"),
    (r#"{"addendum":{"reason":"DELIVERY_DELAY"}}"#, "aws.cloudtrail.addendum.reason", r#""DELIVERY_DELAY""#),
    (
        r#"{"addendum":{"updatedFields":"eventName,x"}}"#,
        "aws.cloudtrail.addendum.updated_fields",
        r#""eventName,x""#,
    ),
    (
        r#"{"addendum":{"originalRequestID":"r-0"}}"#,
        "aws.cloudtrail.addendum.original_request_id",
        r#""r-0""#,
    ),
    (r#"{"addendum":{"originalEventID":"e-0"}}"#, "aws.cloudtrail.addendum.original_event_id", r#""e-0""#),
    (
        r#"{"resources":[{"ARN":"arn:1","accountId":"1","type":"AWS::S3::Bucket"},{"ARN":"arn:2","x":1}]}"#,
        "aws.cloudtrail.resources",
        r#"[{"arn":"arn:1","account_id":"1","type":"AWS::S3::Bucket"},{"arn":"arn:2"}]"#,
    ),
    (
        r#"{"requestParameters":{"a":{"b":1}}}"#,
        "aws.cloudtrail.flattened.request_parameters",
        r#"{"a":{"b":1}}"#,
    ),
    (r#"{"requestParameters":{"a":{"b":1}}}"#, "aws.cloudtrail.request_parameters", r#""{a={b=1}}""#),
    (
        r#"{"responseElements":{"a":["x","y"]}}"#,
        "aws.cloudtrail.flattened.response_elements",
        r#"{"a":["x","y"]}"#,
    ),
    (r#"{"responseElements":{"a":["x","y"]}}"#, "aws.cloudtrail.response_elements", r#""{a=[x, y]}""#),
    (
        r#"{"additionalEventData":{"a":true}}"#,
        "aws.cloudtrail.flattened.additional_eventdata",
        r#"{"a":true}"#,
    ),
    (r#"{"additionalEventData":{"a":true}}"#, "aws.cloudtrail.additional_eventdata", r#""{a=true}""#),
    (
        r#"{"serviceEventDetails":{"a":1.5}}"#,
        "aws.cloudtrail.flattened.service_event_details",
        r#"{"a":1.5}"#,
    ),
    (r#"{"serviceEventDetails":{"a":1.5}}"#, "aws.cloudtrail.service_event_details", r#""{a=1.5}""#),
    (r#"{"futureField":{"x":1}}"#, "aws.cloudtrail.futureField", ABSENT),
];

#[test]
fn fields_are_copied_under_their_new_names() {
    check(COPIES);
}

pub const EMPTIES: &[Row] = &[
    (r#"{"errorCode":"-"}"#, "aws.cloudtrail.error_code", ABSENT),
    (r#"{"errorCode":"","errorMessage":"none"}"#, "event.outcome", r#""success""#),
    (r#"{"errorCode":null,"errorMessage":{}}"#, "event.outcome", r#""success""#),
    (r#"{"errorCode":[{"a":[]},"-"]}"#, "event.outcome", r#""success""#),
    (r#"{"errorMessage":"None"}"#, "event.outcome", r#""failure""#),
    (r#"{"eventID":""}"#, "event.id", ABSENT),
    (r#"{"userAgent":"-"}"#, "user_agent.original", ABSENT),
    (r#"{"requestParameters":null}"#, "aws.cloudtrail.flattened.request_parameters", ABSENT),
    (r#"{"requestParameters":{}}"#, "aws.cloudtrail.request_parameters", ABSENT),
    (r#"{"requestParameters":{"a":{"b":["",null]}}}"#, "aws.cloudtrail.flattened", ABSENT),
    (r#"{"requestParameters":{"a":{"b":["",null]}}}"#, "aws.cloudtrail.request_parameters", ABSENT),
    (
        r#"{"requestParameters":{"a":"none","b":[null,"x",{}],"c":{"d":"-","e":0},"f":false}}"#,
        "aws.cloudtrail.flattened.request_parameters",
        r#"{"b":["x"],"c":{"e":0},"f":false}"#,
    ),
    (
        r#"{"requestParameters":{"a":"none","b":[null,"x",{}],"c":{"d":"-","e":0},"f":false}}"#,
        "aws.cloudtrail.request_parameters",
        r#""{b=[x], c={e=0}, f=false}""#,
    ),
    (r#"{"resources":[]}"#, "aws.cloudtrail.resources", ABSENT),
    (r#"{"tlsDetails":{"tlsVersion":"-","cipherSuite":"-"}}"#, "tls", ABSENT),
];

#[test]
fn what_is_empty_is_missing() {
    check(EMPTIES);
}

pub const OUTCOMES: &[Row] = &[
    (r#"{"errorCode":"AccessDenied"}"#, "event.outcome", r#""failure""#),
    (r#"{"errorMessage":"not today"}"#, "event.outcome", r#""failure""#),
    (r#"{"errorCode":0}"#, "event.outcome", r#""failure""#),
    (
        r#"{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Success"}}"#,
        "event.outcome",
        r#""success""#,
    ),
    (
        r#"{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"}}"#,
        "event.outcome",
        r#""failure""#,
    ),
    (
        r#"{"eventName":"ConsoleLogin","errorMessage":"No username","responseElements":{"ConsoleLogin":"Failure"}}"#,
        "event.outcome",
        r#""failure""#,
    ),
    (
        r#"{"eventName":"ConsoleLogin","errorMessage":"Failed authentication"}"#,
        "event.outcome",
        r#""failure""#,
    ),
    (r#"{"eventName":"ConsoleLogin"}"#, "event.outcome", r#""success""#),
    (
        r#"{"eventName":"CheckMfa","responseElements":{"ConsoleLogin":"Failure"}}"#,
        "event.outcome",
        r#""success""#,
    ),
];

#[test]
fn the_outcome_follows_the_errors_or_the_answer_to_a_sign_in() {
    check(OUTCOMES);
}

const LOGIN: &str = r#"{"eventName":"ConsoleLogin","additionalEventData":{"MobileVersion":"No","LoginTo":"https://x","MFAUsed":"Yes"}}"#;

pub const LOGINS: &[Row] = &[
    (LOGIN, "aws.cloudtrail.console_login.additional_eventdata.mobile_version", "false"),
    (LOGIN, "aws.cloudtrail.console_login.additional_eventdata.login_to", r#""https://x""#),
    (LOGIN, "aws.cloudtrail.console_login.additional_eventdata.mfa_used", "true"),
    (LOGIN, "aws.cloudtrail.flattened.additional_eventdata.MFAUsed", r#""Yes""#),
    (
        r#"{"eventName":"ConsoleLogin","additionalEventData":{"MFAUsed":"No"}}"#,
        "aws.cloudtrail.console_login.additional_eventdata",
        r#"{"mfa_used":false}"#,
    ),
    (
        r#"{"eventName":"SwitchRole","additionalEventData":{"MFAUsed":"No"}}"#,
        "aws.cloudtrail.console_login",
        ABSENT,
    ),
];

#[test]
fn a_sign_in_tells_how_it_was_done() {
    check(LOGINS);
}

pub const NETWORK: &[Row] = &[
    (r#"{"sourceIPAddress":"192.0.2.1"}"#, "source.address", r#""192.0.2.1""#),
    (r#"{"sourceIPAddress":"192.0.2.1"}"#, "source.ip", r#""192.0.2.1""#),
    (r#"{"sourceIPAddress":"192.0.2.1"}"#, "related.ip", r#"["192.0.2.1"]"#),
    (r#"{"sourceIPAddress":"2001:db8::1"}"#, "source.ip", r#""2001:db8::1""#),
    (
        r#"{"sourceIPAddress":"cloudformation.amazonaws.com"}"#,
        "source.address",
        r#""cloudformation.amazonaws.com""#,
    ),
    (r#"{"sourceIPAddress":"cloudformation.amazonaws.com"}"#, "source.ip", ABSENT),
    (r#"{"sourceIPAddress":"cloudformation.amazonaws.com"}"#, "related", ABSENT),
    (r#"{"sourceIPAddress":"AWS Internal"}"#, "source.ip", ABSENT),
    (r#"{"sourceIPAddress":"192.0.2.256"}"#, "source.ip", ABSENT),
    (r#"{"tlsDetails":{"tlsVersion":"TLSv1.3"}}"#, "tls.version", r#""1.3""#),
    (r#"{"tlsDetails":{"tlsVersion":"TLSv1.3"}}"#, "tls.version_protocol", r#""tls""#),
    (r#"{"tlsDetails":{"tlsVersion":"TLSv1"}}"#, "tls.version", r#""1""#),
    (r#"{"tlsDetails":{"tlsVersion":"SSLv3"}}"#, "tls.version_protocol", r#""ssl""#),
    (r#"{"tlsDetails":{"tlsVersion":"unknown"}}"#, "tls.version", ABSENT),
    (
        r#"{"tlsDetails":{"cipherSuite":"TLS_AES_128_GCM_SHA256"}}"#,
        "tls.cipher",
        r#""TLS_AES_128_GCM_SHA256""#,
    ),
    (r#"{"tlsDetails":{"clientProvidedHostHeader":"x.aws"}}"#, "tls.client.server_name", r#""x.aws""#),
];

#[test]
fn addresses_and_tls_are_taken_apart() {
    check(NETWORK);
}

#[test]
fn values_of_an_unexpected_type_cost_their_field_at_most() {
    let text = r#"{"userIdentity":"x","tlsDetails":7,"addendum":[1],"resources":"r","additionalEventData":"d",
        "requestParameters":[{"a":1}],"eventSource":3,"eventName":["x"],"sourceIPAddress":true,"eventID":"e-1"}"#;
    let document = document(text);
    assert_eq!(at(&document, "event.id"), Some("e-1".into()));
    assert_eq!(at(&document, "aws.cloudtrail.request_parameters"), Some("[{a=1}]".into()));
    assert_eq!(at(&document, "source.ip"), None);
}
