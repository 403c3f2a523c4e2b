//! The frame whose payload is coming in, and the input that it comes from.

use std::ops::Range;

use tungstenite::protocol::frame::coding::OpCode;

use super::header::Header;
use crate::mask;

/// Bytes from the client, and how many of them are used.
#[derive(Debug)]
pub(super) struct Input<'i> {
    bytes: &'i mut [u8],
    at: usize,
}

impl<'i> Input<'i> {
    pub(super) fn new(bytes: &'i mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn used(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    pub(super) fn get(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    pub(super) fn advance(&mut self, n: usize) {
        self.at += n;
    }

    pub(super) fn skip(&mut self) {
        self.at = self.bytes.len();
    }
}

/// A frame after its header.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Payload bytes that have not come.
    pub(super) left: u64,
    /// The limit in force when the header came.
    pub(super) limit: u64,
    pub(super) fin: bool,
    pub(super) control: bool,
    /// Rotated so that it fits the next byte.
    key: [u8; 4],
}

impl Frame {
    pub(super) fn new(header: &Header) -> Self {
        Self {
            left: header.len,
            limit: 0,
            fin: header.fin,
            control: matches!(header.opcode, OpCode::Control(_)),
            key: header.key,
        }
    }

    /// Take what there is of the payload, `most` bytes at most, and unmask it where it is.
    pub(super) fn take(&mut self, input: &mut Input<'_>, most: usize) -> Range<usize> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let range = input.at..input.at + input.rest().len().min(left).min(most);
        self.unmask(&mut input.bytes[range.clone()]);
        input.at = range.end;
        range
    }

    /// Undo the last `n` bytes of a take.
    pub(super) fn give_back(&mut self, input: &mut Input<'_>, n: usize) {
        let end = input.at;
        input.at -= n;
        self.left += n as u64;
        self.key.rotate_right(n % 4);
        mask::unmask(&mut input.bytes[input.at..end], self.key, 0);
    }

    /// Unmask the next bytes of the payload.
    pub(super) fn unmask(&mut self, bytes: &mut [u8]) {
        mask::unmask(bytes, self.key, 0);
        self.key = mask::rotate(self.key, bytes.len());
        self.left -= bytes.len() as u64;
    }

    /// The most that a message can grow to of which `have` bytes have come, if this is its last frame.
    pub(super) fn ceiling(&self, have: usize) -> usize {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = if self.fin {
            left.saturating_add(have)
        } else {
            usize::MAX
        };
        most.min(usize::try_from(self.limit).unwrap_or(usize::MAX))
    }
}
