//! HTTP/1.1 as far as an opening handshake and a small request loop need it.

use tungstenite::handshake::derive_accept_key;

/// Largest sizes of a request head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the request line (414 beyond).
    pub request_line: usize,
    /// Bytes of one header name (431 beyond).
    pub header_name: usize,
    /// Bytes of one header value (431 beyond).
    pub header_value: usize,
    /// Number of headers (431 beyond).
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

/// Why a request head was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// Not HTTP, or not strictly so (400).
    Malformed,
    /// The request line is too long (414).
    RequestLineTooLong,
    /// A header name or value, their number, or the head is too large (431).
    HeadersTooLarge,
    /// A transfer coding other than `chunked` (501).
    UnknownTransferCoding,
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
            Self::UnknownTransferCoding => 501,
            Self::UnsupportedVersion => 505,
        }
    }
}

/// Finds the end of a request head that arrives in pieces.
#[derive(Clone, Debug, Default)]
pub struct HeadScanner {}

impl HeadScanner {
    /// A scanner for the next request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Call with the whole buffer so far. Gives the length of the head once it is complete.
    pub fn scan(&mut self, buf: &[u8], limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
        let _ = (buf, limits);
        Err(HeadError::Malformed)
    }
}

/// The version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// The scheme of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Clear TCP.
    Http,
    /// TLS.
    Https,
}

/// How long the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    None,
    /// As many bytes as Content-Length says; never 0.
    Fixed(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
}

/// A request head, checked and taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// As sent; case matters.
    pub method: String,
    /// Starts with a slash, or is `*`.
    pub path: String,
    /// What stands between `?` and `#`, without the `?`.
    pub qs: String,
    /// The version of the request.
    pub version: Version,
    /// Lower case, without the port.
    pub host: String,
    /// From the target or Host, otherwise the default of the scheme.
    pub port: u16,
    /// What the transport is; an absolute-form target cannot change it.
    pub scheme: Scheme,
    /// Lower-case names; those that came more than once are joined.
    pub headers: Vec<(String, Vec<u8>)>,
    /// How long the body is.
    pub body: BodyLength,
}

/// Parse what [`HeadScanner`] found.
pub fn parse_head(head: &[u8], limits: &HeadLimits) -> Result<Head, HeadError> {
    let _ = (head, limits);
    Err(HeadError::Malformed)
}

/// Why a request body could not be decoded; the connection cannot be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The chunked coding is malformed.
    Malformed,
    /// A chunk extension or the trailers are too long.
    TooLarge,
}

/// Decodes a request body that arrives in pieces.
#[derive(Clone, Debug)]
pub struct BodyDecoder {}

impl BodyDecoder {
    /// A decoder for a body of this length.
    pub fn new(length: BodyLength) -> Self {
        let _ = length;
        Self {}
    }

    /// Append at most `max_out` decoded bytes to `out`. Gives how much of `input` was used, and whether the body is over.
    pub fn decode(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        max_out: usize,
    ) -> Result<(usize, bool), BodyError> {
        let _ = (input, out, max_out);
        Err(BodyError::Malformed)
    }
}

/// The value of `sec-websocket-accept` for a key, whatever bytes that is.
pub fn accept_key(key: &[u8]) -> String {
    derive_accept_key(key)
}
