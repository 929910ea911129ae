//! The fields of a record, under CloudTrail's own names.

/// The fields that a record can have at its top level. Below them anything goes.
const TOP_LEVEL: [&str; 32] = [
    "additionalEventData",
    "addendum",
    "apiVersion",
    "awsRegion",
    "edgeDeviceDetails",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventContext",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "insightDetails",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "sessionCredentialFromConsole",
    "sharedEventID",
    "sourceIPAddress",
    "tlsDetails",
    "userAgent",
    "userIdentity",
    "vpcEndpointAccountId",
    "vpcEndpointId",
];

/// Checks a field; the error says why no record has it.
pub(super) fn check(path: &str) -> Result<(), String> {
    let top = path.split('.').next().unwrap_or_default();
    if TOP_LEVEL.contains(&top) {
        return Ok(());
    }
    let expected = match TOP_LEVEL.iter().find(|known| known.eq_ignore_ascii_case(top)) {
        Some(known) => (*known).to_owned(),
        None => "one of CloudTrail's own, such as eventName or userIdentity.arn".to_owned(),
    };
    Err(format!("no CloudTrail record has a field {top}: expected {expected}"))
}
