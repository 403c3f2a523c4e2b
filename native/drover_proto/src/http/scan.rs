//! Finding the end of a request head.

use super::{HeadError, HeadLimits, is_token};

/// Finds the end of a request head that arrives in pieces, looking at each byte once.
///
/// What is wrong is reported at the first byte that shows it: every limit, a bare CR or LF, a NUL, and a request that
/// does not begin like a method (a TLS hello, for example).
#[derive(Clone, Debug, Default)]
pub struct HeadScanner {
    /// Bytes seen.
    pos: usize,
    part: Part,
    /// Bytes counted in the present part.
    len: usize,
    /// The last byte was a CR.
    cr: bool,
    empty_lines: usize,
    headers: usize,
    /// Where the request line begins.
    line: usize,
    /// Where the header lines begin.
    fields: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    EmptyLines,
    RequestLine,
    FieldStart,
    FieldName,
    FieldValue,
    Complete,
}

impl HeadScanner {
    /// A scanner for one request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Call with the whole buffer so far, each time more of it. Gives the length of the head once it is complete:
    /// leading empty lines, request line, header lines and the empty line at the end.
    pub fn scan(&mut self, buf: &[u8], limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
        while self.part != Part::Complete {
            self.pass(buf, limits);
            let Some(&byte) = buf.get(self.pos) else {
                return Ok(None);
            };
            self.pos += 1;
            if self.pos > limits.head {
                return Err(HeadError::HeadersTooLarge);
            }
            self.byte(byte, limits)?;
        }
        Ok(Some(self.pos))
    }

    /// Takes the bytes that are nothing but more of the present part, as far as the limits allow. Where they end, or if
    /// anything is to be said of the next one, that is for [`byte`](Self::byte).
    fn pass(&mut self, buf: &[u8], limits: &HeadLimits) {
        let limit = match self.part {
            Part::RequestLine => limits.request_line,
            Part::FieldName => limits.header_name,
            // Blanks before a value do not count.
            Part::FieldValue if self.len > 0 => limits.header_value,
            _ => return,
        };
        if self.cr {
            return;
        }
        let room = limit.saturating_sub(self.len);
        let end = buf
            .len()
            .min(limits.head)
            .min(self.pos.saturating_add(room));
        if let Some(bytes) = buf.get(self.pos..end) {
            let plain = plain(bytes, self.part == Part::FieldName);
            self.pos += plain;
            self.len += plain;
        }
    }

    /// The request line, the header lines with the empty line at the end, and how many header lines there are.
    pub(super) fn split<'a>(&self, head: &'a [u8]) -> (&'a [u8], &'a [u8], usize) {
        (
            &head[self.line..self.fields - 2],
            &head[self.fields..],
            self.headers,
        )
    }

    fn byte(&mut self, byte: u8, limits: &HeadLimits) -> Result<(), HeadError> {
        match (self.cr, byte) {
            (true, b'\n') => self.end_line(limits),
            (true, _) | (false, b'\n' | 0) => Err(HeadError::Malformed),
            (false, b'\r') => {
                self.cr = true;
                Ok(())
            }
            (false, _) => self.count(byte, limits),
        }
    }

    fn count(&mut self, byte: u8, limits: &HeadLimits) -> Result<(), HeadError> {
        self.begin(byte, limits)?;
        match (self.part, byte) {
            (Part::FieldName, b':') => {
                self.part = Part::FieldValue;
                self.len = 0;
            }
            (Part::FieldValue, b' ' | b'\t') if self.len == 0 => {}
            _ => self.len += 1,
        }
        match self.part {
            Part::RequestLine if self.len > limits.request_line => {
                Err(HeadError::RequestLineTooLong)
            }
            Part::FieldName if self.len > limits.header_name => Err(HeadError::HeadersTooLarge),
            Part::FieldValue if self.len > limits.header_value => Err(HeadError::HeadersTooLarge),
            _ => Ok(()),
        }
    }

    /// The first byte of a line that is not empty.
    fn begin(&mut self, byte: u8, limits: &HeadLimits) -> Result<(), HeadError> {
        match self.part {
            Part::EmptyLines if !is_token(byte) => return Err(HeadError::Malformed),
            Part::EmptyLines => {
                self.line = self.pos - 1;
                self.part = Part::RequestLine;
            }
            Part::FieldStart if self.headers >= limits.headers => {
                return Err(HeadError::HeadersTooLarge);
            }
            Part::FieldStart => {
                self.headers += 1;
                self.part = Part::FieldName;
            }
            _ => {}
        }
        Ok(())
    }

    fn end_line(&mut self, limits: &HeadLimits) -> Result<(), HeadError> {
        self.cr = false;
        self.len = 0;
        self.part = match self.part {
            Part::EmptyLines if self.empty_lines >= limits.empty_lines => {
                return Err(HeadError::Malformed);
            }
            Part::EmptyLines => {
                self.empty_lines += 1;
                Part::EmptyLines
            }
            Part::RequestLine => {
                self.fields = self.pos;
                Part::FieldStart
            }
            Part::FieldValue => Part::FieldStart,
            Part::FieldName => return Err(HeadError::Malformed),
            Part::FieldStart | Part::Complete => Part::Complete,
        };
        Ok(())
    }
}

/// Looked at together, without a branch for each.
const LANE: usize = 16;

/// How many bytes go by before the first that ends something or must not be there.
fn plain(bytes: &[u8], in_name: bool) -> usize {
    let end = if in_name { b':' } else { b'\r' };
    let special = |byte: u8| (byte == b'\r') | (byte == b'\n') | (byte == 0) | (byte == end);
    let any = |lane: &[u8; LANE]| {
        lane.iter()
            .fold(0, |found, &byte| found | u8::from(special(byte)))
            != 0
    };
    let (lanes, _) = bytes.as_chunks();
    let passed = LANE * lanes.iter().take_while(|lane| !any(lane)).count();
    let rest = bytes[passed..].iter().position(|&byte| special(byte));
    passed + rest.unwrap_or(bytes.len() - passed)
}
