//! The rules of WebSocket: RFC 6455 and RFC 7692 with Cowboy's limits and reasons.
//!
//! No sockets, no clocks, no threads: bytes and times are arguments, events and bytes are results.
//!
//! A connection is two halves that never wait for each other: the [`Receiver`] turns bytes from a client into
//! events, the [`Sender`] turns messages into frames. [`idle`] decides when a silent client is to be dropped,
//! [`deflate`] compresses, and [`http`] reads what comes before the first frame.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod buffers;
pub mod deflate;
pub mod http;
pub mod idle;
pub mod mask;
pub mod receive;
pub mod send;
pub mod utf8;

pub use idle::{IdlePolicy, IdleRule};
pub use receive::{Event, Payload, ProtocolError, Receiver, RecvConfig, Step};
pub use send::{OpCode, Sender};
