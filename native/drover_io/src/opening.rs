//! What a connection keeps until it is a WebSocket, and gives up then: most are idle, and each byte counts.

use crate::conn::Upgrade;
use crate::listener::Slot;
use drover_proto::receive::RecvConfig;
use socket2::Socket;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

/// What the owner asks of the task.
#[derive(Debug)]
pub(crate) enum Control {
    /// Give up to so many bytes of the request body.
    ReadBody(usize),
    /// The response is out: read the next request.
    NextRequest,
    /// Speak WebSocket from now on.
    Start(Box<RecvConfig>, bool),
}

/// A socket without a task, and what was read from it.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) socket: Arc<Socket>,
    pub(crate) early: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Opening {
    pub(crate) control: Option<Control>,
    pub(crate) upgrade: Option<Upgrade>,
    /// Wakes the task.
    pub(crate) waker: Option<Waker>,
    /// An adopted socket that waits for its start, and the bytes that came before.
    pub(crate) parked: Option<Parked>,
    /// The place under its listener's limit.
    pub(crate) slot: Option<Slot>,
}

/// As long as it lasts.
#[derive(Debug)]
pub(crate) struct Openings(Mutex<Option<Box<Opening>>>);

impl Openings {
    pub(crate) fn new(slot: Option<Slot>) -> Self {
        let opening = Opening {
            slot,
            ..Opening::default()
        };
        Self(Mutex::new(Some(Box::new(opening))))
    }

    /// Do something with it, if it lasts.
    pub(crate) fn with<R: Default>(&self, f: impl FnOnce(&mut Opening) -> R) -> R {
        let mut opening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opening.as_deref_mut().map(f).unwrap_or_default()
    }

    pub(crate) fn end(&self) {
        let mut opening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = opening.take();
        drop(opening);
        drop(ended);
    }
}
