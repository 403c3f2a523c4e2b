//! zlib contexts for raw deflate data, safe to use.
//!
//! zlib-rs has an interface of its own for that, which lacks three things that a connection at rest needs: memory that
//! goes back to the system when a context is dropped, the history that a context holds, and word of where in the data a
//! decompressor stands. Its C interface, which is wrapped here, has them.
#![deny(missing_docs)]

mod deflate;
mod inflate;
mod memory;
mod pages;
mod stream;

pub use deflate::{Config, Deflate, Flush, Strategy};
pub use inflate::{Inflate, Progress};
pub use pages::Pages;

/// There is no memory for a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// The input is no deflate data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// The largest window that deflate knows, and so the longest history.
pub const WINDOW: usize = 1 << 15;
