//! A task's hold on its connection's socket: readiness, reading, and the one place where the socket is closed.

use crate::conn::Conn;
use crate::descriptor::register;
use crate::sink::Reason;
use socket2::Socket;
use std::future::Future;
use std::io::{self, ErrorKind, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Sleep, sleep};

/// Bytes thrown away at most before a close, so that the kernel sends FIN and not RST over our last frame.
const DRAIN: usize = 256 * 1024;

/// The socket as its task has it. Dropping it closes the connection, whatever the reason.
pub(crate) struct Link {
    pub(crate) conn: Arc<Conn>,
    io: AsyncFd<Arc<Socket>>,
    /// What the owner hears if the task ends here.
    reason: Reason,
    /// Whether the owner knows the connection as a WebSocket.
    pub(crate) websocket: bool,
    /// How long a close waits for a peer that does not read; what is left then is lost.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl Link {
    /// Register `socket` with this thread's runtime.
    pub(crate) fn new(conn: Arc<Conn>, socket: Arc<Socket>) -> io::Result<Self> {
        let io = register(socket, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            conn,
            io,
            reason: Reason::Internal,
            websocket: false,
            lingering: None,
        })
    }

    /// Read what is there. A short read clears readiness, so that no second read meets `EAGAIN`.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.io.poll_read_ready(cx))?;
            match (&**self.io.get_ref()).read(buf) {
                Ok(n) => {
                    if n < buf.len() && n > 0 {
                        guard.clear_ready();
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Write out what the kernel did not take. `Ready`: nothing is blocked (any more).
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<()> {
        while self.conn.out().is_blocked() {
            let Ok(mut guard) = ready!(self.io.poll_write_ready(cx)) else {
                return Poll::Ready(());
            };
            let (news, blocked) = {
                let mut out = self.conn.out();
                (out.resume(), out.is_blocked())
            };
            if blocked {
                guard.clear_ready();
            }
            if let Some(result) = news {
                self.conn.sink().sent(self.conn.id, result);
            }
        }
        Poll::Ready(())
    }

    /// Write out the rest, within the time for it, and say FIN. When it is ready, drop the link.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.reason == Reason::Internal {
            self.reason = Reason::Closed;
            self.conn.close();
            if self.conn.out().is_blocked() {
                self.lingering = Some(Box::pin(sleep(self.conn.linger())));
            }
        }
        let flushed = self.poll_flush(cx).is_ready();
        if let Some(time) = &mut self.lingering {
            if !flushed && time.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.conn.out().finish();
        }
        self.drain();
        Poll::Ready(())
    }

    /// The task was dropped before it was done: it panicked. tokio keeps the panic from the node; the owner must know.
    fn report_fault(&self) {
        let sink = self.conn.sink();
        if self.websocket {
            sink.ended(Reason::Internal);
            sink.deliver(self.conn.id);
        } else {
            sink.closed(self.conn.id);
        }
    }

    fn drain(&self) {
        let mut scratch = [0; 8192];
        let mut left = DRAIN;
        while left > 0 {
            match (&**self.io.get_ref()).read(&mut scratch) {
                Ok(n) if n > 0 => left = left.saturating_sub(n),
                _ => break,
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.reason == Reason::Internal {
            self.report_fault();
        }
        self.conn.drop_socket(self.reason);
    }
}
