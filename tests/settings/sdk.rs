//! The settings that all AWS SDKs share.

use serde_json::{Value, json};

use crate::process::{Process, Request};
use crate::{KEYS, REGION, S3_AND_SNS, TOPIC};

/// Server, access key, region and service of each request to AWS.
fn signatures(requests: &[Request]) -> Vec<(&'static str, &str, &str, &str)> {
    let sent = requests.iter().filter(|request| request.server != "runtime");
    sent.map(|request| {
        let (key, region, service) = request.signature();
        (request.server, key, region, service)
    })
    .collect()
}

#[test]
fn a_topic_in_another_region_is_published_to_there_and_signed_for_the_region_of_its_arn() {
    let topic = ("SIGNAL_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:signals");
    let process = Process::start(&[&KEYS[..], &S3_AND_SNS, &[REGION, topic]].concat());
    let requests = process.requests();
    let expected = [("s3", "id", "us-east-1", "s3"), ("sns", "id", "eu-central-1", "sns")];
    assert_eq!(signatures(&requests), expected);
    assert!(requests[1].body.contains("arn%3Aaws%3Asns%3Aeu-central-1"), "{}", requests[1].body);
    let answer: Value = serde_json::from_str(&requests[2].body).expect("JSON");
    assert_eq!((&requests[2].method, &answer["published"]), (&"POST".to_owned(), &json!(1)), "{answer}");
}

#[test]
fn the_endpoint_of_a_service_goes_before_the_endpoint_of_all() {
    let everything = ("AWS_ENDPOINT_URL", "http://{other}");
    let process = Process::start(&[&KEYS[..], &S3_AND_SNS, &[REGION, TOPIC, everything]].concat());
    let servers: Vec<_> = process.requests().iter().map(|request| request.server).collect();
    assert_eq!(servers, ["s3", "sns", "runtime"]);

    let process = Process::start(&[&KEYS[..], &[REGION, TOPIC, everything]].concat());
    let servers: Vec<_> = process.requests().iter().map(|request| request.server).collect();
    assert_eq!(servers, ["other", "runtime"]);
}

#[test]
fn configured_endpoints_fips_and_dual_stack_are_what_the_environment_says() {
    // No region has this name, and S3 has no FIPS or dual-stack endpoint at a custom address: if the variable takes
    // effect, the servers here are not called.
    for (variable, expected) in [
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "could not be sent"),
        ("AWS_USE_FIPS_ENDPOINT", "cannot be combined with FIPS"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "dual-stack in combination with a custom endpoint"),
    ] {
        let unreachable = ("AWS_REGION", "nowhere-1");
        let variables = [&KEYS[..], &S3_AND_SNS, &[unreachable, TOPIC, (variable, "true")]].concat();
        let process = Process::start(&variables);
        let requests = process.requests();
        let [answer] = &requests[..] else { panic!("{variable}: {requests:?}") };
        assert!(
            answer.path.ends_with("/error") && answer.body.contains(expected),
            "{variable}: {}",
            answer.body
        );
    }
}

#[test]
fn a_profile_file_that_is_named_gives_region_endpoints_and_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, credentials) = (folder.path().join("config"), folder.path().join("credentials"));
    let process = |variables: &[(&str, &str)]| {
        let files = [
            ("AWS_CONFIG_FILE", config.to_str().expect("UTF-8")),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().expect("UTF-8")),
            ("AWS_PROFILE", "trail"),
        ];
        Process::start(&[&files[..], &S3_AND_SNS, &[TOPIC], variables].concat())
    };
    std::fs::write(&config, "[profile trail]\nregion = eu-west-1\n").expect("a file");
    std::fs::write(&credentials, "[trail]\naws_access_key_id = named\naws_secret_access_key = secret\n")
        .expect("a file");
    let requests = process(&[]).requests();
    assert_eq!(signatures(&requests)[0], ("s3", "named", "eu-west-1", "s3"));

    // Lambda's own variables take precedence over a file.
    let requests = process(&[KEYS[0], KEYS[1], REGION]).requests();
    assert_eq!(signatures(&requests)[0], ("s3", "id", "us-east-1", "s3"));
}
