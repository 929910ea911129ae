//! `rungs RULES FILE` judges a delivery's records with the rules of a folder, first without any rung of the ladder and
//! then with one more each time. Every round prints each rung's name and nanoseconds per record.

use std::fs;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::time::Instant;

use detection::detect::{Ruleset, Rungs};
use detection::records::Decoder;
use rules_folder::Folder;

const ROUNDS: usize = 5;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(delivery)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: rungs RULES FILE"));
    };
    let bundle = Folder::read(Path::new(&folder), &[], &[])
        .map_err(io::Error::other)?
        .bundle()
        .map_err(|errors| io::Error::other(format!("{errors:?}")))?;
    let rules = Ruleset::of_bundle(bundle).map_err(|errors| io::Error::other(format!("{errors:?}")))?;
    let delivery = fs::read(delivery)?;
    let mut records: Vec<Vec<u8>> = Vec::new();
    let mut decoder = Decoder::new();
    let mut input = &delivery[..];
    let mut each = |_, record: Result<detection::records::RawRecord<'_>, _>| {
        records.extend(record.map(|record| record.text().to_vec()));
    };
    while decoder.step(&mut input, &mut each).map_err(io::Error::other)? {}
    decoder.finish().map_err(io::Error::other)?;

    let mut expected = None;
    for _ in 0..ROUNDS {
        for (name, rungs) in Rungs::ladder() {
            let mut detector = rules.detector_with(rungs);
            let started = Instant::now();
            let found = records.iter().filter(|record| {
                black_box(detector.detect(&record[..])).is_ok_and(|matched| matched.is_some())
            });
            let found = found.count();
            let nanoseconds = started.elapsed().as_nanos();
            if *expected.get_or_insert(found) != found {
                return Err(io::Error::other(format!("{name} finds {found} of {expected:?} matches")));
            }
            println!("{name}\t{}", nanoseconds / records.len() as u128);
        }
    }
    Ok(())
}
