//! The message that is being put together.

use crate::buffers;

/// Room left in the buffer below which it grows rather than lends so little.
const WINDOW_LEAST: usize = 4 * 1024;

/// One growing buffer. Memory follows the bytes that came, at most twice as much: what a header announces only
/// ever lowers the reservation, or has it use a buffer that is there anyway. Empty it owns nothing.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    bytes: Vec<u8>,
    /// Initialised bytes at the end of `bytes` that are not part of the message yet: a window lent out for reading.
    spare: usize,
}

impl Assembly {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.spare
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Append. `ceiling` is the most that the message can grow to, as far as that is known.
    pub(super) fn append(&mut self, piece: &[u8], ceiling: usize) {
        self.reserve(piece.len(), ceiling);
        let start = self.len();
        if piece.len() > self.spare {
            self.plain().extend_from_slice(piece);
        } else {
            self.bytes[start..start + piece.len()].copy_from_slice(piece);
            self.spare -= piece.len();
        }
    }

    /// The message so far, for somebody who appends by himself.
    pub(super) fn plain(&mut self) -> &mut Vec<u8> {
        self.bytes.truncate(self.len());
        self.spare = 0;
        &mut self.bytes
    }

    /// Up to `most` bytes after the message to read into: no more than the message is long already.
    pub(super) fn window(&mut self, most: usize, ceiling: usize) -> &mut [u8] {
        let start = self.len();
        if self.bytes.capacity() - start < WINDOW_LEAST && !self.move_to_used(ceiling) {
            let target = (2 * start).min(ceiling);
            self.plain().reserve_exact(target.saturating_sub(start));
        }
        let room = most.min(self.bytes.capacity() - start);
        if self.spare < room {
            // What was initialised for an earlier window need not be cleared again.
            self.bytes.resize(start + room, 0);
            self.spare = room;
        }
        &mut self.bytes[start..start + room]
    }

    /// The first `n` bytes of the window, which are about to be committed.
    pub(super) fn lent(&mut self, n: usize) -> &mut [u8] {
        let start = self.len();
        &mut self.bytes[start..start + n]
    }

    /// The first `n` bytes of the window have been filled and belong to the message now.
    pub(super) fn commit(&mut self, n: usize) {
        self.spare -= n;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// The message; nothing stays behind.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.plain())
    }

    /// Go on in a buffer that another message has left, with room for the whole of this one. `false`: there is none.
    fn move_to_used(&mut self, ceiling: usize) -> bool {
        let len = self.len();
        if ceiling < buffers::LEAST || ceiling <= self.bytes.capacity() {
            return false;
        }
        let Some(mut used) = buffers::take(ceiling) else {
            return false;
        };
        let common = len.min(used.len());
        used[..common].copy_from_slice(&self.bytes[..common]);
        used.extend_from_slice(&self.bytes[common..len]);
        self.spare = used.len() - len;
        self.bytes = used;
        true
    }

    /// Doubling keeps the cost of any number of small pieces linear; the ceiling keeps the last doubling from
    /// reserving what can never come.
    fn reserve(&mut self, more: usize, ceiling: usize) {
        let len = self.len();
        let needed = len + more;
        if needed > self.bytes.capacity() && !self.move_to_used(ceiling) {
            let target = needed.max((2 * self.bytes.capacity()).min(ceiling));
            self.plain().reserve_exact(target - len);
        }
    }
}
