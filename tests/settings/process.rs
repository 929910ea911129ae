//! The function as a separate process, and the servers that it speaks to.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

/// A request that the function sent.
#[derive(Debug)]
pub struct Request {
    /// Which of the servers took it.
    pub server: &'static str,
    pub method: String,
    pub path: String,
    headers: HashMap<String, String>,
    pub body: String,
}

impl Request {
    /// Access key, region and service that the request is signed with.
    pub fn signature(&self) -> (&str, &str, &str) {
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
pub struct Process {
    child: Child,
    seen: Receiver<Request>,
}

impl Process {
    /// Starts it with these variables, in which `{s3}`, `{sns}` and `{other}` stand for the addresses of servers, and
    /// lets it handle one event: a delivery of one record.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        let event = json!({ "Records": [{
            "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": "trail" }, "object": { "key": "AWSLogs/111122223333/CloudTrail/x/1.json.gz" } },
        }] });
        Self::start_with(variables, event.to_string())
    }

    /// The same with any payload as the event.
    pub fn start_with(variables: &[(&str, &str)], payload: String) -> Self {
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
    pub fn requests(&self) -> Vec<Request> {
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
    pub fn log(mut self) -> String {
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
