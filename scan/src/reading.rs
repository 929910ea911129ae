//! Reads files, from their bytes to their signals.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SendError, SyncSender};

use detection::detect::{Reach, Ruleset};
use detection::ecs::Document;
use detection::memory::Firsts;
use detection::origin::Origin;
use detection::pipeline::Pipeline;
use detection::records::{self, Decoder, RawRecord, Record};
use detection::signal::Signal;
use indicatif::ProgressBar;

use crate::content;
use crate::inputs::{Failure, Input};
use crate::memory;
use crate::selection::Selection;
use crate::summary::{Read, count, name};

const CHUNK_BYTES: usize = 64 * 1024;
/// Results go to the printer in batches of about this many bytes: waking it takes longer than finding a result.
const BATCH_BYTES: usize = 64 * 1024;

/// What to print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// One signal per line.
    Signals,
    /// The ECS document of one record per line.
    Documents,
}

/// What to do with every file.
pub struct Job<'a> {
    pub rules: &'a Ruleset,
    pub output: Output,
    pub selection: Selection,
    /// How many signals a rule may have per day.
    pub max_per_day: Option<u64>,
}

/// A message from a reader to the printer.
pub enum News {
    Signals(Vec<Signal>),
    Documents(Vec<String>),
    /// Matches of rules that remember, and their file.
    Matches(PathBuf, Vec<memory::Found>),
    /// A line about an error.
    Problem(String),
    PassedOver(&'static str, PathBuf),
    /// The exceptions that took out a match.
    Excepted(BTreeSet<String>),
    Read(Read),
}

/// Reads files on its own thread, and reuses its memory from one file to the next.
pub struct Reader<'a> {
    job: &'a Job<'a>,
    now: &'a str,
    progress: &'a ProgressBar,
    decoder: Decoder,
    chunk: Vec<u8>,
    /// What the rules could see of all files so far.
    reach: Option<Box<Reach>>,
    firsts: Firsts,
}

