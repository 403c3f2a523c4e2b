//! The I/O thread's hold on a connection's socket, and the one place where the socket is closed.

use crate::conn::Conn;
use crate::sink::Reason;
use socket2::Socket;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

/// Bytes thrown away at most for a peer that goes on sending.
const DRAIN: usize = 16 * 1024 * 1024;

/// Bytes thrown away in one turn.
const DRAIN_ONCE: usize = 256 * 1024;

/// What the owner knows the connection as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Http,
    WebSocket,
}

/// A socket in use. Dropping it closes the connection, whatever the reason.
pub(crate) struct Hold {
    pub(crate) conn: Arc<Conn>,
    pub(crate) socket: Arc<Socket>,
    pub(crate) phase: Phase,
    finished: bool,
    drained: usize,
}

/// How far a flush came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Nothing is blocked any more.
    All,
    /// The kernel takes no more for now.
    Blocked,
    /// A sender is at it, and will have the task woken.
    Later,
}

/// What the peer was doing while this side closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// It was silent.
    None,
    /// It was sending, and may go on.
    Some,
    /// So much that the rest is left for another turn.
    More,
    /// It is done, or has had its share.
    End,
}

impl Hold {
    pub(crate) fn new(conn: Arc<Conn>, socket: Arc<Socket>) -> Self {
        Self {
            conn,
            socket,
            phase: Phase::Http,
            finished: false,
            drained: 0,
        }
    }

    /// Read once. `WouldBlock` is the only error that does not end the connection.
    pub(crate) fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match (&*self.socket).read(buf) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Write on what was blocked.
    pub(crate) fn flush(&self) -> Flushed {
        let Some((news, blocked)) = self.conn.resume_writing() else {
            return Flushed::Later;
        };
        if let Some(result) = news {
            self.conn.sink().sent(self.conn.id, result);
        }
        if blocked {
            Flushed::Blocked
        } else {
            Flushed::All
        }
    }

    /// Say FIN. What comes after this is no fault.
    pub(crate) fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.conn.out().finish();
        }
    }

    /// Throw away what the peer has sent. Closed over unread bytes, the kernel would answer with a reset, and the peer
    /// might never see our last frame.
    pub(crate) fn drain(&mut self) -> Drained {
        let mut scratch = [0; 8192];
        let before = self.drained;
        while self.drained < DRAIN {
            if self.drained - before >= DRAIN_ONCE {
                return Drained::More;
            }
            match self.recv(&mut scratch) {
                Ok(n) if n > 0 => self.drained += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return if self.drained > before {
                        Drained::Some
                    } else {
                        Drained::None
                    };
                }
                _ => break,
            }
        }
        Drained::End
    }

    /// The socket was let go before it was finished: there was a panic. It is kept from the node; the owner must know.
    fn report_fault(&self) {
        let sink = self.conn.sink();
        match self.phase {
            Phase::Http => sink.closed(self.conn.id),
            Phase::WebSocket => {
                sink.ended(Reason::Internal);
                sink.deliver(self.conn.id);
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.finished {
            self.report_fault();
        }
        let reason = if self.finished {
            Reason::Closed
        } else {
            Reason::Internal
        };
        self.conn.drop_socket(reason);
    }
}
