//! A load generator for WebSocket servers.
//!
//! One thread drives every connection through one epoll. Frames are built and masked before the first is sent, the frames
//! that a read makes due are written with one call, and replies are compared where they lie, so that the generator does
//! much less per message than any server it measures. What it says in the end is one line of JSON.
//!
//! It shares no code with the server that it was written for, so it also serves to check what that one sends.

mod check;
mod connect;
mod connection;
mod flood;
mod frame;
mod handshake;
mod idle;
mod load;
mod messages;
mod options;
mod process;
mod report;
mod stream;
mod timer;

pub use messages::Kind;
pub use options::{Mode, Options, USAGE, Verify};
pub use process::raise_descriptor_limit;
pub use report::Report;

use std::io;

/// Runs what the options ask for.
///
/// # Errors
/// A connection that failed, or a reply that is not what was sent.
pub fn run(options: &Options) -> io::Result<Report> {
    match options.mode {
        Mode::Echo | Mode::Push => load::run(options),
        Mode::Idle => idle::run(options),
        Mode::Connect => connect::run(options),
    }
}
