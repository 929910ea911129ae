//! `stages FILE` measures the stages of the work on one delivery, each in nanoseconds per record, round after round.

use std::fs;
use std::hint::black_box;
use std::io::{self, Read};
use std::time::Instant;

use detection::detect::Head;
use detection::detect::{Match, Ruleset};
use detection::ecs::Document;
use detection::notice::Accounts;
use detection::origin::Origin;
use detection::records::{Decoder, RawRecord};
use detection::rule;
use detection::signal::Signal;
use flate2::read::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

const SEED: &str = include_str!("../../rules/aws_lambda_function_created_or_updated.toml");
const ROUNDS: usize = 21;
/// How many times a round runs each stage.
const REPEATS: usize = 20;
const NOW: &str = "2026-11-23T10:10:00Z";

/// A stage: its name, and the work, which returns how many records it processed.
type Stage<'a> = (&'static str, Box<dyn FnMut() -> io::Result<usize> + 'a>);

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: stages FILE"))?;
    let delivery = fs::read(path)?;
    let mut text = Vec::new();
    MultiGzDecoder::new(&delivery[..]).read_to_end(&mut text)?;
    let mut records = Vec::new();
    split(&text, |record| records.push(record.text().to_vec()))?;
    let seed =
        rule::read([("seed", SEED.to_owned())]).all().map_err(|_| io::Error::other("the rule is wrong"))?;
    let rules = Ruleset::new(seed).map_err(|_| io::Error::other("its query is wrong"))?;
    let (mut detector, mut finder) = (rules.detector(), rules.detector());
    let matches: Vec<(&[u8], Match<'_, '_>)> =
        records.iter().filter_map(|record| Some((&record[..], finder.detect(&record[..]).ok()??))).collect();
    let origin = Origin::File("bench".to_owned());
    let accounts = Accounts::new();
    let mut window = vec![0; text.len() + 1];
    let expected = [records.len(), matches.len()];

    let mut stages: [Stage<'_>; 7] = [
        (
            "inflate",
            Box::new(|| {
                let mut inflater = Decompress::new_gzip(15);
                let status = inflater.decompress(&delivery, &mut window, FlushDecompress::Finish)?;
                if status == Status::StreamEnd { Ok(records.len()) } else { Err(io::Error::other("cut off")) }
            }),
        ),
        // Text that is not compressed is copied into the window and split.
        ("split", Box::new(|| split(&text, |record| _ = black_box(record)))),
        ("split, and find the head", Box::new(|| split(&text, |record| _ = black_box(Head::find(record))))),
        ("split, and the rule", Box::new(|| split(&text, |record| _ = black_box(detector.detect(record))))),
        ("parse the head", Box::new(|| count(records.iter().map(|record| Head::parse(record))))),
        (
            "parse all, and make the document",
            Box::new(|| {
                count(records.iter().map(|record| serde_json::from_slice(record).map(Document::from_record)))
            }),
        ),
        (
            "make the signal, of a match",
            Box::new(|| {
                count(matches.iter().map(|(record, matched)| {
                    serde_json::Result::Ok(Signal::new(
                        &matched.rules[0].definition,
                        matched.document(),
                        record,
                        &origin,
                        NOW,
                        &accounts,
                    ))
                }))
            }),
        ),
    ];
    for _ in 0..ROUNDS {
        for (name, work) in &mut stages {
            let started = Instant::now();
            let mut done = 0;
            for _ in 0..REPEATS {
                done += work()?;
            }
            let nanoseconds = started.elapsed().as_nanos();
            if done == 0 || !expected.contains(&(done / REPEATS)) {
                return Err(io::Error::other(format!("{name} was done on {done} records")));
            }
            println!("{name}\t{}", nanoseconds / done as u128);
        }
    }
    Ok(())
}

/// Passes every record of a delivery's text to `sink`, as the function does.
fn split(text: &[u8], mut sink: impl FnMut(RawRecord<'_>)) -> io::Result<usize> {
    let mut decoder = Decoder::new();
    let (mut input, mut found) = (text, 0);
    let mut each = |_, record: Result<RawRecord<'_>, _>| {
        if let Ok(record) = record {
            sink(record);
            found += 1;
        }
    };
    while decoder.step(&mut input, &mut each).map_err(io::Error::other)? {}
    decoder.finish().map_err(io::Error::other)?;
    Ok(found)
}

/// Counts the results that are not errors.
fn count<T>(mut made: impl Iterator<Item = serde_json::Result<T>>) -> io::Result<usize> {
    made.try_fold(0, |count, made| {
        black_box(made?);
        Ok(count + 1)
    })
}
