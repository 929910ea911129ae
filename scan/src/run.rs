//! Reading files in parallel, and printing what is in them in their order.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Instant, SystemTime};

use detection::detect::{Inspector, Ruleset, Tally};
use detection::ecs::Document;
use detection::origin::Origin;
use detection::query::Query;
use detection::records::{Decoder, Record, Rejection};
use detection::signal::{Signal, SignalId};
use detection::time::rfc3339;
use indicatif::{ProgressBar, ProgressStyle};

use crate::files;

const CHUNK_BYTES: usize = 64 * 1024;
/// What is found is handed over in batches of about so many bytes: to wake the printer costs more than to find.
const BATCH_BYTES: usize = 64 * 1024;
/// Batches that a file may be ahead of the one that is being printed.
const BATCHES_AHEAD: usize = 4;

/// What to print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A signal a line.
    Signals,
    /// The ECS document of a record a line.
    Documents,
}

/// What to do with every file.
pub struct Job<'a> {
    pub rules: &'a Ruleset,
    pub exceptions: Option<&'a Query>,
    pub output: Output,
}

/// What comes from a file on its way to the output.
enum News {
    Signals(Vec<Signal>),
    Documents(Vec<String>),
    Problem(String),
    Done(Read),
}

/// What was read of one file or of all.
#[derive(Clone, Copy, Default)]
struct Read {
    files: u64,
    tally: Tally,
    bytes_in: u64,
    bytes_inflated: u64,
}

/// What has been printed, for the summary.
#[derive(Default)]
struct Printed {
    read: Read,
    published: u64,
    duplicates: u64,
    seen: HashSet<SignalId>,
    by_rule: BTreeMap<String, u64>,
    problems: u64,
}

/// A file, and where its news go.
type Task = (Result<PathBuf, files::Error>, SyncSender<News>);

/// Does the job for all paths, and says whether everything went well.
pub fn run(job: &Job<'_>, paths: &[PathBuf], output: &mut impl Write) -> io::Result<bool> {
    let started = Instant::now();
    let inputs = files::inputs(paths);
    let bytes = inputs.iter().flatten().filter_map(|path| path.metadata().ok()).map(|data| data.len()).sum();
    let progress = progress_bar(bytes);
    let now = rfc3339(SystemTime::now());
    let workers = thread::available_parallelism().map_or(1, usize::from).min(inputs.len());
    let mut printed = Printed::default();
    thread::scope(|scope| {
        let (tasks, queue) = sync_channel::<Task>(workers);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..workers {
            let queue = Arc::clone(&queue);
            let reader = Reader { job, now: &now, progress: &progress };
            scope.spawn(move || {
                while let Some((input, news)) = next_task(&queue) {
                    reader.read(&input, &news);
                }
            });
        }
        // Files are begun and printed in their order, so the one that is being printed is always under way.
        let mut under_way = VecDeque::new();
        for input in inputs {
            if under_way.len() == workers
                && let Some(oldest) = under_way.pop_front()
            {
                printed.print(&oldest, output)?;
            }
            let (sender, receiver) = sync_channel(BATCHES_AHEAD);
            under_way.push_back(receiver);
            // The workers live until the tasks end.
            tasks.send((input, sender)).map_err(io::Error::other)?;
        }
        under_way.iter().try_for_each(|receiver| printed.print(receiver, output))
    })?;
    output.flush()?;
    progress.finish_and_clear();
    printed.summarise(job, started);
    Ok(printed.problems == 0)
}

fn next_task(queue: &Mutex<Receiver<Task>>) -> Option<Task> {
    queue.lock().ok()?.recv().ok()
}

/// Hidden by itself where standard error is no terminal.
fn progress_bar(bytes: u64) -> ProgressBar {
    let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
    // The template is a constant, and valid.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}

/// Reads files on a thread of its own.
struct Reader<'a> {
    job: &'a Job<'a>,
    now: &'a str,
    progress: &'a ProgressBar,
}

/// Whoever prints has stopped listening.
struct Stopped;

impl<T> From<SendError<T>> for Stopped {
    fn from(_: SendError<T>) -> Self {
        Self
    }
}

