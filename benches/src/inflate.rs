//! `inflate FILE` only inflates a gzip file, with the library and the steps of `cloudtrail-scan`: the least time that any
//! reader of deliveries needs.

use std::fs::File;
use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

const CHUNK_BYTES: usize = 64 * 1024;
const WINDOW_BYTES: usize = 256 * 1024;

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: inflate FILE"))?;
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut window = vec![0; WINDOW_BYTES];
    let mut inflater = Decompress::new_gzip(15);
    loop {
        let length = file.read(&mut chunk)?;
        let mut input = &chunk[..length];
        loop {
            let before = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress(input, &mut window, FlushDecompress::None)?;
            input = &input[usize::try_from(inflater.total_in() - before.0).unwrap_or(0)..];
            let filled = inflater.total_out() - before.1 == WINDOW_BYTES as u64;
            if status == Status::StreamEnd {
                println!("{} bytes", inflater.total_out());
                return Ok(());
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
