//! The rules of WebSocket: RFC 6455 and RFC 7692 with Cowboy's limits and reasons.
//!
//! No sockets, no clocks, no threads: bytes and times are arguments, events and bytes are results.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod deflate;
pub mod http;
pub mod idle;
pub mod mask;
pub mod receive;
pub mod send;
pub mod utf8;
