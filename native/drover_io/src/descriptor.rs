//! The two uses of file descriptors that the compiler cannot check.
#![allow(unsafe_code)]

use socket2::Socket;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Register a socket with this thread's runtime.
pub(crate) fn register(
    socket: Arc<Socket>,
    interest: Interest,
) -> io::Result<AsyncFd<Arc<Socket>>> {
    register_any(socket, interest)
}

/// Register a poll of our own with this thread's runtime.
pub(crate) fn register_poll(poll: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    register_any(poll, Interest::READABLE)
}

fn register_any<T: AsRawFd>(source: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: both types above keep their descriptor until they are dropped, and the `AsyncFd` holds them.
    unsafe { AsyncFd::register_with_interest(source, interest) }.map_err(Into::into)
}

/// A descriptor of our own of the open file that `fd` names.
pub(crate) fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the descriptor is borrowed for the length of this call only; the caller holds it open meanwhile.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned()
}
