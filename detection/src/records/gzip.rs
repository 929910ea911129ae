//! Inflates gzip, member by member, as the bytes arrive.

use flate2::{Decompress, FlushDecompress, Status};

use super::Error;

/// 2^15 bytes: the largest window of deflate, so every gzip file fits.
const WINDOW_BITS: u8 = 15;
const FIRST_MAGIC_BYTE: u8 = 0x1f;

/// The result of [`Inflater::inflate`].
pub(super) struct Progress {
    /// Bytes taken from the input.
    pub(super) used: usize,
    /// Bytes put into the output.
    pub(super) written: usize,
    /// The error that stopped it. The bytes written before it are good.
    pub(super) error: Option<Error>,
}

/// Inflates concatenated gzip members; zlib-rs verifies every header, checksum and length.
pub(super) struct Inflater {
    state: Decompress,
    /// Compressed bytes before the current member.
    base: u64,
    /// No byte of the current member has been read.
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

    /// Whether the input may end here: after at least one member, and inside none.
    pub(super) fn is_complete(&self) -> bool {
        self.between_members && self.position() > 0
    }

    /// Inflates until the end of `input`, until `output` is full, or until the data is wrong.
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

    /// Most deliveries have one member: only a further one needs a new state.
    fn begin_member(&mut self) {
        self.between_members = false;
        if self.position() > 0 {
            self.base = self.position();
            self.state = Decompress::new_gzip(WINDOW_BITS);
        }
    }

    fn garbage(&self) -> Error {
        // Between members the position is the end of the last one. Inside, the garbage is at the start of the member.
        Error::TrailingGarbage { byte: if self.between_members { self.position() } else { self.base } }
    }

    fn explain(&self, message: Option<&str>) -> Error {
        let byte = self.position();
        match message {
            Some("incorrect header check") if self.base > 0 => self.garbage(),
            Some("incorrect data check" | "incorrect length check") => Error::Checksum { byte },
            // zlib-rs reports an error of its inner loop with the second message, instead of with its cause.
            None | Some("repeated call with bad state") => {
                Error::CorruptGzip { byte, reason: "invalid deflate data".to_owned() }
            }
            Some(message) => Error::CorruptGzip { byte, reason: message.to_owned() },
        }
    }
}
