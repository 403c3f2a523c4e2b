//! The two uses of file descriptors that the compiler cannot check.
#![allow(unsafe_code)]

use socket2::Socket;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Register a socket with this thread's runtime.
pub(crate) fn register(
    socket: Arc<Socket>,
    interest: Interest,
) -> io::Result<AsyncFd<Arc<Socket>>> {
    // SAFETY: a `Socket` keeps its descriptor until it is dropped, and the `AsyncFd` holds it through the `Arc`.
    unsafe { AsyncFd::register_with_interest(socket, interest) }.map_err(Into::into)
}

/// A socket of our own on the open file that `fd` names.
pub(crate) fn duplicate(fd: RawFd) -> io::Result<Socket> {
    // SAFETY: the descriptor is borrowed for the length of this call only; the caller holds it open meanwhile.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned().map(Socket::from)
}
