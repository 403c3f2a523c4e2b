//! Sockets that somebody else has accepted, and on which a handshake has been answered.

use crate::conn::{Conn, Patience};
use crate::descriptor::duplicate;
use crate::sink::Sink;
use crate::worker;
use socket2::Socket;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

/// Take over the connection on the socket `fd`, of which a duplicate is made. `early`: bytes that were read from it already.
///
/// It waits for [`Conn::upgrade`] and [`Conn::start`].
///
/// # Errors
/// Those of duplicating `fd`, making it non-blocking, and starting the I/O threads.
pub fn adopt(
    fd: RawFd,
    early: Vec<u8>,
    io_threads: usize,
    patience: Patience,
    sink: Box<dyn Sink>,
) -> io::Result<Arc<Conn>> {
    worker::start(io_threads)?;
    let socket = Socket::from(duplicate(fd)?);
    socket.set_nonblocking(true)?;
    let socket = Arc::new(socket);
    let conn = Conn::new(Arc::clone(&socket), sink, worker::next(), patience, None);
    conn.park(socket, early);
    Ok(conn)
}
