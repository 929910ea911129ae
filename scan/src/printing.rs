//! Prints the results of all files, in the order of the files.

use std::collections::HashSet;
use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::Receiver;

use detection::detect::Ruleset;
use detection::signal::{Signal, SignalId};
use indicatif::ProgressBar;

use crate::memory::{Memory, Outcome};
use crate::reading::News;
use crate::sheet::Sheet;
use crate::summary::{Summary, UNKNOWN_DAY};

/// Prints signals on standard output and errors on standard error, and counts both.
pub struct Printer<'a, W> {
    output: W,
    sheet: Sheet,
    progress: &'a ProgressBar,
    summary: Summary,
    seen: HashSet<SignalId>,
    memory: Memory<'a>,
    rules: &'a Ruleset,
}

impl<'a, W: Write> Printer<'a, W> {
    /// A printer that continues the counts of `summary`.
    pub fn new(
        mut output: W,
        sheet: Sheet,
        progress: &'a ProgressBar,
        summary: Summary,
        rules: &'a Ruleset,
    ) -> io::Result<Self> {
        sheet.begin(&mut output)?;
        Ok(Self { output, sheet, progress, summary, seen: HashSet::new(), memory: Memory::new(rules), rules })
    }

    /// Takes the results of a past file until the channel closes: rules learn from it, and only its errors are printed.
    pub fn learn(&mut self, news: &Receiver<News>) {
        for news in news {
            match news {
                News::Matches(path, found) => {
                    self.memory.add(&path, found);
                }
                News::Problem(problem) => self.progress.suspend(|| say(&problem)),
                News::Read(read) => {
                    self.summary.learned += read.tally.records - read.tally.rejected;
                    self.summary.not_learned += read.tally.rejected;
                    self.summary.read.failed += read.failed;
                }
                News::Signals(_) | News::Documents(_) | News::PassedOver(..) | News::Excepted(_) => {}
            }
        }
    }

    /// Ends the learning.
    pub fn learned(&mut self) {
        self.memory.learn();
    }

    /// Prints the results of one file until the channel closes.
    pub fn print(&mut self, news: &Receiver<News>) -> io::Result<()> {
        for news in news {
            match news {
                News::Signals(signals) => {
                    signals.into_iter().try_for_each(|signal| self.print_once(signal))?;
                }
                News::Documents(documents) => {
                    documents.iter().try_for_each(|document| writeln!(self.output, "{document}"))?;
                }
                News::Matches(path, found) => self.memory.add(&path, found),
                News::Problem(problem) => self.progress.suspend(|| say(&problem)),
                News::PassedOver(reason, path) => self.summary.passed_over.add(reason, &path),
                News::Excepted(exceptions) => self.summary.excepted.extend(exceptions),
                News::Read(read) => self.summary.read += read,
            }
        }
        Ok(())
    }

    /// Ends the output and returns the counts. `now` is the time of the run.
    pub fn finish(mut self, now: &str) -> io::Result<Summary> {
        let mut memory = mem::replace(&mut self.memory, Memory::new(self.rules));
        let Outcome { tally, excepted, problems } =
            memory.signals(now, &mut |signal| self.print_once(signal))?;
        self.summary.read.tally += tally;
        self.summary.excepted.extend(excepted);
        self.summary.read.failed += problems.len() as u64;
        for problem in &problems {
            say(problem);
        }
        self.sheet.end(&mut self.output, now)?;
        self.output.flush()?;
        Ok(self.summary)
    }

    fn print_once(&mut self, signal: Signal) -> io::Result<()> {
        let published = &mut self.summary.published;
        if self.seen.insert(signal.id) {
            published.signals += 1;
            self.summary.forecast.add(&signal);
            self.sheet.add(&mut self.output, &signal, &self.rules.accounts)?;
            let day = signal.date.unwrap_or_else(|| UNKNOWN_DAY.to_owned());
            *published.by_day.entry((signal.rule.clone(), day)).or_default() += 1;
            *published.by_rule.entry(signal.rule).or_default() += 1;
        } else {
            published.duplicates += 1;
        }
        Ok(())
    }
}

/// Writes a line on standard error. If nobody reads it, the exit code still shows the outcome.
pub fn say(line: &str) {
    // One write: standard error has no buffer.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
