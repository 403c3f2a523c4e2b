//! What is open now, so that tests and operators can see a leak.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// What this library holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Connections whose socket is open.
    pub connections: usize,
    /// Listeners that accept.
    pub listeners: usize,
    /// Compression contexts in use. A connection at rest has none.
    pub contexts: usize,
}

/// Counts of what this library holds now.
#[must_use]
pub fn stats() -> Stats {
    Stats {
        connections: CONNECTIONS.load(Relaxed),
        listeners: LISTENERS.load(Relaxed),
        contexts: drover_proto::deflate::contexts(),
    }
}

/// Counts one open thing for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(&'static AtomicUsize);

impl Counted {
    pub(crate) fn connection() -> Self {
        Self::new(&CONNECTIONS)
    }

    pub(crate) fn listener() -> Self {
        Self::new(&LISTENERS)
    }

    fn new(counter: &'static AtomicUsize) -> Self {
        counter.fetch_add(1, Relaxed);
        Self(counter)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
