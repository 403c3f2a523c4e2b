//! A socket in its HTTP phase, as the tokio task that serves it has it.

use crate::conn::Conn;
use crate::descriptor::register;
use crate::hold::Hold;
use socket2::Socket;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Sleep, sleep};

/// A held socket that is registered with this thread's runtime.
pub(crate) struct Link {
    hold: Hold,
    io: AsyncFd<Arc<Socket>>,
    /// How long a close waits for a peer that does not read; what is left then is lost.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl Link {
    pub(crate) fn new(conn: Arc<Conn>, socket: Arc<Socket>) -> io::Result<Self> {
        let io = register(Arc::clone(&socket), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            hold: Hold::new(conn, socket),
            io,
            lingering: None,
        })
    }

    pub(crate) fn conn(&self) -> &Arc<Conn> {
        &self.hold.conn
    }

    /// The socket without its registration.
    pub(crate) fn into_hold(self) -> Hold {
        self.hold
    }

    /// Read what is there.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.io.poll_read_ready(cx))?;
            match self.hold.recv(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => guard.clear_ready(),
                result => return Poll::Ready(result),
            }
        }
    }

    /// Write out what the kernel did not take. `Ready`: nothing is blocked (any more).
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<()> {
        while self.hold.conn.is_blocked() {
            let Ok(mut guard) = ready!(self.io.poll_write_ready(cx)) else {
                return Poll::Ready(());
            };
            if !self.hold.flush() {
                guard.clear_ready();
            }
        }
        Poll::Ready(())
    }

    /// Write out the rest, within the time for it, and say FIN. When it is ready, drop the link.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.hold.conn.close();
        let flushed = self.poll_flush(cx).is_ready();
        if !flushed {
            let linger = self.hold.conn.linger();
            let time = self
                .lingering
                .get_or_insert_with(|| Box::pin(sleep(linger)));
            ready!(time.as_mut().poll(cx));
        }
        self.hold.finish();
        Poll::Ready(())
    }
}
