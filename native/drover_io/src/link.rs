//! A socket in its HTTP phase, as the tokio task that serves it has it.

use crate::conn::Conn;
use crate::descriptor::register;
use crate::hold::{Drained, Flushed, Hold};
use socket2::Socket;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Sleep, sleep};

/// A held socket, registered with this thread's runtime from when it has to be waited for: most clients have sent their request
/// when it is first asked for, and a WebSocket is waited for by the hub.
pub(crate) struct Link {
    hold: Hold,
    io: OnceLock<AsyncFd<Arc<Socket>>>,
    flushing: Timer,
    lingering: Timer,
}

impl Link {
    pub(crate) fn new(conn: Arc<Conn>, socket: Arc<Socket>) -> Self {
        Self {
            hold: Hold::new(conn, socket),
            io: OnceLock::new(),
            flushing: None,
            lingering: None,
        }
    }

    /// What was ready before it is registered shows after it.
    fn io(&self) -> io::Result<&AsyncFd<Arc<Socket>>> {
        if let Some(io) = self.io.get() {
            return Ok(io);
        }
        let interest = Interest::READABLE | Interest::WRITABLE;
        let io = register(Arc::clone(&self.hold.socket), interest)?;
        Ok(self.io.get_or_init(|| io))
    }

    pub(crate) fn conn(&self) -> &Arc<Conn> {
        &self.hold.conn
    }

    /// The socket without its registration.
    pub(crate) fn into_hold(self) -> Hold {
        self.hold
    }

    /// Make the next read say that the peer is done.
    pub(crate) fn hang_up(&self) {
        // An error means that it is.
        let _ = self.hold.socket.shutdown(Shutdown::Read);
    }

    /// Read what is there.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.io.get().is_none() {
            match self.hold.recv(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
        let io = self.io()?;
        loop {
            let mut guard = ready!(io.poll_read_ready(cx))?;
            match self.hold.recv(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
                result => return Poll::Ready(result),
            }
        }
    }

    /// Write out what the kernel did not take. `Ready`: nothing is blocked (any more).
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<()> {
        while self.hold.conn.is_blocked() {
            let Ok(io) = self.io() else {
                return Poll::Ready(());
            };
            let Ok(mut guard) = ready!(io.poll_write_ready(cx)) else {
                return Poll::Ready(());
            };
            match self.hold.flush() {
                Flushed::All => {}
                Flushed::Blocked => guard.clear_ready(),
                Flushed::Later => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// Write out the rest and say FIN, and hear out a peer that is still sending; each within the time for it. When it
    /// is ready, drop the link.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.hold.conn.patience();
        self.hold.conn.close();
        if self.poll_flush(cx).is_pending() {
            ready!(poll_time(&mut self.flushing, patience.flush(), cx));
        }
        self.hold.finish();
        loop {
            match self.hold.drain() {
                Drained::End => return Poll::Ready(()),
                Drained::None if self.lingering.is_none() => return Poll::Ready(()),
                Drained::None | Drained::Some => {}
                Drained::More => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            if poll_time(&mut self.lingering, Some(patience.linger()), cx).is_ready() {
                return Poll::Ready(());
            }
            let Ok(io) = self.io() else {
                return Poll::Ready(());
            };
            match ready!(io.poll_read_ready(cx)) {
                Ok(mut guard) => guard.clear_ready(),
                Err(_) => return Poll::Ready(()),
            }
        }
    }
}

type Timer = Option<Pin<Box<Sleep>>>;

/// Whether `time` is over, which begins when this is asked first.
fn poll_time(timer: &mut Timer, time: Option<Duration>, cx: &mut Context<'_>) -> Poll<()> {
    match time {
        None => Poll::Pending,
        Some(time) => timer
            .get_or_insert_with(|| Box::pin(sleep(time)))
            .as_mut()
            .poll(cx),
    }
}
