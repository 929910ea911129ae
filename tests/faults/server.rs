//! A local server for S3, SNS and DynamoDB that speaks enough HTTP for the real SDK clients, and misbehaves on purpose.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::{dynamodb, s3, sns};

/// What happens to requests, one after the other: the script first, then always its last entry. Without either, the
/// answer is a good one.
#[derive(Debug, Clone)]
pub struct Script<F> {
    pub first: VecDeque<F>,
    pub then: Option<F>,
}

impl<F> Default for Script<F> {
    fn default() -> Self {
        Self { first: VecDeque::new(), then: None }
    }
}

impl<F: Clone> Script<F> {
    pub fn once(faults: impl IntoIterator<Item = F>) -> Self {
        Self { first: faults.into_iter().collect(), then: None }
    }

    pub fn forever(fault: F) -> Self {
        Self { first: VecDeque::new(), then: Some(fault) }
    }

    pub fn next(&mut self) -> Option<F> {
        self.first.pop_front().or_else(|| self.then.clone())
    }
}

/// A request as received.
#[derive(Debug, Clone)]
pub struct Request {
    pub at: Instant,
    pub method: String,
    /// Decoded, without the query.
    pub path: String,
    /// Decoded pairs of the query, or of a form in the body.
    pub fields: HashMap<String, String>,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

/// An answer, and how it goes wrong on the wire.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub wire: Wire,
}

/// What happens on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Wire {
    #[default]
    Good,
    /// Not a byte, only a reset.
    Reset,
    /// Something that is not HTTP.
    NotHttp,
    /// This body in the place of the answer's own.
    Instead(&'static str),
    /// Headers that promise the whole body, this share of it, and then …
    Break(f64, End),
    /// The body in this many pieces, with a pause before each.
    Drip(u32, Duration),
}

/// How a body ends too early.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    Reset,
    Close,
    Stall,
}

#[derive(Debug, Default)]
pub struct State {
    /// By `bucket/key`.
    pub objects: HashMap<String, Vec<u8>>,
    /// For GET, by the last segment of the key; for other methods, by the method.
    pub get_faults: HashMap<String, Script<s3::Get>>,
    pub batch_faults: Script<sns::Batch>,
    /// The items of the table, by key.
    pub items: BTreeMap<String, Value>,
    /// What DynamoDB would bill.
    pub billed: dynamodb::Billed,
    pub read_faults: Script<dynamodb::Table>,
    pub write_faults: Script<dynamodb::Table>,
    pub requests: Vec<Request>,
    /// After this many requests none is answered: the request is carried out, and then the function is killed.
    pub killed_after: Option<usize>,
    /// What the topic took.
    pub published: Vec<sns::Published>,
    /// Requests that SNS itself would refuse, by its codes.
    pub broken_limits: Vec<&'static str>,
    pub connections: Vec<Instant>,
    under_way: usize,
    /// The most requests that were under way at the same time.
    pub peak: usize,
}

impl State {
    pub fn get_fault(&mut self, request: &Request) -> Option<s3::Get> {
        let name = if request.method == "GET" { request.path.rsplit('/').next()? } else { &request.method };
        self.get_faults.get_mut(name)?.next()
    }

    pub fn batch_fault(&mut self) -> Option<sns::Batch> {
        self.batch_faults.next()
    }
}

/// The server; it ends when dropped.
pub struct Server {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
    kill: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let kill = Arc::new(Notify::new());
        let killer = Arc::clone(&kill);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                lock(&shared).connections.push(Instant::now());
                // Head and body are written separately, and the client must not wait for the second.
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, Arc::clone(&shared), Arc::clone(&killer)));
            }
        });
        Self { endpoint, state, kill, task }
    }

    /// Waits for the request after which the function is to be killed.
    pub async fn kill(&self) {
        self.kill.notified().await;
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no test panics while it holds the state")
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, kill: Arc<Notify>) {
    while let Some(request) = read(&mut stream).await {
        {
            let mut state = lock(&state);
            state.requests.push(request.clone());
            state.under_way += 1;
            state.peak = state.peak.max(state.under_way);
        }
        let (delay, answer, is_last) = {
            let mut state = lock(&state);
            let is_late = state.killed_after.is_some_and(|after| state.requests.len() > after);
            if is_late {
                return;
            }
            let is_last = state.killed_after == Some(state.requests.len());
            let (delay, answer) = respond(&request, &mut state);
            (delay, answer, is_last)
        };
        if is_last {
            kill.notify_one();
            // The caller is killed before it sees the answer.
            return sleep(Duration::from_mins(1)).await;
        }
        sleep(delay).await;
        let go_on = write(&mut stream, answer).await;
        lock(&state).under_way -= 1;
        if !go_on {
            return;
        }
    }
}

fn respond(request: &Request, state: &mut State) -> (Duration, Answer) {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/") if dynamodb::operation(request).is_some() => dynamodb::answer(request, state),
        ("POST", "/") => sns::publish_batch(request, state),
        ("GET" | "HEAD" | "PUT", _) => s3::answer(request, state),
        _ => (Duration::ZERO, Answer { status: 405, ..Answer::default() }),
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let at = Instant::now();
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?);
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap_or(0));
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut fields = form(query);
    if headers.get("content-type").is_some_and(|kind| kind.contains("form-urlencoded")) {
        fields.extend(form(&String::from_utf8_lossy(&body)));
    }
    Some(Request { at, method, path: decoded(path), fields, headers, body })
}

fn form(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(&value.replace('+', " ")))).collect()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Writes an answer; returns whether the connection can be used again.
async fn write(stream: &mut TcpStream, mut answer: Answer) -> bool {
    if let Wire::Instead(body) = answer.wire {
        answer.body = body.as_bytes().to_vec();
    }
    let head = match answer.wire {
        Wire::Reset => return reset(stream),
        Wire::NotHttp => "HELO this is no web server\r\n\r\n".to_owned(),
        _ => head(&answer),
    };
    if stream.write_all(head.as_bytes()).await.is_err() {
        return false;
    }
    match answer.wire {
        Wire::Reset | Wire::NotHttp => false,
        Wire::Good | Wire::Instead(_) => stream.write_all(&answer.body).await.is_ok(),
        Wire::Drip(pieces, pause) => {
            for piece in answer.body.chunks(answer.body.len().div_ceil(pieces as usize).max(1)) {
                sleep(pause).await;
                if stream.write_all(piece).await.is_err() {
                    return false;
                }
            }
            true
        }
        Wire::Break(share, end) => {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let length = (answer.body.len() as f64 * share) as usize;
            if stream.write_all(&answer.body[..length]).await.is_err() {
                return false;
            }
            // Lets the bytes get there before the end does.
            sleep(Duration::from_millis(20)).await;
            match end {
                End::Reset => reset(stream),
                End::Close => false,
                End::Stall => {
                    // Until the client has had enough.
                    let _ = stream.read(&mut [0]).await;
                    false
                }
            }
        }
    }
}

fn head(answer: &Answer) -> String {
    use std::fmt::Write;
    let mut head = format!("HTTP/1.1 {} Status\r\n", answer.status);
    if !answer.headers.iter().any(|(name, _)| *name == "content-length") {
        let _ = write!(head, "content-length: {}\r\n", answer.body.len());
    }
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head + "\r\n"
}

fn reset(stream: &TcpStream) -> bool {
    let _ = stream.set_zero_linger();
    false
}