/// Why reading a file stopped.
enum End {
    /// The printer has closed the channel.
    Stopped,
    PassedOver(&'static str),
    Failed(String),
}

impl<T> From<SendError<T>> for End {
    fn from(_: SendError<T>) -> Self {
        Self::Stopped
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<records::Error> for End {
    fn from(error: records::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl<'a> Reader<'a> {
    /// A reader for one thread. `now` is the time of the run.
    pub fn new(job: &'a Job<'a>, now: &'a str, progress: &'a ProgressBar) -> Self {
        let reach = (job.output == Output::Signals).then(|| Box::new(Reach::new(job.rules)));
        Self {
            job,
            now,
            progress,
            decoder: Decoder::new(),
            chunk: vec![0; CHUNK_BYTES],
            reach,
            firsts: Firsts::default(),
        }
    }

    /// Reads a block of inputs and sends the results, until the printer closes the channel.
    pub fn read(&mut self, block: &[Result<Input, Failure>], news: &SyncSender<News>) {
        let mut read = Read::default();
        let each = block.iter().try_for_each(|input| match input {
            Ok(input) => self.file(input, &mut read, news),
            Err(problem) => {
                read.failed += 1;
                news.send(News::Problem(problem.clone()))
            }
        });
        // The printer has closed the channel: the results are no longer wanted.
        let (Ok(()) | Err(SendError(_))) = each.and_then(|()| news.send(News::Read(read)));
    }

    /// What the rules could see, unless documents were printed.
    pub fn into_reach(self) -> Option<Box<Reach>> {
        self.reach
    }

    fn file(
        &mut self,
        input: &Input,
        read: &mut Read,
        news: &SyncSender<News>,
    ) -> Result<(), SendError<News>> {
        let origin = Origin::File(input.path.display().to_string());
        let mut pipeline = Pipeline::new(self.job.rules, &origin, self.now);
        pipeline.reach = self.reach.take();
        // An input that cannot be read again keeps every record.
        pipeline.firsts = input.path.is_file().then(|| mem::take(&mut self.firsts));
        let mut findings = Findings {
            job: self.job,
            path: &input.path,
            pipeline,
            documents: Vec::new(),
            matches: Vec::new(),
            left_out: 0,
            excepted: BTreeSet::new(),
            news,
        };
        self.decoder.restart();
        let end = self.records(input, &mut findings);
        self.reach = findings.pipeline.reach.take();
        if let Some(firsts) = findings.pipeline.firsts.take() {
            self.firsts = firsts;
        }
        findings.hand_over()?;
        if !findings.excepted.is_empty() {
            news.send(News::Excepted(mem::take(&mut findings.excepted)))?;
        }
        *read += Read {
            tally: findings.pipeline.tally,
            left_out: findings.left_out,
            bytes_in: self.decoder.bytes_read(),
            bytes_inflated: self.decoder.bytes_inflated(),
            ..Read::default()
        };
        match end {
            Ok(()) => read.files += 1,
            Err(End::Stopped) => return Ok(()),
            Err(End::PassedOver(reason)) => news.send(News::PassedOver(reason, input.path.clone()))?,
            Err(End::Failed(problem)) => {
                read.failed += 1;
                news.send(News::Problem(format!("{}: {problem}", name(&input.path))))?;
            }
        }
        findings
            .rejections()
            .try_for_each(|rejection| news.send(News::Problem(format!("{}: {rejection}", name(&input.path)))))
    }

    fn records(&mut self, input: &Input, findings: &mut Findings<'_>) -> Result<(), End> {
        let Self { progress, decoder, chunk, .. } = self;
        let mut file = File::open(&input.path)?;
        let mut judged = input.named;
        loop {
            let length = file.read(chunk)?;
            let mut bytes = &chunk[..length];
            if !judged {
                match content::strange(bytes) {
                    // Only white space so far.
                    Some(content::EMPTY) if length > 0 => {}
                    Some(reason) => return Err(End::PassedOver(reason)),
                    None => judged = true,
                }
            }
            if length == 0 {
                decoder.end();
            }
            progress.inc(length as u64);
            while decoder.step(&mut bytes, &mut |position, record| findings.take(position, record))? {
                findings.hand_over_batch()?;
            }
            findings.hand_over_batch()?;
            if length == 0 {
                return Ok(decoder.finish()?);
            }
        }
    }
}

/// Passes every record of a file to `take`, with its position, up to an error in its bytes.
pub fn each_record(
    path: &Path,
    take: &mut impl FnMut(u64, Record<'_>),
) -> io::Result<Result<(), records::Error>> {
    let (mut file, mut decoder, mut chunk) = (File::open(path)?, Decoder::new(), vec![0; CHUNK_BYTES]);
    loop {
        let length = file.read(&mut chunk)?;
        if length == 0 {
            decoder.end();
        }
        let mut bytes = &chunk[..length];
        loop {
            match decoder.step(&mut bytes, take) {
                Ok(true) => {}
                Ok(false) if length == 0 => return Ok(decoder.finish()),
                Ok(false) => break,
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}

/// Collects the results of a file for the printer.
struct Findings<'a> {
    job: &'a Job<'a>,
    path: &'a Path,
    pipeline: Pipeline<'a>,
    documents: Vec<String>,
    matches: Vec<memory::Found>,
    /// Records that were not asked for.
    left_out: u64,
    /// The exceptions that took out a match.
    excepted: BTreeSet<String>,
    news: &'a SyncSender<News>,
}

impl Findings<'_> {
    fn take(&mut self, position: u64, record: Record<'_>) {
        if record.is_ok_and(|record| !self.job.selection.takes(record)) {
            self.left_out += 1;
            return;
        }
        match self.job.output {
            Output::Signals => {
                self.pipeline.process(position, record);
                let candidates = self.pipeline.candidates.drain(..);
                self.matches.extend(candidates.map(|candidate| (position, candidate)));
            }
            Output::Documents => self.documents.extend(document(position, record, &mut self.pipeline)),
        }
    }

    /// Sends the results so far if they fill a batch.
    fn hand_over_batch(&mut self) -> Result<(), SendError<News>> {
        for suppressed in self.pipeline.suppressed.drain(..) {
            if !self.excepted.contains(&suppressed.exception) {
                self.excepted.insert(suppressed.exception);
            }
        }
        let signal_bytes: usize = self.pipeline.found.iter().map(Signal::bytes).sum();
        let document_bytes: usize = self.documents.iter().map(String::len).sum();
        let match_bytes: usize = self.matches.iter().map(|(_, candidate)| candidate.bytes()).sum();
        if signal_bytes + document_bytes + match_bytes < BATCH_BYTES {
            return Ok(());
        }
        self.hand_over()
    }

    fn hand_over(&mut self) -> Result<(), SendError<News>> {
        if !self.pipeline.found.is_empty() {
            self.news.send(News::Signals(mem::take(&mut self.pipeline.found)))?;
        }
        if !self.documents.is_empty() {
            self.news.send(News::Documents(mem::take(&mut self.documents)))?;
        }
        if !self.matches.is_empty() {
            self.news.send(News::Matches(self.path.to_owned(), mem::take(&mut self.matches)))?;
        }
        Ok(())
    }

    /// The first rejected records one by one, and how many others there are.
    fn rejections(&self) -> impl Iterator<Item = String> {
        let rejections = &self.pipeline.rejections;
        let more = self.pipeline.tally.rejected - rejections.len() as u64;
        let more = (more > 0).then(|| format!("{} rejected", count(more, "more record")));
        rejections.iter().map(|(position, rejection)| format!("record {position}: {rejection}")).chain(more)
    }
}

/// The ECS document of a record, counted as the pipeline would count a record without a match.
fn document(position: u64, record: Record<'_>, pipeline: &mut Pipeline<'_>) -> Option<String> {
    let parsed =
        record.and_then(RawRecord::unwrapped).and_then(|unwrapped| records::parse(unwrapped.record().text()));
    match parsed {
        Ok(fields) => {
            pipeline.process(position, record);
            pipeline.found.clear();
            pipeline.candidates.clear();
            serde_json::to_string(&Document::from_record(fields)).ok()
        }
        Err(rejection) => {
            pipeline.process(position, Err(rejection));
            None
        }
    }
}
