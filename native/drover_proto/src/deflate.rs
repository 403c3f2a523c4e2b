//! permessage-deflate (RFC 7692) and its forerunner `x-webkit-deflate-frame`.
//!
//! [`negotiate`] chooses among a client's offers; an [`Inflater`] and a [`Deflater`], one per direction, do what was
//! agreed. Neither holds a context before its first compressed message, and without context takeover neither holds one
//! between messages; with it, either gives its context up when told to [`Rest`], and takes another when it is needed.

mod compress;
mod decode;
mod extensions;
mod inflate;
mod negotiate;
mod pool;
mod rest;
mod window;

pub use compress::Deflater;
pub use inflate::{InflateError, Inflated, Inflater};
pub use negotiate::{NegotiateError, Options, check_extensions, negotiate};
pub use pool::contexts;
pub use rest::{Rest, Rested};

/// What a sync flush ends with: taken off each message by the sender, put back by the receiver (RFC 7692 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Which of the two deflate extensions was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `permessage-deflate`: the payload of a whole message is one compressed unit.
    PerMessage,
    /// `x-webkit-deflate-frame`: every frame is a compressed unit of its own.
    WebkitFrame,
}

/// How the compressor looks for redundancy; zlib's strategies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// For any data.
    #[default]
    Default,
    /// For small values with a somewhat random distribution.
    Filtered,
    /// No string matching.
    HuffmanOnly,
    /// Matches at distance one only.
    Rle,
    /// No dynamic Huffman codes.
    Fixed,
}

/// What both sides agreed on, and how this side compresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Params {
    /// The extension in force.
    pub kind: Kind,
    /// The server keeps its window from message to message.
    pub server_takeover: bool,
    /// The client keeps its window from message to message.
    pub client_takeover: bool,
    /// Base-two logarithm of the server's window, 8 to 15.
    pub server_bits: u8,
    /// Base-two logarithm of the client's window, 8 to 15.
    pub client_bits: u8,
    /// zlib's compression level, -1 (its default) to 9. Values outside are taken as the nearest inside, here and below.
    pub level: i32,
    /// zlib's memory level, 1 to 9.
    pub mem_level: i32,
    /// zlib's strategy.
    pub strategy: Strategy,
}
