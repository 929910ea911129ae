//! What the function starts with: a wrong setting is named at once, and no request can wait for ever.

use cloudtrail_signals::aws;
use cloudtrail_signals::settings::{Error, Settings};

const TOPIC: (&str, &str) = ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:signals");

fn read(variables: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::read(|name| {
        variables.iter().find(|variable| variable.0 == name).map(|variable| variable.1.to_owned())
    })
}

#[test]
fn a_topic_is_all_that_is_needed() {
    let settings = read(&[TOPIC]).expect("good settings");
    assert_eq!(settings.topic_arn, TOPIC.1);
    assert_eq!((settings.exceptions, settings.bucket_owner, settings.archive_bucket), (None, None, None));
}

#[test]
fn an_empty_variable_is_a_missing_one_and_space_around_a_value_is_none_of_it() {
    let optional = [
        ("EXCEPTION_QUERY", ""),
        ("TRAIL_BUCKET_OWNER", "  "),
        ("SIGNAL_ARCHIVE_BUCKET", " signals-archive\n"),
    ];
    let settings = read(&[&[TOPIC], &optional[..]].concat()).expect("good settings");
    assert_eq!((settings.exceptions, settings.bucket_owner), (None, None));
    assert_eq!(settings.archive_bucket.as_deref(), Some("signals-archive"));
    assert_eq!(read(&[("SIGNAL_TOPIC_ARN", " ")]).expect_err("no topic").variable, "SIGNAL_TOPIC_ARN");
}

#[test]
fn topics_of_every_partition_and_kind_are_taken() {
    for arn in [
        "arn:aws:sns:us-east-1:111122223333:signals.fifo",
        "arn:aws-cn:sns:cn-north-1:111122223333:signals",
        "arn:aws-us-gov:sns:us-gov-west-1:111122223333:signals",
    ] {
        assert_eq!(read(&[("SIGNAL_TOPIC_ARN", arn)]).expect(arn).topic_arn, arn);
    }
}

#[test]
fn a_wrong_setting_is_an_error_that_names_the_variable_and_quotes_the_value() {
    let rows = [
        ("SIGNAL_TOPIC_ARN", "signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sqs:us-east-1:111122223333:signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1::signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:signals:11111111-2222"),
        ("TRAIL_BUCKET_OWNER", "11112222333"),
        ("TRAIL_BUCKET_OWNER", "11112222333x"),
        ("TRAIL_BUCKET_OWNER", "arn:aws:iam::111122223333:root"),
        ("SIGNAL_ARCHIVE_BUCKET", "s3://signals"),
        ("SIGNAL_ARCHIVE_BUCKET", "arn:aws:s3:::signals"),
        ("EXCEPTION_QUERY", "user.name: (ana or"),
        ("EXCEPTION_QUERY", "no.such.field: x"),
        ("EXCEPTION_QUERY", "cloud.provider: gcp and user.name: ana"),
    ];
    for (variable, value) in rows {
        let error = read(&[(variable, value), TOPIC]).expect_err(value);
        assert_eq!(error.variable, variable);
        let text = error.to_string();
        assert!(
            text.starts_with(variable) && text.contains(value.split(':').next().unwrap_or(value)),
            "{text}"
        );
    }
}

#[test]
fn connecting_every_attempt_and_every_operation_have_a_time_out() {
    let timeouts = aws::timeouts();
    let connect = timeouts.connect_timeout().expect("one for connecting");
    let attempt = timeouts.operation_attempt_timeout().expect("one for each attempt");
    let operation = timeouts.operation_timeout().expect("one for all attempts");
    assert!(connect < attempt && attempt < operation);
}
