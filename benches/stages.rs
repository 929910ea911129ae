//! `stages FILE` takes the work on one delivery apart: for each stage it prints what a record of it costs, round after
//! round, in nanoseconds.

use std::fs;
use std::hint::black_box;
use std::io;
use std::time::Instant;

use cloudtrail_signals::ecs::{Document, Head};
use cloudtrail_signals::origin::Origin;
use cloudtrail_signals::records::{Decoder, Layout, RawRecord, gunzip};
use cloudtrail_signals::rule::{Match, Ruleset};
use cloudtrail_signals::signal::Signal;
use flate2::{Decompress, FlushDecompress};

const ROUNDS: usize = 21;
/// How often a round does each stage.
const REPEATS: usize = 20;
const NOW: &str = "2026-11-23T10:10:00Z";

/// A stage: its name, how many records it looks at, and the work.
type Stage<'a> = (&'static str, usize, Box<dyn FnMut() + 'a>);

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: stages FILE"))?;
    let delivery = fs::read(path)?;
    let text = gunzip(&delivery, usize::MAX).map_err(io::Error::other)?;
    let records = records(&text)?;
    let rules = Ruleset::embedded();
    let mut detector = rules.detector();
    let matches: Vec<(&[u8], Match<'_>)> = records
        .iter()
        .filter_map(|record| Some((&record[..], detector.detect(&record[..]).ok()??)))
        .collect();
    let origin = Origin::File("bench".to_owned());
    let mut window = vec![0; text.len() + 1];

    let mut stages: [Stage<'_>; 7] = [
        (
            "inflate",
            records.len(),
            Box::new(|| {
                let mut inflater = Decompress::new_gzip(15);
                black_box(inflater.decompress(&delivery, &mut window, FlushDecompress::Finish).is_ok());
            }),
        ),
        (
            "split",
            records.len(),
            Box::new(|| {
                // Text that is not compressed is copied into the window and then split.
                let mut decoder = Decoder::new(Layout::Delivery);
                let mut input = &text[..];
                while decoder.step(&mut input, &mut |_, record| _ = black_box(record)).is_ok_and(|more| more)
                {
                }
            }),
        ),
        (
            "head, at a glance",
            records.len(),
            Box::new(|| for_each(&records, |record| Head::glance(RawRecord::from(record)).is_some())),
        ),
        (
            "head, parsed",
            records.len(),
            Box::new(|| for_each(&records, |record| Head::parse(record).is_ok())),
        ),
        (
            "document",
            records.len(),
            Box::new(|| {
                for_each(&records, |record| {
                    serde_json::from_slice(record).map(Document::from_record).is_ok()
                });
            }),
        ),
        ("rules", records.len(), Box::new(|| for_each(&records, |record| detector.detect(record).is_ok()))),
        (
            "signal",
            matches.len(),
            Box::new(|| {
                for (record, Match { document, rules }) in &matches {
                    for rule in rules {
                        black_box(Signal::new(&rule.definition, document, record, &origin, NOW));
                    }
                }
            }),
        ),
    ];
    for _ in 0..ROUNDS {
        for (name, count, work) in &mut stages {
            let started = Instant::now();
            (0..REPEATS).for_each(|_| work());
            let done = u128::try_from(*count * REPEATS).unwrap_or(1).max(1);
            println!("{name}\t{}", started.elapsed().as_nanos() / done);
        }
    }
    Ok(())
}

fn for_each(records: &[Vec<u8>], work: impl FnMut(&[u8]) -> bool) {
    black_box(records.iter().map(Vec::as_slice).map(work).filter(|done| *done).count());
}

fn records(text: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut decoder = Decoder::new(Layout::Delivery);
    let (mut input, mut records) = (text, Vec::new());
    let mut sink = |_, record: Result<RawRecord<'_>, _>| {
        records.extend(record.map(|record| record.text().to_vec()));
    };
    while decoder.step(&mut input, &mut sink).map_err(io::Error::other)? {}
    decoder.finish().map_err(io::Error::other)?;
    Ok(records)
}
