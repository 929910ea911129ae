//! `generate RECORDS MATCH_EVERY SEED FILE` writes a generated delivery, compressed if the file ends in `.gz`.

mod generator;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use generator::{Plan, write};

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments.get(index)?.parse().ok();
    let (Some(records), Some(match_every), Some(seed), Some(path)) =
        (number(0), number(1), number(2), arguments.get(3))
    else {
        return Err(io::Error::other("usage: generate RECORDS MATCH_EVERY SEED FILE"));
    };
    let plan = Plan { records, match_every, seed };
    let file = BufWriter::new(File::create(path)?);
    if std::path::Path::new(path).extension().is_some_and(|end| end == "gz") {
        let mut output = GzEncoder::new(file, Compression::default());
        write(&plan, &mut output)?;
        output.finish()?.flush()
    } else {
        let mut output = file;
        write(&plan, &mut output)?;
        output.flush()
    }
}
