//! Choosing among a client's offers, with Cowboy's answers.

use std::fmt::Write;

use super::extensions::{self, Offer, Param};
use super::{Kind, Params, Strategy};

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
    /// Largest window of the client, 8 to 15. Below 15, a client that does not offer to limit its window gets no compression.
    pub client_max_window_bits: u8,
}

impl Default for Options {
    /// Cowboy's level is 9 and its memory level 8. Level 6 saves four tenths of the work, and JSON gets a few per cent longer or
    /// shorter. The memory level changes next to nothing but how much zlib-rs clears for each message, 6 KiB instead of 48.
    fn default() -> Self {
        Self {
            level: 6,
            mem_level: 5,
            strategy: Strategy::Default,
            server_context_takeover: true,
            client_context_takeover: true,
            server_max_window_bits: MAX_BITS,
            client_max_window_bits: MAX_BITS,
        }
    }
}

/// Why a `sec-websocket-extensions` header could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegotiateError {
    /// The header does not follow the grammar of RFC 6455 9.1; the answer is 400.
    BadHeader,
}

const MAX_BITS: u8 = 15;

/// Choose the first acceptable deflate offer. Gives what was agreed and the value of the response header.
///
/// `Ok(None)`: there is no such offer, and the response has no such header.
pub fn negotiate(
    header: &[u8],
    options: &Options,
) -> Result<Option<(Params, String)>, NegotiateError> {
    let offers = extensions::parse(header).ok_or(NegotiateError::BadHeader)?;
    Ok(offers.into_iter().find_map(|offer| accept(offer, options)))
}

/// Only check the grammar of the header, as Cowboy does when compression is off.
pub fn check_extensions(header: &[u8]) -> Result<(), NegotiateError> {
    extensions::parse(header)
        .map(drop)
        .ok_or(NegotiateError::BadHeader)
}

fn accept(offer: Offer<'_>, options: &Options) -> Option<(Params, String)> {
    match offer.name {
        b"permessage-deflate" => accept_permessage(offer.params, options),
        b"x-webkit-deflate-frame" => Some(accept_webkit(options)),
        _ => None,
    }
}

/// Parameters are ignored, those of the offer as well as our own.
fn accept_webkit(options: &Options) -> (Params, String) {
    let params = Params {
        kind: Kind::WebkitFrame,
        server_takeover: true,
        client_takeover: true,
        server_bits: MAX_BITS,
        client_bits: MAX_BITS,
        level: options.level,
        mem_level: options.mem_level,
        strategy: options.strategy,
    };
    (params, "x-webkit-deflate-frame".to_owned())
}

fn accept_permessage(mut params: Vec<Param<'_>>, options: &Options) -> Option<(Params, String)> {
    params.sort_unstable();
    if params.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    let mut agreement = Agreement::new(options);
    for param in params {
        agreement.add(param)?;
    }
    agreement.conclude(options)
}

/// An answer in the making. Cowboy's order: the last of the sorted parameters first, what was not asked for at the end,
/// except for our own `server_max_window_bits`, which comes before all.
struct Agreement {
    params: Params,
    /// Parameters of the answer, from the last to the first.
    answer: Vec<Answer>,
    server_bits_asked: bool,
    client_bits_offered: bool,
}

enum Answer {
    ServerNoTakeover,
    ClientNoTakeover,
    ServerBits(u8),
    ClientBits(u8),
}

impl Agreement {
    fn new(options: &Options) -> Self {
        let mut answer = Vec::new();
        if !options.server_context_takeover {
            answer.push(Answer::ServerNoTakeover);
        }
        if !options.client_context_takeover {
            answer.push(Answer::ClientNoTakeover);
        }
        let params = Params {
            kind: Kind::PerMessage,
            server_takeover: options.server_context_takeover,
            client_takeover: options.client_context_takeover,
            server_bits: options.server_max_window_bits,
            client_bits: options.client_max_window_bits,
            level: options.level,
            mem_level: options.mem_level,
            strategy: options.strategy,
        };
        Self {
            params,
            answer,
            server_bits_asked: false,
            client_bits_offered: false,
        }
    }

    /// `None`: unknown, or without the value it needs, or with one it must not have.
    fn add(&mut self, param: Param<'_>) -> Option<()> {
        match param {
            Param::Bare(b"client_max_window_bits") => self.client_bits(MAX_BITS),
            Param::Bare(b"client_no_context_takeover") => self.client_no_takeover(),
            Param::Bare(b"server_no_context_takeover") => self.server_no_takeover(),
            Param::Valued(name, value) => self.add_bits(name, window_bits(&value)?)?,
            Param::Bare(_) => return None,
        }
        Some(())
    }

    fn add_bits(&mut self, name: &[u8], bits: u8) -> Option<()> {
        match name {
            b"client_max_window_bits" => self.client_bits(bits),
            b"server_max_window_bits" => self.server_bits(bits),
            _ => return None,
        }
        Some(())
    }

    /// The client may be told to use less than it offers.
    fn client_bits(&mut self, offered: u8) {
        self.client_bits_offered = true;
        self.params.client_bits = self.params.client_bits.min(offered);
        self.answer
            .push(Answer::ClientBits(self.params.client_bits));
    }

    /// A request for more than we are set to use is one for what we use.
    fn server_bits(&mut self, asked: u8) {
        if asked <= self.params.server_bits {
            self.server_bits_asked = true;
            self.params.server_bits = asked;
            self.answer.push(Answer::ServerBits(asked));
        }
    }

    fn client_no_takeover(&mut self) {
        if self.params.client_takeover {
            self.params.client_takeover = false;
            self.answer.push(Answer::ClientNoTakeover);
        }
    }

    fn server_no_takeover(&mut self) {
        if self.params.server_takeover {
            self.params.server_takeover = false;
            self.answer.push(Answer::ServerNoTakeover);
        }
    }

    fn conclude(mut self, options: &Options) -> Option<(Params, String)> {
        // A limit cannot be put on a client that did not say it understands one (RFC 7692 7.1.2.2).
        if options.client_max_window_bits < MAX_BITS && !self.client_bits_offered {
            return None;
        }
        if options.server_max_window_bits < MAX_BITS && !self.server_bits_asked {
            self.answer
                .push(Answer::ServerBits(options.server_max_window_bits));
        }
        let header = self.header();
        Some((self.params, header))
    }

    fn header(&self) -> String {
        let mut header = "permessage-deflate".to_owned();
        for answer in self.answer.iter().rev() {
            // Writing to a String cannot fail.
            let _ = match answer {
                Answer::ServerNoTakeover => write!(header, "; server_no_context_takeover"),
                Answer::ClientNoTakeover => write!(header, "; client_no_context_takeover"),
                Answer::ServerBits(bits) => write!(header, "; server_max_window_bits={bits}"),
                Answer::ClientBits(bits) => write!(header, "; client_max_window_bits={bits}"),
            };
        }
        header
    }
}

/// 8 to 15 in plain decimal, no leading zero (RFC 7692 7.1.2).
fn window_bits(value: &[u8]) -> Option<u8> {
    match value {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}
