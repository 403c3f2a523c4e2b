//! Buffers of large messages, used again: to get a new one from the system, page by page and cleared, costs more than all else
//! that is done with a megabyte.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Messages from this length on are worth it.
pub(crate) const LEAST: usize = 64 * 1024;

/// Bytes that are kept at most, for all connections together.
const MOST: usize = 8 * 1024 * 1024;

static SHELF: Mutex<Shelf> = Mutex::new(Shelf::new());
static KEPT: AtomicUsize = AtomicUsize::new(0);

fn shelf<R>(f: impl FnOnce(&mut Shelf) -> R) -> R {
    let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    let result = f(&mut shelf);
    KEPT.store(shelf.size, Relaxed);
    result
}

/// A buffer for a message of this length. What it holds is of no meaning.
pub(crate) fn take(len: usize) -> Option<Vec<u8>> {
    shelf(|shelf| shelf.take(len))
}

/// Keep the buffer of a message that is no longer needed, for another of about the same length.
pub fn give(buffer: Vec<u8>) {
    // What there is no room for is freed outside of the lock.
    drop(shelf(|shelf| shelf.give(buffer)));
}

/// Free the buffers that nobody has needed since this was last called.
pub fn trim() {
    drop(shelf(Shelf::trim));
}

/// Bytes that are kept now.
pub fn kept() -> usize {
    KEPT.load(Relaxed)
}

/// The oldest first.
struct Shelf {
    buffers: Vec<(Vec<u8>, Age)>,
    size: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    New,
    Old,
}

impl Shelf {
    const fn new() -> Self {
        Self {
            buffers: Vec::new(),
            size: 0,
        }
    }

    /// Not one that is much too large, since whoever keeps the message keeps the buffer.
    fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        let fits = |(buffer, _): &(Vec<u8>, Age)| {
            (len..=len.saturating_mul(2)).contains(&buffer.capacity())
        };
        let index = self.buffers.iter().rposition(fits)?;
        let (buffer, _) = self.buffers.remove(index);
        self.size -= buffer.capacity();
        Some(buffer)
    }

    /// Gives back what there is no room for.
    fn give(&mut self, buffer: Vec<u8>) -> Vec<Vec<u8>> {
        if !(LEAST..=MOST).contains(&buffer.capacity()) {
            return vec![buffer];
        }
        self.size += buffer.capacity();
        self.buffers.push((buffer, Age::New));
        let mut freed = Vec::new();
        while self.size > MOST {
            let (oldest, _) = self.buffers.remove(0);
            self.size -= oldest.capacity();
            freed.push(oldest);
        }
        freed
    }

    fn trim(&mut self) -> Vec<Vec<u8>> {
        let mut freed = Vec::new();
        for (buffer, age) in std::mem::take(&mut self.buffers) {
            if age == Age::New {
                self.buffers.push((buffer, Age::Old));
            } else {
                self.size -= buffer.capacity();
                freed.push(buffer);
            }
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::{LEAST, MOST, Shelf};

    fn buffer(capacity: usize) -> Vec<u8> {
        let buffer = vec![0; capacity];
        assert_eq!(buffer.capacity(), capacity);
        buffer
    }

    #[test]
    fn a_buffer_serves_messages_of_at_least_half_its_size() {
        for (len, serves) in [
            (LEAST - 1, false),
            (LEAST, true),
            (LEAST + 1, true),
            (2 * LEAST - 1, true),
            (2 * LEAST, true),
            (2 * LEAST + 1, false),
            (usize::MAX, false),
        ] {
            let mut shelf = Shelf::new();
            assert!(shelf.give(buffer(2 * LEAST)).is_empty());
            assert_eq!(shelf.take(len).is_some(), serves, "{len}");
            assert_eq!(shelf.size, if serves { 0 } else { 2 * LEAST });
        }
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let mut shelf = Shelf::new();
        for capacity in [LEAST - 1, MOST + 1] {
            assert_eq!(shelf.give(buffer(capacity)).len(), 1);
            assert_eq!(shelf.size, 0);
        }
        assert!(shelf.give(buffer(LEAST)).is_empty());
        assert!(shelf.give(buffer(MOST - LEAST)).is_empty());
        // The oldest goes.
        let freed = shelf.give(buffer(LEAST + 1));
        assert_eq!(
            freed.iter().map(Vec::capacity).collect::<Vec<_>>(),
            [LEAST, MOST - LEAST]
        );
        assert_eq!(shelf.size, LEAST + 1);
        assert!(shelf.give(buffer(MOST)).len() == 1);
        assert_eq!(shelf.size, MOST);
    }

    #[test]
    fn what_nobody_needs_is_freed() {
        let mut shelf = Shelf::new();
        shelf.give(buffer(LEAST));
        assert!(shelf.trim().is_empty());
        let used = shelf.take(LEAST).unwrap();
        shelf.give(used);
        assert!(shelf.trim().is_empty());
        assert_eq!(shelf.trim().len(), 1);
        assert_eq!(shelf.size, 0);
    }
}
