//! A client made of bytes, and a receiver that tells what it saw.

use drover_proto::{Event, ProtocolError, Receiver, RecvConfig, Step, deflate, mask};
use zlib_rs::{Deflate, DeflateFlush};

pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CONTINUE: u8 = 0x0;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;
pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;

pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// An event that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, Vec<u8>)>),
    Error(ProtocolError),
}

pub(crate) const BAD_FRAME: Seen = Seen::Error(ProtocolError::BadFrame);
pub(crate) const BAD_ENCODING: Seen = Seen::Error(ProtocolError::BadEncoding);
pub(crate) const BAD_SIZE: Seen = Seen::Error(ProtocolError::BadSize);

pub(crate) fn text(payload: impl AsRef<[u8]>) -> Seen {
    Seen::Text(payload.as_ref().to_vec())
}

pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Seen {
    Seen::Binary(payload.as_ref().to_vec())
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(payload) => text(payload),
            Event::Binary(payload) => binary(payload),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(None) => Self::Close(None),
            Event::Close(Some((code, reason))) => Self::Close(Some((code, reason.to_vec()))),
            Event::Error(error) => Self::Error(error),
        }
    }
}

impl Seen {
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Close(_) | Self::Error(_))
    }
}

/// No limit, text is checked, no compression.
pub(crate) fn plain() -> RecvConfig {
    RecvConfig {
        max_frame_size: None,
        validate_utf8: true,
        deflate: None,
    }
}

pub(crate) fn limited(max: u64) -> RecvConfig {
    RecvConfig {
        max_frame_size: Some(max),
        ..plain()
    }
}

pub(crate) fn deflating(kind: deflate::Kind) -> RecvConfig {
    RecvConfig {
        deflate: Some(params(kind)),
        ..plain()
    }
}

pub(crate) fn params(kind: deflate::Kind) -> deflate::Params {
    deflate::Params {
        kind,
        server_takeover: true,
        client_takeover: true,
        server_bits: 15,
        client_bits: 15,
        level: 6,
        mem_level: 8,
        strategy: deflate::Strategy::Default,
    }
}

/// What a receiver says that gives up because of a frame.
pub(crate) fn refused(receiver: &mut Receiver) -> Seen {
    match receiver.refuse() {
        Step::Event(event) => event.into(),
        step => panic!("{step:?}"),
    }
}

/// Give the receiver all of `bytes`, as often as it wants to be called.
pub(crate) fn feed(receiver: &mut Receiver, bytes: &[u8]) -> Vec<Seen> {
    let mut input = bytes.to_vec();
    let mut at = 0;
    let mut seen = Vec::new();
    loop {
        let (used, step) = receiver.next(&mut input[at..]);
        at += used;
        match step {
            Step::Event(event) => seen.push(event.into()),
            Step::Yield => {}
            Step::TooLarge => seen.push(refused(receiver)),
            Step::NeedMore | Step::Ended => break,
        }
    }
    assert_eq!(at, bytes.len(), "what is not needed yet is kept inside");
    seen
}

/// What a fresh receiver makes of `bytes`.
pub(crate) fn decode(config: &RecvConfig, bytes: &[u8]) -> Vec<Seen> {
    feed(&mut Receiver::new(config), bytes)
}

/// The same, the bytes coming in pieces of the given sizes and then the rest.
pub(crate) fn decode_split(config: &RecvConfig, bytes: &[u8], sizes: &[usize]) -> Vec<Seen> {
    let mut receiver = Receiver::new(config);
    let mut seen = Vec::new();
    let mut rest = bytes;
    for &size in sizes {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        seen.extend(feed(&mut receiver, piece));
        rest = after;
    }
    seen.extend(feed(&mut receiver, rest));
    seen
}

/// Byte by byte.
pub(crate) fn drip(config: &RecvConfig, bytes: &[u8]) -> Vec<Seen> {
    decode_split(config, bytes, &vec![1; bytes.len()])
}

/// The same, reading into the receiver's own buffer wherever it lends one, `read` bytes at a time.
pub(crate) fn decode_filling(config: &RecvConfig, bytes: &[u8], read: usize) -> Vec<Seen> {
    let mut receiver = Receiver::new(config);
    let mut seen = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = match receiver.fill_buffer() {
            None => rest.split_at(read.min(rest.len())),
            Some(window) => {
                let n = read.min(rest.len()).min(window.len());
                window[..n].copy_from_slice(&rest[..n]);
                if let Step::Event(event) = receiver.filled(n) {
                    seen.push(event.into());
                }
                (&rest[..0], &rest[n..])
            }
        };
        seen.extend(feed(&mut receiver, piece));
        rest = after;
    }
    seen
}

/// A masked frame whose first byte is `first`.
pub(crate) fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut bytes = header(first, payload.len() as u64);
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    mask::unmask(&mut bytes[start..], KEY, 0);
    bytes
}

/// The header of a masked frame, its length told in the shortest way.
pub(crate) fn header(first: u8, len: u64) -> Vec<u8> {
    match len {
        0..126 => header_as(first, len, 7),
        126..0x1_0000 => header_as(first, len, 16),
        _ => header_as(first, len, 64),
    }
}

/// The header of a masked frame, its length told in so many bits.
pub(crate) fn header_as(first: u8, len: u64, bits: u8) -> Vec<u8> {
    let mut bytes = vec![first];
    match bits {
        7 => bytes.push(0x80 | len as u8),
        16 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    bytes.extend(KEY);
    bytes
}

/// A message in fragments, RSV1 on the first if `rsv1`.
pub(crate) fn fragments(opcode: u8, rsv1: bool, payloads: &[&[u8]]) -> Vec<u8> {
    let last = payloads.len() - 1;
    let mut bytes = Vec::new();
    for (i, payload) in payloads.iter().enumerate() {
        let opcode = if i == 0 { opcode } else { CONTINUE };
        let fin = if i == last { FIN } else { 0 };
        let rsv1 = if rsv1 && i == 0 { RSV1 } else { 0 };
        bytes.extend(frame(fin | rsv1 | opcode, payload));
    }
    bytes
}

pub(crate) fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason);
    frame(FIN | CLOSE, payload)
}

/// A client's compressor: zlib itself.
pub(crate) struct Compressor(Deflate);

impl Compressor {
    pub(crate) fn new() -> Self {
        Self(Deflate::new(6, false, 15))
    }

    /// The payload of a compressed message (RFC 7692 7.2.1).
    pub(crate) fn message(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut out = vec![0; plain.len() + plain.len() / 100 + 64];
        let before = self.0.total_out();
        self.0
            .compress(plain, &mut out, DeflateFlush::SyncFlush)
            .expect("there is room");
        out.truncate((self.0.total_out() - before) as usize);
        assert!(out.ends_with(&[0, 0, 0xFF, 0xFF]));
        out.truncate(out.len() - 4);
        out
    }
}

/// A compressed message from a fresh context.
pub(crate) fn compressed(plain: &[u8]) -> Vec<u8> {
    Compressor::new().message(plain)
}
