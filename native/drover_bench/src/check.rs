//! Compares replies with what was sent, while they come.

use crate::frame::fault;
use std::io;
use zlib_rs::{Inflate, InflateFlush};

/// Where a connection is within the reply that it expects.
#[derive(Default)]
pub(crate) struct Check {
    at: usize,
    way: Way,
    inflating: Option<Box<Inflating>>,
}

/// How the present reply is checked.
#[derive(Clone, Copy, Default, PartialEq)]
enum Way {
    #[default]
    Contents,
    Inflated,
    Length,
    Nothing,
}

impl Check {
    pub(crate) fn begin(&mut self, compressed: bool, contents: bool) {
        self.at = 0;
        self.way = match (compressed, contents) {
            (true, true) => Way::Inflated,
            (true, false) => Way::Nothing,
            (false, true) => Way::Contents,
            (false, false) => Way::Length,
        };
        if self.way == Way::Inflated && self.inflating.is_none() {
            self.inflating = Some(Box::new(Inflating::new()));
        }
    }

    /// Bytes of the reply so far.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn chunk(&mut self, bytes: &[u8], expected: &[u8]) -> io::Result<()> {
        let Self { at, way, inflating } = self;
        match (way, inflating) {
            (Way::Contents, _) => require(compare(at, bytes, expected)),
            (Way::Inflated, Some(inflating)) => {
                let mut same = true;
                inflating.inflate(bytes, |piece| same &= compare(at, piece, expected))?;
                require(same)
            }
            _ => {
                *at += bytes.len();
                Ok(())
            }
        }
    }

    pub(crate) fn end(&mut self, expected: &[u8]) -> io::Result<()> {
        let Self { at, way, inflating } = self;
        if let (Way::Inflated, Some(inflating)) = (*way, inflating) {
            let mut same = true;
            inflating.finish(|piece| same &= compare(at, piece, expected))?;
            require(same)?;
        }
        require(*way == Way::Nothing || *at == expected.len())
    }

    /// What follows will not be inflated, so nothing after it could be.
    pub(crate) fn stop_inflating(&mut self) {
        self.inflating = None;
    }
}

fn compare(at: &mut usize, bytes: &[u8], expected: &[u8]) -> bool {
    let start = *at;
    *at += bytes.len();
    expected.get(start..*at) == Some(bytes)
}

fn require(same: bool) -> io::Result<()> {
    if same {
        Ok(())
    } else {
        Err(fault("a reply is not what was sent"))
    }
}

/// The inflater of one connection, which keeps its context from message to message.
pub(crate) struct Inflating {
    stream: Inflate,
}

impl Inflating {
    pub(crate) fn new() -> Self {
        Self {
            stream: Inflate::new(false, 15),
        }
    }

    pub(crate) fn inflate(
        &mut self,
        mut bytes: &[u8],
        mut out: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress(bytes, &mut buffer, InflateFlush::SyncFlush);
            let written = (self.stream.total_out() - written) as usize;
            bytes = &bytes[(self.stream.total_in() - read) as usize..];
            out(&buffer[..written]);
            if bytes.is_empty() && written < buffer.len() {
                return Ok(());
            }
            // A full buffer may leave nothing more to come, which is no error.
            if status.is_err() && !bytes.is_empty() {
                return Err(fault("a reply cannot be inflated"));
            }
        }
    }

    pub(crate) fn finish(&mut self, out: impl FnMut(&[u8])) -> io::Result<()> {
        self.inflate(&[0, 0, 0xff, 0xff], out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(pieces: &[&[u8]], expected: &[u8]) -> io::Result<()> {
        let mut check = Check::default();
        check.begin(false, true);
        for piece in pieces {
            check.chunk(piece, expected)?;
        }
        check.end(expected)
    }

    #[test]
    fn one_wrong_missing_or_additional_byte_is_found() {
        assert!(checked(&[b"ab", b"", b"cd"], b"abcd").is_ok());
        assert!(checked(&[b"ab", b"cx"], b"abcd").is_err());
        assert!(checked(&[b"ab", b"c"], b"abcd").is_err());
        assert!(checked(&[b"ab", b"cde"], b"abcd").is_err());
    }

    #[test]
    fn noise_cannot_be_inflated() {
        assert!(Inflating::new().inflate(&[0xff; 100], |_| ()).is_err());
    }
}
