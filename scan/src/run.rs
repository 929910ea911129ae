//! Reads all files in parallel and prints their results in order.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Instant, SystemTime};

use detection::detect::Reach;
use detection::time::rfc3339;
use indicatif::{ProgressBar, ProgressStyle};

use crate::inputs::{Failure, Input, Inputs};
use crate::printing::{Printer, say};
use crate::reading::{Job, News, Output, Reader};
use crate::selection::Selection;
use crate::sheet::Sheet;
use crate::summary::Summary;

/// How many batches a block may be ahead of the block that is being printed.
const BATCHES_AHEAD: usize = 4;
/// A block has at most this many files. Most deliveries are small, and handing one over takes as long as reading it.
const BLOCK_FILES: usize = 64;
/// Each worker gets at least this many blocks if there are enough files, so that all have work until the end.
const BLOCKS: usize = 16;

/// Files that one worker reads one after another.
type Block = Vec<Result<Input, Failure>>;
/// A block, and the channel for its results.
type Task = (Block, SyncSender<News>);

/// Runs the job on all paths, after rules that remember have learned from the past files. Returns whether everything
/// succeeded.
pub fn run(
    job: &Job<'_>,
    history: &[PathBuf],
    paths: &[PathBuf],
    sheet: Sheet,
    output: impl Write,
) -> io::Result<bool> {
    let started = Instant::now();
    let Inputs { files, passed_over, .. } = Inputs::of(paths, &job.selection);
    let past = Inputs::of(history, &Selection::default()).files;
    let progress = progress_bar(past.iter().chain(&files));
    let now = rfc3339(SystemTime::now());
    let summary = Summary { passed_over, ..Summary::default() };
    let mut printer = Printer::new(output, sheet, &progress, summary, job.rules)?;
    if !past.is_empty() {
        let everything = Job { selection: Selection::default(), output: Output::Signals, ..*job };
        read_all(&everything, past, &now, &progress, &mut |news| {
            printer.learn(news);
            Ok(())
        })?;
        printer.learned();
    }
    let reach = read_all(job, files, &now, &progress, &mut |news| printer.print(news))?;
    progress.finish_and_clear();
    let summary = printer.finish(&now)?;
    let signals_of = (job.output == Output::Signals).then_some((job.rules, &reach));
    say(&summary.text(signals_of, started.elapsed().as_secs_f64()));
    let loud = job.max_per_day.map(|most| summary.published.loud(job.rules, most)).unwrap_or_default();
    for line in &loud {
        say(line);
    }
    Ok(summary.is_good() && loud.is_empty())
}

/// Reads files in parallel, and takes the results in the order of the files. Returns what the rules could see.
fn read_all(
    job: &Job<'_>,
    files: Vec<Result<Input, Failure>>,
    now: &str,
    progress: &ProgressBar,
    take: &mut dyn FnMut(&Receiver<News>) -> io::Result<()>,
) -> io::Result<Reach> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(files.len()).max(1);
    thread::scope(|scope| {
        let (tasks, queue) = sync_channel::<Task>(workers);
        let queue = Arc::new(Mutex::new(queue));
        let mut readers = Vec::new();
        for _ in 0..workers {
            let queue = Arc::clone(&queue);
            readers.push(scope.spawn(move || {
                let mut reader = Reader::new(job, now, progress);
                while let Some((block, news)) = next_task(&queue) {
                    reader.read(&block, &news);
                }
                reader.into_reach()
            }));
        }
        // Blocks are started and printed in order, so the block that is being printed is always being read.
        let mut under_way = VecDeque::new();
        let block_files = (files.len() / (workers * BLOCKS)).clamp(1, BLOCK_FILES);
        let mut files = files.into_iter();
        loop {
            let block: Block = files.by_ref().take(block_files).collect();
            if block.is_empty() {
                break;
            }
            if under_way.len() == workers
                && let Some(oldest) = under_way.pop_front()
            {
                take(&oldest)?;
            }
            let (sender, receiver) = sync_channel(BATCHES_AHEAD);
            under_way.push_back(receiver);
            // The workers live until the tasks end.
            tasks.send((block, sender)).map_err(io::Error::other)?;
        }
        under_way.iter().try_for_each(take)?;
        // Without further tasks, the readers end.
        drop(tasks);
        let mut reach = Reach::new(job.rules);
        for reader in readers {
            let of_reader = reader.join().unwrap_or_else(|panic| resume_unwind(panic));
            if let Some(of_reader) = of_reader {
                reach.join(&of_reader);
            }
        }
        Ok(reach)
    })
}

fn next_task(queue: &Mutex<Receiver<Task>>) -> Option<Task> {
    queue.lock().ok()?.recv().ok()
}

/// The progress bar. It hides itself if standard error is not a terminal; then the total size is not needed.
fn progress_bar<'f>(files: impl Iterator<Item = &'f Result<Input, Failure>>) -> ProgressBar {
    let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
    // The template is a constant, and valid.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style);
    if !bar.is_hidden() {
        // A file that cannot be read has no bytes.
        let size = |input: &Input| input.path.metadata().map_or(0, |data| data.len());
        bar.set_length(files.flatten().map(size).sum());
    }
    bar
}
