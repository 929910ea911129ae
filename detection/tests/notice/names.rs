//! Names that readers copy: URIs, ARNs and keys stand whole in a mail.

use detection::rule::Severity;
use serde_json::{Value, json};

use crate::{definition, document, message, record, short, with};

/// The mail of the record, as read from an object with this key.
fn mail_of_key(key: &str) -> String {
    let mut document = document(&short("Short", Severity::Low), &record());
    document["aws"]["s3"]["object"]["key"] = json!(key);
    message(&[document]).mail
}

/// What the mail calls the record's object, put together again if it is in more than one line.
fn lines_of_object(mail: &str) -> Vec<&str> {
    let lines = mail.lines().skip_while(|line| !line.starts_with("  Record in "));
    lines.take_while(|line| !line.is_empty()).map(|line| &line[16..]).collect()
}

#[test]
fn the_uri_of_the_record_can_be_copied() {
    for key in [
        "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_us-east-1_20261123T1010Z_x.json.gz",
        "a prefix with spaces/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_x.json.gz",
        "präfix/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_us-east-1_x.json.gz",
    ] {
        assert_eq!(lines_of_object(&mail_of_key(key)), [format!("s3://trail/{key}")]);
    }
}

#[test]
fn a_uri_that_no_mail_can_have_in_a_line_is_broken() {
    let whole = |length: usize| "s3://trail/".to_owned() + &"x".repeat(length);
    // A line has 998 bytes, 16 of them in front of the URI, and the bucket takes eleven.
    assert_eq!(lines_of_object(&mail_of_key(&"x".repeat(971))), [whole(971)]);
    let mail = mail_of_key(&"x".repeat(972));
    assert!(lines_of_object(&mail).len() > 1, "{mail}");
    assert_eq!(lines_of_object(&mail).concat(), whole(972));
}

#[test]
fn an_arn_stands_whole_wherever_it_is() {
    let session = format!("arn:aws:sts::444455556666:assumed-role/Deploy/{}", "s".repeat(64));
    let target = format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:team/{}", "n".repeat(64));
    let members: [(&str, Value); 2] =
        [("userIdentity.arn", json!(session)), ("requestParameters.functionName", json!(target))];
    let mail = message(&[document(&definition(), &with(&members))]).mail;
    for line in [format!("  ARN           {session}"), format!("    {target}")] {
        assert!(mail.lines().any(|found| found == line), "{line} in {mail}");
    }
}

#[test]
fn a_word_that_is_no_such_name_is_broken() {
    let name = "requestParameters.functionName";
    let mail = message(&[document(&definition(), &with(&[(name, json!("n".repeat(100)))]))]).mail;
    assert!(mail.contains(&format!("    {}\n    {}\n", "n".repeat(76), "n".repeat(24))), "{mail}");
}
