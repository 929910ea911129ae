//! Settings, of the function and of the AWS SDKs: an invalid one is named at once, and every request has a time-out.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloudtrail_signals::aws;
use cloudtrail_signals::settings::{Error, Settings, Wanted};
use serde_json::{Value, json};

const TOPIC: (&str, &str) = ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:signals");

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
        ("SIGNAL_TOPIC_ARN", "arn:azure:sns:us-east-1:111122223333:signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:US East:111122223333:signals"),
        ("SIGNAL_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:signals:11111111-2222"),
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
        ("MEMORY_TABLE", "my table"),
        ("MEMORY_TABLE", "me"),
        ("MEMORY_TABLE", "arn:aws:dynamodb:us-east-1:111122223333:memory"),
        ("MEMORY_TABLE", "arn:aws:dynamodb:us-east-1:111122223333:table/memory/index/x"),
        ("MEMORY_TABLE", "arn:aws:dynamodb:US East:111122223333:table/memory"),
        ("MEMORY_TABLE", "arn:aws:sns:us-east-1:111122223333:memory"),
        ("LEARNING_DAYS", "-1"),
        ("LEARNING_DAYS", "1.5"),
        ("LEARNING_DAYS", "5d"),
        ("LEARNING_DAYS", "3651"),
        ("ACCOUNT_SILENCE_HOURS", "-1"),
        ("ACCOUNT_SILENCE_HOURS", "1d"),
        ("ACCOUNT_SILENCE_HOURS", "721"),
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

/// A request that the function sent.
#[derive(Debug)]
struct Request {
    /// Which of the servers took it.
    server: &'static str,
    method: String,
    path: String,
    headers: HashMap<String, String>,
    body: String,
}

impl Request {
    /// Access key, region and service that the request is signed with.
    fn signature(&self) -> (&str, &str, &str) {
        let scope = self.headers["authorization"].split("Credential=").nth(1).expect("a credential");
        let parts: Vec<_> = scope.split(',').next().expect("a scope").split('/').collect();
        (parts[0], parts[2], parts[3])
    }
}

/// Starts a server; what it gets goes to `seen`, and `answer` makes the status, headers and body of each answer.
fn serve(
    server: &'static str,
    seen: Sender<Request>,
    answer: impl Fn(&Request) -> Option<(u16, String, String)> + Send + Clone + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (seen, answer) = (seen.clone(), answer.clone());
            thread::spawn(move || connection(server, stream, &seen, answer));
        }
    });
    address
}

fn connection(
    server: &'static str,
    mut stream: TcpStream,
    seen: &Sender<Request>,
    answer: impl Fn(&Request) -> Option<(u16, String, String)>,
) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split(' ').map(str::to_owned);
        let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header");
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a number"));
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let body = String::from_utf8(body).expect("UTF-8");
        let request = Request { server, method, path, headers, body };
        let answer = answer(&request);
        let _ = seen.send(request);
        // There is nothing more to do: the function waits for its next event until the test ends it.
        let Some((status, headers, body)) = answer else { return thread::sleep(Duration::from_mins(1)) };
        let head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// The function as a separate process, as Lambda runs it, with servers for everything it speaks to.
struct Process {
    child: Child,
    seen: Receiver<Request>,
}

impl Process {
    /// Starts it with these variables, in which `{s3}`, `{sns}` and `{other}` stand for the addresses of servers, and
    /// lets it handle one event: a delivery of one record.
    fn start(variables: &[(&str, &str)]) -> Self {
        let event = json!({ "Records": [{
            "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": "trail" }, "object": { "key": "AWSLogs/111122223333/CloudTrail/x/1.json.gz" } },
        }] });
        Self::start_with(variables, event.to_string())
    }

    /// The same with any payload as the event.
    fn start_with(variables: &[(&str, &str)], payload: String) -> Self {
        let (sender, seen) = channel();
        let record = json!({
            "eventVersion": "1.11", "eventSource": "lambda.amazonaws.com", "eventName": "UpdateFunctionCode20150331v2",
            "eventID": "e-1", "eventTime": "2026-02-03T04:05:06Z", "recipientAccountId": "111122223333",
        });
        let delivery = json!({ "Records": [record] }).to_string();
        let s3 = serve("s3", sender.clone(), move |_| Some((200, String::new(), delivery.clone())));
        let topic = |_: &Request| {
            let taken = "<PublishBatchResponse><PublishBatchResult><Failed/><Successful><member><Id>0</Id>\
                <MessageId>m</MessageId></member></Successful></PublishBatchResult></PublishBatchResponse>";
            Some((200, String::new(), taken.to_owned()))
        };
        let sns = serve("sns", sender.clone(), topic);
        let other = serve("other", sender.clone(), |_| {
            Some((404, String::new(), "<Error><Code>NoSuchKey</Code></Error>".to_owned()))
        });
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() + 20_000;
        let head = format!(
            "lambda-runtime-aws-request-id: r\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:111122223333:function:f\r\n"
        );
        let first = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let runtime = serve("runtime", sender, move |request| match request.path.rsplit('/').next() {
            Some("next") if first.swap(false, std::sync::atomic::Ordering::SeqCst) => {
                Some((200, head.clone(), payload.clone()))
            }
            Some("next") => None,
            _ => Some((202, String::new(), String::new())),
        });
        let address =
            |value: &str| value.replace("{s3}", &s3).replace("{sns}", &sns).replace("{other}", &other);
        let child = Command::new(env!("CARGO_BIN_EXE_cloudtrail-signals"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime)
            .env("AWS_LAMBDA_FUNCTION_NAME", "f")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .envs(variables.iter().map(|(name, value)| (*name, address(value))))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the function starts");
        Self { child, seen }
    }

    /// Everything that it sends until it has answered the event, with the answer last.
    fn requests(&self) -> Vec<Request> {
        let mut requests = Vec::new();
        loop {
            let request = self.seen.recv_timeout(Duration::from_secs(20)).expect("an answer to the event");
            if request.server == "runtime" && request.path.ends_with("/next") {
                continue;
            }
            let is_last = request.server == "runtime";
            requests.push(request);
            if is_last {
                return requests;
            }
        }
    }
}

impl Process {
    /// Ends it. Returns what it has logged.
    fn log(mut self) -> String {
        let _ = self.child.kill();
        let mut log = String::new();
        self.child.stdout.take().expect("a pipe").read_to_string(&mut log).expect("UTF-8");
        log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
const REGION: (&str, &str) = ("AWS_REGION", "us-east-1");
const S3_AND_SNS: [(&str, &str); 2] =
    [("AWS_ENDPOINT_URL_S3", "http://{s3}"), ("AWS_ENDPOINT_URL_SNS", "http://{sns}")];

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

#[test]
fn without_a_region_the_start_fails_at_once_and_names_the_variable() {
    let started = SystemTime::now();
    let output = Command::new(env!("CARGO_BIN_EXE_cloudtrail-signals"))
        .env_clear()
        .envs([KEYS[0], KEYS[1], TOPIC])
        .output()
        .expect("the function starts");
    let log = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!output.status.success() && log.contains("the function cannot start"), "{log}");
    assert!(log.contains("AWS_REGION is missing"), "{log}");
    // Nothing was asked for it: instance metadata, the last resort of an SDK, would cost seconds.
    assert!(started.elapsed().expect("a clock") < Duration::from_secs(1), "{:?}", started.elapsed());
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
