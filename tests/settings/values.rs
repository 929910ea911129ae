//! The function's own settings, as they are read.

use std::time::Duration;

use cloudtrail_signals::aws;
use cloudtrail_signals::settings::{Error, Settings, Wanted};

use crate::TOPIC;

const NOTICE_TOPIC: (&str, &str) = ("NOTICE_TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:notices");

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
fn notices_are_of_alerts_and_quiet_for_five_minutes_unless_something_else_is_set() {
    assert_eq!(read(&[TOPIC, ("NOTICES", "all")]).expect("good settings").notices, None, "without a topic");
    let notices = |more: &[(&str, &str)]| {
        let settings = read(&[&[TOPIC, NOTICE_TOPIC], more].concat()).expect("good settings");
        settings.notices.expect("notices")
    };
    let usual = notices(&[]);
    assert_eq!((usual.topic_arn.as_str(), usual.wanted), (NOTICE_TOPIC.1, Wanted::Alerts));
    assert_eq!(usual.quiet, Duration::from_mins(5));
    let other = notices(&[("NOTICES", "all"), ("NOTICE_QUIET_SECONDS", "0")]);
    assert_eq!((other.wanted, other.quiet), (Wanted::All, Duration::ZERO));
}

#[test]
fn topics_of_every_partition_and_kind_are_taken() {
    for arn in [
        "arn:aws:sns:us-east-1:111122223333:signals.fifo",
        "arn:aws-cn:sns:cn-north-1:111122223333:signals",
        "arn:aws-us-gov:sns:us-gov-west-1:111122223333:signals",
        // Of an emulator.
        "arn:aws:sns:us-east-1:000000000000:Team_signals-2",
    ] {
        assert_eq!(read(&[("SIGNAL_TOPIC_ARN", arn)]).expect(arn).topic_arn, arn);
    }
}

#[test]
fn a_wrong_setting_is_an_error_that_names_the_variable_and_quotes_the_value() {
    let long_topic = format!("{}{}", TOPIC.1, "s".repeat(250));
    let rows = [
        ("SIGNAL_TOPIC_ARN", "signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sqs:us-east-1:111122223333:signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1::signals"),
        ("SIGNAL_TOPIC_ARN", "arn:azure:sns:us-east-1:111122223333:signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:US East:111122223333:signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:signals:11111111-2222"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:notanaccount:signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:1111222233334:signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:my signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:my/signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:my.signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:my.signals.fifo"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:.fifo"),
        ("SIGNAL_TOPIC_ARN", &long_topic),
        ("TRAIL_BUCKET_OWNER", "11112222333"),
        ("TRAIL_BUCKET_OWNER", "11112222333x"),
        ("TRAIL_BUCKET_OWNER", "arn:aws:iam::111122223333:root"),
        ("SIGNAL_ARCHIVE_BUCKET", "s3://signals"),
        ("SIGNAL_ARCHIVE_BUCKET", "arn:aws:s3:::signals"),
        ("NOTICE_TOPIC_ARN", "notices"),
        ("NOTICE_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:notices.fifo"),
        ("NOTICES", "none"),
        ("NOTICES", "Alerts"),
        ("NOTICE_QUIET_SECONDS", "-1"),
        ("NOTICE_QUIET_SECONDS", "5m"),
        ("NOTICE_QUIET_SECONDS", "86401"),
        ("NOTICE_QUIET_SECONDS", "+5"),
        ("MEMORY_TABLE", "my table"),
        ("MEMORY_TABLE", "me"),
        ("MEMORY_TABLE", "arn:aws:dynamodb:us-east-1:111122223333:memory"),
        ("MEMORY_TABLE", "arn:aws:dynamodb:us-east-1:111122223333:table/memory/index/x"),
        ("MEMORY_TABLE", "arn:aws:dynamodb:US East:111122223333:table/memory"),
        ("MEMORY_TABLE", "arn:aws:sns:us-east-1:111122223333:memory"),
        ("MEMORY_TABLE", "arn:aws:dynamodb:us-east-1:1:table/memory"),
        ("LEARNING_DAYS", "-1"),
        ("LEARNING_DAYS", "1.5"),
        ("LEARNING_DAYS", "5d"),
        ("LEARNING_DAYS", "3651"),
        ("LEARNING_DAYS", "+5"),
        ("ACCOUNT_SILENCE_HOURS", "-1"),
        ("ACCOUNT_SILENCE_HOURS", "1d"),
        ("ACCOUNT_SILENCE_HOURS", "721"),
        ("ACCOUNT_SILENCE_HOURS", "+5"),
        ("METRICS_NAMESPACE", "AWS/Lambda"),
        ("METRICS_NAMESPACE", ":signals"),
        ("METRICS_NAMESPACE", "signalé"),
        ("EXCEPTION_QUERY", "user.name: (ana or"),
        ("EXCEPTION_QUERY", "no.such.field: x"),
        ("EXCEPTION_QUERY", "cloud.provider: gcp and user.name: ana"),
    ];
    for (variable, value) in rows {
        let error = read(&[(variable, value), TOPIC, NOTICE_TOPIC]).expect_err(value);
        assert_eq!(error.variable, variable);
        let text = error.to_string();
        assert!(
            text.starts_with(variable) && text.contains(value.split(':').next().unwrap_or(value)),
            "{text}"
        );
    }
}

