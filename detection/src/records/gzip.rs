//! Gzip, member after member, as the bytes arrive.

use flate2::{Decompress, FlushDecompress, Status};

use super::Error;

/// 2^15 bytes: the largest window that deflate knows, so every gzip file fits.
const WINDOW_BITS: u8 = 15;
const FIRST_MAGIC_BYTE: u8 = 0x1f;

/// What one call of [`Inflater::inflate`] did.
pub(super) struct Progress {
    /// Bytes taken from the input.
    pub(super) used: usize,
    /// Bytes put into the output.
    pub(super) written: usize,
    /// What stopped it; the bytes written before it are good.
    pub(super) error: Option<Error>,
}

/// Inflates concatenated gzip members; zlib-rs verifies every header, checksum and length.
pub(super) struct Inflater {
    state: Decompress,
    /// Compressed bytes before the current member.
    base: u64,
    /// Nothing of the current member has been read yet.
    between_members: bool,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self { state: Decompress::new_gzip(WINDOW_BITS), base: 0, between_members: true }
    }

    /// Compressed bytes taken so far.
    pub(super) fn position(&self) -> u64 {
        self.base + self.state.total_in()
    }

    /// True when the input may end here: at least one member, and none half read.
    pub(super) fn is_complete(&self) -> bool {
        self.between_members && self.position() > 0
    }

    /// Inflates until `input` is used up, `output` is full, or the data is wrong.
    pub(super) fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> Progress {
        let (mut used, mut written) = (0, 0);
        while written < output.len() {
            if self.between_members {
                match input.get(used) {
                    None => break,
                    Some(&FIRST_MAGIC_BYTE) => self.begin_member(),
                    Some(_) => return Progress { used, written, error: Some(self.garbage()) },
                }
            }
            let (read_before, made_before) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(&input[used..], &mut output[written..], FlushDecompress::None);
            let (read, made) = (self.state.total_in() - read_before, self.state.total_out() - made_before);
            used += usize::try_from(read).unwrap_or(usize::MAX);
            written += usize::try_from(made).unwrap_or(usize::MAX);
            match status {
                Ok(Status::StreamEnd) => self.between_members = true,
                // No progress: the rest of the member has not arrived yet.
                Ok(_) if read == 0 && made == 0 => break,
                Ok(_) => {}
                Err(error) => {
                    let error = self.explain(error.message());
                    return Progress { used, written, error: Some(error) };
                }
            }
        }
        Progress { used, written, error: None }
    }

    /// Most deliveries are one member, so only a further one pays for a new state.
    fn begin_member(&mut self) {
        self.between_members = false;
        if self.position() > 0 {
            self.base = self.position();
            self.state = Decompress::new_gzip(WINDOW_BITS);
        }
    }

    fn garbage(&self) -> Error {
        // Between members, the position is the end of the last one; inside, its start is where the garbage is.
        Error::TrailingGarbage { byte: if self.between_members { self.position() } else { self.base } }
    }

    fn explain(&self, message: Option<&str>) -> Error {
        let byte = self.position();
        match message {
            Some("incorrect header check") if self.base > 0 => self.garbage(),
            Some("incorrect data check" | "incorrect length check") => Error::Checksum { byte },
            // The second is what zlib-rs says of an error that it met in its inner loop, in place of what it was.
            None | Some("repeated call with bad state") => {
                Error::CorruptGzip { byte, reason: "invalid deflate data".to_owned() }
            }
            Some(message) => Error::CorruptGzip { byte, reason: message.to_owned() },
        }
    }
}

/// Inflates all of `bytes`, refusing to make more than `limit` bytes of it.
///
/// For payloads that are small by contract (a CloudWatch Logs subscription event); deliveries are streamed.
///
/// # Errors
/// The same gzip errors as a delivery, and [`Error::Bomb`] past `limit`.
pub fn gunzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    const STEP: usize = 64 * 1024;
    let mut inflater = Inflater::new();
    let (mut input, mut output) = (bytes, Vec::new());
    loop {
        let start = output.len();
        output.resize(start + STEP, 0);
        let progress = inflater.inflate(input, &mut output[start..]);
        output.truncate(start + progress.written);
        if let Some(error) = progress.error {
            return Err(error);
        }
        if output.len() > limit {
            return Err(Error::Bomb { inflated: output.len() as u64, read: bytes.len() as u64 });
        }
        input = &input[progress.used..];
        if progress.written < STEP {
            break;
        }
    }
    if inflater.is_complete() { Ok(output) } else { Err(Error::TruncatedGzip { byte: inflater.position() }) }
}
