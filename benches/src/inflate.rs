//! `inflate PATH` only inflates a gzip file, or the files of a folder one after another, with the library and the steps
//! of `cloudtrail-scan`: the least time that any reader of deliveries needs.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::{Decompress, FlushDecompress, Status};

const CHUNK_BYTES: usize = 64 * 1024;
const WINDOW_BYTES: usize = 256 * 1024;

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: inflate PATH"))?;
    let mut paths = vec![PathBuf::from(&path)];
    if paths[0].is_dir() {
        paths = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    }
    let (mut chunk, mut window) = (vec![0; CHUNK_BYTES], vec![0; WINDOW_BYTES]);
    let mut bytes = 0;
    for path in paths {
        bytes += inflate(&path, &mut chunk, &mut window)?;
    }
    println!("{bytes} bytes");
    Ok(())
}

/// Inflates a file, and returns the number of inflated bytes.
fn inflate(path: &Path, chunk: &mut [u8], window: &mut [u8]) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut inflater = Decompress::new_gzip(15);
    loop {
        let length = file.read(chunk)?;
        let mut input = &chunk[..length];
        loop {
            let before = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress(input, window, FlushDecompress::None)?;
            input = &input[usize::try_from(inflater.total_in() - before.0).unwrap_or(0)..];
            let filled = inflater.total_out() - before.1 == WINDOW_BYTES as u64;
            if status == Status::StreamEnd {
                return Ok(inflater.total_out());
            }
            if input.is_empty() && !filled {
                break;
            }
        }
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
