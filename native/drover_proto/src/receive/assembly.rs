//! The message that is being put together.

/// One growing buffer. Memory follows the bytes that came, at most twice as much: what a header announces only
/// ever lowers the reservation. Empty it owns nothing.
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

    /// Append. `ceiling` is the most that the message can grow to, as far as that is known.
    pub(super) fn append(&mut self, piece: &[u8], ceiling: usize) {
        self.reserve(piece.len(), ceiling);
        self.plain().extend_from_slice(piece);
    }

    /// The message so far, for somebody who appends by himself.
    pub(super) fn plain(&mut self) -> &mut Vec<u8> {
        self.bytes.truncate(self.len());
        self.spare = 0;
        &mut self.bytes
    }

    /// `room` bytes after the message to read into.
    pub(super) fn window(&mut self, room: usize, ceiling: usize) -> &mut [u8] {
        let start = self.len();
        if self.spare < room {
            self.reserve(room, ceiling);
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

    /// Doubling keeps the cost of any number of small pieces linear; the ceiling keeps the last doubling from
    /// reserving what can never come.
    fn reserve(&mut self, more: usize, ceiling: usize) {
        let len = self.len();
        let needed = len + more;
        if needed > self.bytes.capacity() {
            let target = needed.max((2 * self.bytes.capacity()).min(ceiling));
            self.plain().reserve_exact(target - len);
        }
    }
}
