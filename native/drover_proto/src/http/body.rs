//! Request bodies: of a fixed length, or chunked (RFC 9112 7.1).

use super::{BodyLength, is_token};

/// Chunk extensions and trailers of one body may be this many bytes together: nobody reads them.
const MAX_EXTRA: u32 = 16 * 1024;

/// As many hexadecimal digits as fit a `u64`.
const MAX_DIGITS: u8 = 16;

/// Why a request body could not be decoded. The connection is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The chunked coding is malformed.
    Malformed,
    /// Chunk extensions and trailers are too long.
    TooLarge,
}

/// Decodes a request body that arrives in pieces.
#[derive(Clone, Debug)]
pub struct BodyDecoder {
    state: State,
    /// Bytes of the present chunk, or of the body, that are still to come.
    left: u64,
    /// Bytes of extensions and trailers so far.
    extra: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fixed,
    /// That many digits were seen.
    Size(u8),
    /// White space before an extension.
    AfterSize,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    Finished,
}

impl BodyDecoder {
    /// A decoder for a body of this length.
    pub fn new(length: BodyLength) -> Self {
        let (state, left) = match length {
            BodyLength::None | BodyLength::Fixed(0) => (State::Finished, 0),
            BodyLength::Fixed(length) => (State::Fixed, length),
            BodyLength::Chunked => (State::Size(0), 0),
        };
        Self {
            state,
            left,
            extra: 0,
        }
    }

    /// Append at most `max_out` bytes to `out`. Gives how much of `input` is done with, and whether the body is over.
    pub fn decode(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        max_out: usize,
    ) -> Result<(usize, bool), BodyError> {
        let full = out.len().saturating_add(max_out);
        let mut used = 0;
        while self.state != State::Finished {
            let rest = &input[used..];
            let taken = match self.state {
                State::Fixed | State::Data => self.copy(rest, out, full),
                _ => self.frame(rest)?,
            };
            if taken == 0 {
                return Ok((used, false));
            }
            used += taken;
        }
        Ok((used, true))
    }

    fn copy(&mut self, rest: &[u8], out: &mut Vec<u8>, full: usize) -> usize {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let taken = rest.len().min(left).min(full - out.len());
        out.extend_from_slice(&rest[..taken]);
        self.left -= taken as u64;
        if self.left == 0 {
            self.state = if self.state == State::Fixed {
                State::Finished
            } else {
                State::DataCr
            };
        }
        taken
    }

    /// One byte of what stands around the data.
    fn frame(&mut self, rest: &[u8]) -> Result<usize, BodyError> {
        let Some(&byte) = rest.first() else {
            return Ok(0);
        };
        self.state = match (self.state, byte) {
            (State::Size(digits), _) if byte.is_ascii_hexdigit() => self.digit(digits, byte)?,
            (State::Size(1..) | State::AfterSize, b' ' | b'\t') => self.extra(State::AfterSize)?,
            (State::Size(1..) | State::AfterSize, b';') => self.extra(State::Extension)?,
            (State::Size(1..) | State::Extension, b'\r') => State::SizeLf,
            (State::SizeLf, b'\n') if self.left == 0 => State::TrailerStart,
            (State::SizeLf, b'\n') => State::Data,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size(0),
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::TrailerStart, _) if is_token(byte) => self.extra(State::Trailer)?,
            (State::Trailer, b'\r') => State::TrailerLf,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            (State::EndLf, b'\n') => State::Finished,
            (State::Extension | State::Trailer, _) if is_text(byte) => self.extra(self.state)?,
            _ => return Err(BodyError::Malformed),
        };
        Ok(1)
    }

    fn digit(&mut self, digits: u8, byte: u8) -> Result<State, BodyError> {
        if digits == MAX_DIGITS {
            return Err(BodyError::Malformed);
        }
        let value = char::from(byte).to_digit(16).ok_or(BodyError::Malformed)?;
        self.left = self.left << 4 | u64::from(value);
        Ok(State::Size(digits + 1))
    }

    fn extra(&mut self, state: State) -> Result<State, BodyError> {
        self.extra += 1;
        if self.extra > MAX_EXTRA {
            Err(BodyError::TooLarge)
        } else {
            Ok(state)
        }
    }
}

/// What may stand in a chunk extension or a trailer: no control character but the tab.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}