impl Reader<'_> {
    fn read(&self, input: &Result<PathBuf, files::Error>, news: &SyncSender<News>) {
        let result = match input {
            Ok(path) => self.file(path, news),
            Err(problem) => news.send(News::Problem(problem.clone())).map_err(Stopped::from),
        };
        // Nobody is left to hear of it.
        let (Ok(()) | Err(Stopped)) = result;
    }

    fn file(&self, path: &Path, news: &SyncSender<News>) -> Result<(), Stopped> {
        let name = path.display().to_string();
        let origin = Origin::File(name.clone());
        let mut inspector = Inspector::new(self.job.rules, self.job.exceptions, &origin, self.now);
        let mut documents = Vec::new();
        let mut decoder = Decoder::new();
        let read = self.records(path, &mut decoder, &mut inspector, &mut documents, news)?;
        hand_over(&mut inspector, &mut documents, news)?;
        if let Err(problem) = read.and_then(|()| decoder.finish().map_err(|error| error.to_string())) {
            news.send(News::Problem(format!("{name}: {problem}")))?;
        }
        for (position, rejection) in &inspector.rejections {
            news.send(News::Problem(format!("{name}: record {position}: {rejection}")))?;
        }
        Ok(news.send(News::Done(Read {
            files: 1,
            tally: inspector.tally,
            bytes_in: decoder.bytes_read(),
            bytes_inflated: decoder.bytes_inflated(),
        }))?)
    }

    /// Reads a file to its end or to the problem that ends it.
    fn records(
        &self,
        path: &Path,
        decoder: &mut Decoder,
        inspector: &mut Inspector<'_>,
        documents: &mut Vec<String>,
        news: &SyncSender<News>,
    ) -> Result<Result<(), String>, Stopped> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let length = match file.read(&mut chunk) {
                Ok(0) => return Ok(Ok(())),
                Ok(length) => length,
                Err(error) => return Ok(Err(error.to_string())),
            };
            self.progress.inc(length as u64);
            let mut input = &chunk[..length];
            let mut more = true;
            while more {
                let step = decoder.step(&mut input, &mut |position, record| match self.job.output {
                    Output::Signals => inspector.inspect(position, record),
                    Output::Documents => documents.extend(document(record, inspector)),
                });
                inspector.suppressed.clear();
                let signal_bytes: usize = inspector.found.iter().map(Signal::bytes).sum();
                let document_bytes: usize = documents.iter().map(String::len).sum();
                if signal_bytes + document_bytes >= BATCH_BYTES {
                    hand_over(inspector, documents, news)?;
                }
                more = match step {
                    Ok(more) => more,
                    Err(error) => return Ok(Err(error.to_string())),
                };
            }
        }
    }
}

/// Sends what has been found to the printer.
fn hand_over(
    inspector: &mut Inspector<'_>,
    documents: &mut Vec<String>,
    news: &SyncSender<News>,
) -> Result<(), Stopped> {
    if !inspector.found.is_empty() {
        news.send(News::Signals(std::mem::take(&mut inspector.found)))?;
    }
    if !documents.is_empty() {
        news.send(News::Documents(std::mem::take(documents)))?;
    }
    Ok(())
}

/// The ECS document of a record, counted as the inspector would count a record without a match.
fn document(record: Record<'_>, inspector: &mut Inspector<'_>) -> Option<String> {
    let parsed =
        record.and_then(|record| serde_json::from_slice(record.text()).map_err(|_| Rejection::InvalidJson));
    match parsed {
        Ok(fields) => {
            inspector.inspect(0, record);
            inspector.found.clear();
            serde_json::to_string(&Document::from_record(fields)).ok()
        }
        Err(rejection) => {
            inspector.inspect(inspector.tally.records, Err(rejection));
            None
        }
    }
}

impl AddAssign for Read {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.tally += other.tally;
        self.bytes_in += other.bytes_in;
        self.bytes_inflated += other.bytes_inflated;
    }
}

impl Printed {
    fn print(&mut self, news: &Receiver<News>, output: &mut impl Write) -> io::Result<()> {
        for news in news {
            match news {
                News::Signals(signals) => {
                    signals.into_iter().try_for_each(|signal| self.print_once(signal, output))?;
                }
                News::Documents(documents) => {
                    documents.iter().try_for_each(|document| writeln!(output, "{document}"))?;
                }
                News::Problem(problem) => {
                    self.problems += 1;
                    eprintln!("{problem}");
                }
                News::Done(read) => self.read += read,
            }
        }
        Ok(())
    }

    fn print_once(&mut self, signal: Signal, output: &mut impl Write) -> io::Result<()> {
        if self.seen.insert(signal.id) {
            self.published += 1;
            writeln!(output, "{}", signal.message)?;
            *self.by_rule.entry(signal.rule).or_default() += 1;
        } else {
            self.duplicates += 1;
        }
        Ok(())
    }

    fn summarise(&self, job: &Job<'_>, started: Instant) {
        let Read { files, tally, bytes_in, bytes_inflated } = self.read;
        let Tally { records, matched, unmatched, rejected, signals, suppressed } = tally;
        let Self { published, duplicates, .. } = self;
        let seconds = started.elapsed().as_secs_f64();
        let mut lines = vec![format!(
            "{files} files, {records} records: {matched} matched, {unmatched} unmatched, {rejected} rejected"
        )];
        if job.output == Output::Signals {
            lines.push(format!(
                "{signals} signals: {published} printed, {suppressed} suppressed, {duplicates} duplicates"
            ));
            lines.extend(job.rules.rules().iter().map(|rule| {
                let printed = self.by_rule.get(&rule.definition.rule_id).copied().unwrap_or_default();
                format!("{printed:>8}  {}", rule.definition.name)
            }));
        }
        lines.push(format!("{bytes_in} bytes read, {bytes_inflated} inflated, in {seconds:.2} s"));
        if self.problems > 0 {
            lines.push(format!("{} problems, see above", self.problems));
        }
        // Standard error has no buffer: every piece would be a write of its own.
        eprintln!("{}", lines.join("\n"));
    }
}
