//! Sockets, queues and credit: drives [`drover_proto`] over tokio.
//!
//! A connection has two sides that run on different threads. Its *task* ([`websocket`], [`http`]) lives on one I/O
//! thread ([`worker`]), reads, decodes and hands events to a [`Sink`]. Whoever sends does it from its own thread, inline,
//! through the connection's [`outbox`]; the task only finishes what the kernel would not take at once.
#![deny(missing_docs)]

mod adopt;
mod clock;
mod codec;
mod conn;
mod cork;
mod descriptor;
mod hold;
mod http;
mod hub;
mod link;
mod listener;
mod opening;
mod outbox;
mod rest;
mod seats;
mod shift;
mod sink;
mod stats;
mod websocket;
mod worker;

pub use adopt::adopt;
pub use codec::{Codec, CodecGuard, Decoded, Halves};
pub use conn::{Conn, Patience, Started, Upgrade};
pub use listener::{Listener, ListenerConfig, Occupancy};
pub use outbox::{Item, Mode, SendOutcome};
pub use shift::{Bell, Polled, offer_help};
pub use sink::{Address, Body, Reason, Request, Sink};
pub use stats::{Stats, stats};
pub use worker::help;
