//! What the process writes when it cannot start, and when an invocation fails.

use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use cloudtrail_signals::telemetry::line;
use serde_json::Value;

use crate::process::Process;
use crate::{KEYS, REGION, S3_AND_SNS, TOPIC};

/// Starts the function with these variables and no others, and waits for its end.
fn start(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloudtrail-signals"));
    command.env_clear().envs(variables.iter().copied()).output().expect("the function starts")
}

/// The lines of a log. Each must be one of the page's.
fn lines(log: &str) -> Vec<Value> {
    let lines =
        log.lines().map(|text| serde_json::from_str::<Value>(text).expect("a line of the log is JSON"));
    let lines: Vec<_> = lines.collect();
    for found in &lines {
        let is_it =
            |line: &line::Line| found["message"] == line.message && found["level"] == line.level.as_str();
        assert!(line::ALL.iter().any(is_it), "not a line of the page: {found}");
    }
    lines
}

#[test]
fn without_a_region_the_start_fails_at_once_and_names_the_variable() {
    let started = SystemTime::now();
    let output = start(&[KEYS[0], KEYS[1], TOPIC]);
    let log = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!output.status.success() && log.contains("the function cannot start"), "{log}");
    assert!(log.contains("AWS_REGION is missing"), "{log}");
    // Nothing was asked for it: instance metadata, the last resort of an SDK, would cost seconds.
    assert!(started.elapsed().expect("a clock") < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[test]
fn a_start_that_fails_gives_an_exit_code_and_one_error_in_the_log_which_names_the_variable() {
    for (variable, value) in [
        ("SIGNAL_TOPIC_ARN", "signals"),
        ("RULES_BUNDLE", "/nowhere"),
        ("AWS_REGION", "us east"),
        ("AWS_ENDPOINT_URL", "not a url"),
        ("AWS_ENDPOINT_URL", "http://"),
        ("AWS_ENDPOINT_URL", "localhost:4566"),
        ("AWS_ENDPOINT_URL_SNS", "ftp://localhost"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "https:///table"),
        ("AWS_USE_FIPS_ENDPOINT", "yes"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "1"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "on"),
        // Nobody answers there.
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
    ] {
        let lambda = [
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
            ("AWS_LAMBDA_FUNCTION_NAME", "f"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ];
        let output = start(&[&KEYS[..], &lambda, &[REGION, TOPIC, (variable, value)]].concat());
        assert_eq!(output.status.code(), Some(1), "{variable}={value}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{variable}={value}");
        let lines = lines(&String::from_utf8(output.stdout).expect("UTF-8"));
        let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
        let [error] = errors[..] else { panic!("{variable}={value}: {lines:?}") };
        assert_eq!(error["message"], "the function cannot start");
        let reason = error["reason"].as_str().expect("a reason");
        // A variable for one service is named by that for all.
        assert!(variable.starts_with(reason.split(' ').next().expect("a variable")), "{variable}: {reason}");
    }
}

#[test]
fn an_invocation_that_ends_in_an_error_logs_each_failure_once() {
    // No server here has this delivery.
    let everything = ("AWS_ENDPOINT_URL", "http://{other}");
    let process = Process::start(&[&KEYS[..], &[REGION, TOPIC, everything]].concat());
    let requests = process.requests();
    assert!(requests.last().expect("an answer").path.ends_with("/error"), "{requests:?}");
    let lines = lines(&process.log());
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    let [error] = errors[..] else { panic!("{lines:?}") };
    assert_eq!((error["message"].as_str(), error["retry"].as_str()), (Some("failed"), Some("permanent")));
}

#[test]
fn a_payload_that_is_not_json_fails_with_an_error_and_a_log_line_of_the_function() {
    let variables = [&KEYS[..], &S3_AND_SNS, &[REGION, TOPIC]].concat();
    let process = Process::start_with(&variables, r#"{"Records":[{"eventSource":"aws:s3""#.to_owned());
    let requests = process.requests();
    let [answer] = &requests[..] else { panic!("{requests:?}") };
    assert!(answer.path.ends_with("/error"), "{answer:?}");
    let error: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(error["errorType"], "PermanentError", "{error}");
    let log = process.log();
    assert!(log.contains("the payload does not hold JSON"), "{log}");
    assert!(
        log.contains(r#""message":"failed""#) && log.contains(r#""message":"invocation finished""#),
        "{log}"
    );
}
