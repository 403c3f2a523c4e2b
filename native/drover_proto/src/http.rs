//! HTTP/1.1 requests, as far as an opening handshake and a small request loop need them.
//!
//! A [`HeadScanner`] finds the end of a head that arrives in pieces and enforces all size limits on the way;
//! [`parse_scanned`] takes the head apart; a [`BodyDecoder`] gives the body. All are strict where leniency would let two
//! parsers disagree on where a request ends.

mod body;
mod head;
mod length;
mod scan;
mod target;

pub use body::{BodyDecoder, BodyError};
pub use head::{Head, Scheme, Version, parse_head, parse_scanned};
pub use length::BodyLength;
pub use scan::HeadScanner;

use tungstenite::handshake::derive_accept_key;

/// Largest sizes of a request head. Lengths of a line, name or value leave out the line end and the white space before a
/// value, as Cowboy's do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the request line (414 beyond).
    pub request_line: usize,
    /// Bytes of one header name (431 beyond).
    pub header_name: usize,
    /// Bytes of one header value (431 beyond).
    pub header_value: usize,
    /// Header lines (431 beyond).
    pub headers: usize,
    /// Bytes of the whole head (431 beyond).
    pub head: usize,
    /// Empty lines before the request line (400 beyond).
    pub empty_lines: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            request_line: 8000,
            header_name: 64,
            header_value: 4096,
            headers: 100,
            head: 65536,
            empty_lines: 5,
        }
    }
}

/// Why a request head was refused. The connection is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// Not HTTP, or not strictly so (400).
    Malformed,
    /// The request line, or the authority in it, is too long (414).
    RequestLineTooLong,
    /// A header name or value, their number, or the head is too large (431).
    HeadersTooLarge,
    /// A method or a transfer coding that is not served here (501).
    NotImplemented,
    /// Neither HTTP/1.0 nor HTTP/1.1 (505).
    UnsupportedVersion,
}

impl HeadError {
    /// The status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::RequestLineTooLong => 414,
            Self::HeadersTooLarge => 431,
            Self::NotImplemented => 501,
            Self::UnsupportedVersion => 505,
        }
    }
}

/// The value of `sec-websocket-accept` for a key, whatever bytes the client sent as such.
pub fn accept_key(key: &[u8]) -> String {
    derive_accept_key(key)
}

/// A `tchar` of RFC 9110 5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
