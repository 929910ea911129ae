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
    (r#"{"eventSource":"custom.source"}"#, "cloud.service.name", ABSENT),
    (r#"{"eventSource":"S3.AMAZONAWS.COM"}"#, "cloud.service.name", ABSENT),
    (r#"{"eventSource":".amazonaws.com"}"#, "cloud.service.name", ABSENT),
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
    (r#"{"sharedEventId":"s-1"}"#, "aws.cloudtrail.shared_event_id", r#""s-1""#),
    (r#"{"sharedEventID":"-","sharedEventId":"s-1"}"#, "aws.cloudtrail.shared_event_id", r#""s-1""#),
    (r#"{"vpcEndpointAccountId":"1"}"#, "aws.cloudtrail.vpc_endpoint_account_id", r#""1""#),
    (r#"{"vpcEndpointId":"vpce-1"}"#, "aws.cloudtrail.vpc_endpoint_id", r#""vpce-1""#),
    (r#"{"recipientAccountId":"111122223333"}"#, "aws.cloudtrail.recipient_account_id", r#""111122223333""#),
    (r#"{"errorCode":"AccessDenied"}"#, "aws.cloudtrail.error_code", r#""AccessDenied""#),
    (r#"{"errorMessage":"no"}"#, "aws.cloudtrail.error_message", r#""no""#),
    (
        r#"{"sessionCredentialFromConsole":"true"}"#,
        "aws.cloudtrail.session_credential_from_console",
        r#""true""#,
    ),
    // `management_event` is a string and `read_only` a boolean, whatever CloudTrail calls them.
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
        r#"[{"arn":"arn:1","account_id":"1","type":"AWS::S3::Bucket"},{"arn":"arn:2","x":1}]"#,
    ),
    (
        r#"{"resources":[{"ARN":"a","accountId":"1","x":"first"},{"ARN":"b"},{"arn":"a","account_id":1,"x":"last"}]}"#,
        "aws.cloudtrail.resources",
        r#"[{"arn":"a","account_id":"1","x":"last"},{"arn":"b"}]"#,
    ),
    (
        r#"{"resources":["text",null,{},{"ARN":"-"},{"ARNPrefix":"p/","type":"T","x":{"y":[""],"z":1}}]}"#,
        "aws.cloudtrail.resources",
        r#"[{"ARNPrefix":"p/","type":"T","x":{"z":1}}]"#,
    ),
    // CloudTrail's own key takes precedence, wherever it is, unless it counts as missing.
    (
        r#"{"resources":[{"ARN":"a","arn":"x","account_id":"y","accountId":1},{"ARN":"-","arn":"b"}]}"#,
        "aws.cloudtrail.resources",
        r#"[{"arn":"a","account_id":"1"},{"arn":"b"}]"#,
    ),
    (r#"{"resources":{"ARN":"a"}}"#, "aws.cloudtrail.resources", r#"[{"arn":"a"}]"#),
    (r#"{"resources":"text"}"#, "aws.cloudtrail.resources", ABSENT),
    (r#"{"readOnly":"true"}"#, "aws.cloudtrail.read_only", "true"),
    (r#"{"readOnly":"perhaps"}"#, "aws.cloudtrail.read_only", ABSENT),
    (r#"{"eventTime":"20261123T100500Z"}"#, "@timestamp", r#""2026-11-23T10:05:00.000Z""#),
    (r#"{"eventTime":"2026-11-23T10:05:00+02:00"}"#, "@timestamp", r#""2026-11-23T08:05:00.000Z""#),
    (r#"{"eventTime":"2026-11-23T10:05:00"}"#, "@timestamp", r#""2026-11-23T10:05:00.000Z""#),
    (r#"{"eventTime":"2026-11-23 10:05:00.5"}"#, "@timestamp", r#""2026-11-23T10:05:00.500Z""#),
    (r#"{"eventTime":"2026-13-23T10:05:00"}"#, "@timestamp", ABSENT),
    (r#"{"eventTime":"yesterday"}"#, "@timestamp", ABSENT),
    (r#"{"eventTime":5}"#, "@timestamp", ABSENT),
    // A keyword is a text, or several; an object is not.
    (r#"{"eventName":5}"#, "event.action", r#""5""#),
    (r#"{"eventName":true}"#, "event.action", r#""true""#),
    (r#"{"eventName":["a",5,"-",{"b":1}]}"#, "event.action", r#"["a","5"]"#),
    (r#"{"eventName":[["a"]]}"#, "event.action", ABSENT),
    (r#"{"eventName":{"a":1}}"#, "event.action", ABSENT),
    (
        r#"{"eventSource":{"a":1}}"#,
        "event",
        r#"{"dataset":"aws.cloudtrail","kind":"event","module":"aws","outcome":"success","type":["info"]}"#,
    ),
    (r#"{"recipientAccountId":111122223333}"#, "cloud.account.id", r#""111122223333""#),
    // Flags are kept as CloudTrail writes them.
    (r#"{"sessionCredentialFromConsole":true}"#, "aws.cloudtrail.session_credential_from_console", "true"),
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
        r#"{"eventName":"ConsoleLogin","errorMessage":"x","responseElements":{"ConsoleLogin":"Success"}}"#,
        "event.outcome",
        r#""success""#,
    ),
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

const ODD_LOGIN: &str = r#"{"eventName":"ConsoleLogin","additionalEventData":{"LoginTo":"","MobileVersion":"maybe","MFAUsed":true}}"#;
const USER_AUTHENTICATION: &str = r#"{"eventName":"UserAuthentication","additionalEventData":{"UserName":"x@y.z","CredentialType":"PASSWORD"},
    "userIdentity":{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u1"}}}"#;
const NAMED_AUTHENTICATION: &str = r#"{"eventName":"UserAuthentication","additionalEventData":{"UserName":"x@y.z"},
    "userIdentity":{"type":"IAMUser","userName":"alice"}}"#;

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
        ODD_LOGIN,
        "aws.cloudtrail.console_login.additional_eventdata",
        r#"{"mfa_used":true,"mobile_version":true}"#,
    ),
    (
        r#"{"eventName":"ConsoleLogin","additionalEventData":{"LoginTo":5,"MFAUsed":false,"MobileVersion":[""]}}"#,
        "aws.cloudtrail.console_login.additional_eventdata",
        r#"{"login_to":"5","mfa_used":true}"#,
    ),
    (USER_AUTHENTICATION, "aws.cloudtrail.additional_eventdata", r#""{CredentialType=PASSWORD}""#),
    (
        USER_AUTHENTICATION,
        "aws.cloudtrail.flattened.additional_eventdata",
        r#"{"CredentialType":"PASSWORD"}"#,
    ),
    (USER_AUTHENTICATION, "user", r#"{"email":"x@y.z","id":"u1","name":"x@y.z"}"#),
    (NAMED_AUTHENTICATION, "user.name", r#""alice""#),
    (NAMED_AUTHENTICATION, "aws.cloudtrail.flattened.additional_eventdata", r#"{"UserName":"x@y.z"}"#),
    (NAMED_AUTHENTICATION, "aws.cloudtrail.additional_eventdata", r#""{UserName=x@y.z}""#),
    (r#"{"eventName":"UserAuthentication","additionalEventData":{"UserName":"x"}}"#, "aws", ABSENT),
    (
        r#"{"eventName":"SwitchRole","additionalEventData":{"MFAUsed":"No"}}"#,
        "aws.cloudtrail.console_login",
        ABSENT,
    ),
];

#[test]
fn a_sign_in_shows_how_it_was_done() {
    check(LOGINS);
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
