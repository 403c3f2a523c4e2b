//! What a receiving side gave last, in one piece, with room for the next message.

use drover_zlib::{NoMemory, Pages, WINDOW};

use super::decode::{OVERRUN, decode};

/// The most that a message may give.
const MESSAGE: usize = 16 * 1024;

/// Half of it is what may be referred to, the rest fills up before that has to be moved.
const SIZE: usize = 2 * WINDOW;

/// A context for messages that are there as a whole.
pub(super) struct Window {
    bytes: Pages<SIZE>,
    /// How much of them counts.
    end: usize,
}

impl Window {
    pub(super) fn new() -> Result<Self, NoMemory> {
        let bytes = Pages::new()?;
        Ok(Self { bytes, end: 0 })
    }

    pub(super) fn reset(&mut self) {
        self.end = 0;
    }

    /// What a message may refer to.
    pub(super) fn history(&self) -> &[u8] {
        &self.bytes[self.end.saturating_sub(WINDOW)..self.end]
    }

    /// Take this, no more than a window holds, as what came out before.
    pub(super) fn set_history(&mut self, history: &[u8]) {
        self.end = history.len();
        self.bytes[..self.end].copy_from_slice(history);
    }

    /// The message that is compressed as `input`. `None`: zlib has to look at it, or it would be longer than `limit`; then
    /// nothing has happened.
    pub(super) fn inflate(&mut self, input: &[u8], limit: usize) -> Option<&[u8]> {
        if self.end + MESSAGE + OVERRUN > SIZE {
            let start = self.end - WINDOW;
            self.bytes.copy_within(start..self.end, 0);
            self.end = WINDOW;
        }
        let start = self.end;
        let most = start + limit.min(MESSAGE);
        self.end = decode(input, &mut self.bytes[..], start, most)?;
        Some(&self.bytes[start..self.end])
    }
}
