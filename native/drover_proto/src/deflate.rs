//! permessage-deflate (RFC 7692) and its forerunner `x-webkit-deflate-frame`.

/// Which of the two deflate extensions was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `permessage-deflate`: the payload of a whole message is one compressed unit.
    PerMessage,
    /// `x-webkit-deflate-frame`: every frame is a compressed unit of its own.
    WebkitFrame,
}

/// How the compressor looks for redundancy; zlib's strategies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// zlib's compression level, -1 (its default) to 9.
    pub level: i32,
    /// zlib's memory level, 1 to 9.
    pub mem_level: i32,
    /// zlib's strategy.
    pub strategy: Strategy,
}

/// Cowboy's `deflate_opts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// zlib's compression level, -1 (its default) to 9.
    pub level: i32,
    /// zlib's memory level, 1 to 9.
    pub mem_level: i32,
    /// zlib's strategy.
    pub strategy: Strategy,
    /// Let the server keep its window from message to message.
    pub server_context_takeover: bool,
    /// Let the client keep its window from message to message.
    pub client_context_takeover: bool,
    /// Largest window of the server, 8 to 15.
    pub server_max_window_bits: u8,
    /// Largest window of the client, 8 to 15.
    pub client_max_window_bits: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: 9,
            mem_level: 8,
            strategy: Strategy::Default,
            server_context_takeover: true,
            client_context_takeover: true,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        }
    }
}

/// Why a `sec-websocket-extensions` header could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegotiateError {
    /// The header does not follow the grammar of RFC 6455 9.1; answer 400.
    BadHeader,
}

/// Choose the first acceptable deflate offer. Gives the agreed parameters and the value of the response header.
pub fn negotiate(
    header: &[u8],
    options: &Options,
) -> Result<Option<(Params, String)>, NegotiateError> {
    let _ = (header, options);
    Ok(None)
}

/// Only check the grammar of the header, for when compression is off.
pub fn check_extensions(header: &[u8]) -> Result<(), NegotiateError> {
    let _ = header;
    Ok(())
}

/// Why a message could not be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// The output would pass the limit (close code 1009).
    TooBig,
    /// The input is no deflate data (close code 1002).
    Corrupt,
}

/// How far one call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inflated {
    /// Bytes of the input that are done with.
    pub consumed: usize,
    /// The budget was used up; call again with the rest of the input, even if it is empty.
    pub more_output: bool,
}

/// The receiving side's decompressor.
#[derive(Debug)]
pub struct Inflater {}

impl Inflater {
    /// Allocates nothing until the first compressed byte.
    pub fn new(params: &Params) -> Self {
        let _ = params;
        Self {}
    }

    /// Inflate a piece of the present message and append to `out`, whose length never passes `limit`.
    pub fn inflate(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
        budget: usize,
    ) -> Result<Inflated, InflateError> {
        let _ = (input, out, limit, budget);
        Err(InflateError::Corrupt)
    }

    /// The message is over: get what is still inside.
    pub fn finish(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        budget: usize,
    ) -> Result<Inflated, InflateError> {
        let _ = (out, limit, budget);
        Err(InflateError::Corrupt)
    }
}

/// The sending side's compressor.
#[derive(Debug)]
pub struct Deflater {}

impl Deflater {
    /// Allocates nothing until the first message.
    pub fn new(params: &Params) -> Self {
        let _ = params;
        Self {}
    }

    /// Append the whole message, compressed, to `out`.
    pub fn deflate(&mut self, payload: &[&[u8]], out: &mut Vec<u8>) {
        let _ = (payload, out);
    }
}