#[test]
fn a_wrong_setting_of_notices_is_an_error_also_without_a_topic_for_them() {
    for (variable, value) in [("NOTICES", "nonsense"), ("NOTICE_QUIET_SECONDS", "-1")] {
        assert_eq!(read(&[(variable, value), TOPIC]).expect_err(value).variable, variable);
    }
}

#[test]
fn a_memory_table_is_given_by_its_name_or_by_its_arn_whose_region_counts() {
    let table = |name| read(&[("MEMORY_TABLE", name), TOPIC]).expect(name).memory_table.expect(name);
    for (value, region) in [
        ("memory", None),
        ("stack-MemoryTable-1.2_3", None),
        ("arn:aws:dynamodb:eu-central-1:111122223333:table/memory", Some("eu-central-1")),
        ("arn:aws-cn:dynamodb:cn-north-1:111122223333:table/memory", Some("cn-north-1")),
    ] {
        let table = table(value);
        assert_eq!((table.name.as_str(), table.region.as_deref()), (value, region));
    }
    for (value, days) in [("0", Some(0)), ("14", Some(14)), ("", None)] {
        assert_eq!(read(&[("LEARNING_DAYS", value), TOPIC]).expect(value).learning_days, days);
    }
}

#[test]
fn accounts_are_watched_only_with_hours_and_a_table() {
    let table = ("MEMORY_TABLE", "memory");
    for (value, hours) in [("", None), ("0", None), ("24", Some(24))] {
        let settings = read(&[("ACCOUNT_SILENCE_HOURS", value), table, TOPIC]).expect(value);
        assert_eq!(settings.silence_hours, hours);
    }
    assert_eq!(read(&[("ACCOUNT_SILENCE_HOURS", "0"), TOPIC]).expect("off").silence_hours, None);
    let error = read(&[("ACCOUNT_SILENCE_HOURS", "24"), TOPIC]).expect_err("no table");
    assert!(error.variable == "ACCOUNT_SILENCE_HOURS" && error.problem.contains("MEMORY_TABLE"), "{error}");
}

#[test]
fn connecting_every_attempt_and_every_operation_have_a_time_out() {
    let timeouts = aws::timeouts();
    let connect = timeouts.connect_timeout().expect("one for connecting");
    let attempt = timeouts.operation_attempt_timeout().expect("one for each attempt");
    let operation = timeouts.operation_timeout().expect("one for all attempts");
    assert!(connect < attempt && attempt < operation);
}
