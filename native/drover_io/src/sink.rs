//! Where a connection's events go: the seam to whatever runs the handlers.

use crate::Conn;
use drover_proto::http::Head;
use drover_proto::receive::Event;
use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// The receiving end of one connection. Called from the connection's I/O thread only.
pub trait Sink: Any + Send + Sync {
    /// Put a WebSocket event into this thread's batch.
    fn event(&self, event: Event<'_>);

    /// Put the end of the stream into this thread's batch.
    fn ended(&self, reason: Reason);

    /// Hand this thread's batch (maybe empty) to the owner as one message. `false`: the owner is gone.
    fn deliver(&self, id: u64) -> bool;

    /// The idle timeout seems to be over. [`Conn::idle_left`] tells.
    fn idle(&self, id: u64);

    /// Nothing was said for a while, and the connection's compression contexts are parked: whatever else the owner
    /// holds only to be quick may go, too.
    fn parked(&self, id: u64);

    /// A whole, valid request head has arrived. `false`: nobody is there to take it.
    fn request(&self, conn: &Arc<Conn>, request: &Request<'_>) -> bool;

    /// An answer to [`Conn::read_body`].
    fn body(&self, id: u64, body: Body<'_>);

    /// The connection ended while it waited for a request or read a body.
    fn closed(&self, id: u64);

    /// What a send left unwritten is out ([`crate::SendOutcome::Wait`]), or never will be.
    fn sent(&self, id: u64, result: Result<(), Reason>);
}

/// A request as the listener's process needs it.
#[derive(Debug)]
pub struct Request<'a> {
    /// The parsed head.
    pub head: &'a Head,
    /// The client's address.
    pub peer: &'a Address,
    /// The address the client connected to.
    pub sock: &'a Address,
    /// Whether it is the first request of its connection.
    pub first: bool,
}

/// One end of a connection.
#[derive(Clone, Debug)]
pub enum Address {
    /// IPv4 or IPv6.
    Inet(SocketAddr),
    /// A Unix domain socket; clients are mostly unnamed.
    Local(Option<PathBuf>),
}

/// A piece of a request body.
#[derive(Debug)]
pub enum Body<'a> {
    /// Some bytes; there are more.
    More(&'a [u8]),
    /// The last bytes.
    Last(&'a [u8]),
    /// The peer closed inside the body.
    Closed,
    /// Not a chunked body as RFC 9112 section 7.1 has it.
    Malformed,
}

/// Why a socket can no longer be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The peer closed or reset the connection, or this side did.
    Closed,
    /// Another socket error, with its `errno`.
    Errno(i32),
    /// A fault inside this library; the connection is given up, the node lives.
    Internal,
}

impl From<&io::Error> for Reason {
    fn from(error: &io::Error) -> Self {
        use io::ErrorKind as K;
        match (error.kind(), error.raw_os_error()) {
            (K::BrokenPipe | K::ConnectionReset | K::ConnectionAborted | K::NotConnected, _)
            | (_, None) => Self::Closed,
            (_, Some(errno)) => Self::Errno(errno),
        }
    }
}
