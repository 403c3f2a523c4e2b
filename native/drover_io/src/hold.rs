//! The I/O thread's hold on a connection's socket, and the one place where the socket is closed.

use crate::conn::Conn;
use crate::sink::Reason;
use socket2::Socket;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

/// Bytes thrown away at most before a close, so that the kernel sends FIN and not RST over our last frame.
const DRAIN: usize = 256 * 1024;

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
}

impl Hold {
    pub(crate) fn new(conn: Arc<Conn>, socket: Arc<Socket>) -> Self {
        Self {
            conn,
            socket,
            phase: Phase::Http,
            finished: false,
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

    /// Write on what was blocked. `true`: nothing is blocked any more.
    pub(crate) fn flush(&self) -> bool {
        let (news, blocked) = self.conn.resume_writing();
        if let Some(result) = news {
            self.conn.sink().sent(self.conn.id, result);
        }
        !blocked
    }

    /// Say FIN. What comes after this is no fault.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
        self.conn.out().finish();
        self.drain();
    }

    fn drain(&self) {
        let mut scratch = [0; 8192];
        let mut left = DRAIN;
        while left > 0 {
            match self.recv(&mut scratch) {
                Ok(n) if n > 0 => left = left.saturating_sub(n),
                _ => break,
            }
        }
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
