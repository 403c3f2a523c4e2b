//! The sending half: whole messages in, unmasked single frames out (RFC 6455 5.1: a server does not mask).

use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{self, Control, Data},
};

use crate::deflate::{self, Deflater, Rest, Rested};

/// What a server sends. Everything goes out unfragmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpCode {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
    /// A close frame.
    Close,
    /// A ping.
    Ping,
    /// A pong.
    Pong,
}

impl OpCode {
    fn is_data(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }
}

impl From<OpCode> for coding::OpCode {
    fn from(opcode: OpCode) -> Self {
        match opcode {
            OpCode::Text => Self::Data(Data::Text),
            OpCode::Binary => Self::Data(Data::Binary),
            OpCode::Close => Self::Control(Control::Close),
            OpCode::Ping => Self::Control(Control::Ping),
            OpCode::Pong => Self::Control(Control::Pong),
        }
    }
}

/// Longest payload of a control frame (RFC 6455 5.5).
pub const MAX_CONTROL: usize = 125;

/// Longest header of an unmasked frame.
const MAX_HEADER: usize = 10;

/// The header of an unmasked, unfragmented frame.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    bytes: [u8; MAX_HEADER],
    len: u8,
}

impl Header {
    fn new(opcode: OpCode, rsv1: bool, len: usize) -> Self {
        let header = FrameHeader {
            is_final: true,
            rsv1,
            rsv2: false,
            rsv3: false,
            opcode: opcode.into(),
            mask: None,
        };
        let mut bytes = [0; MAX_HEADER];
        header
            .format(len as u64, &mut bytes.as_mut_slice())
            .expect("an unmasked header fits");
        let len = header.len(len as u64) as u8;
        Self { bytes, len }
    }
}

impl AsRef<[u8]> for Header {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Makes frames, compressed ones if that was negotiated.
#[derive(Debug)]
pub struct Sender {
    deflater: Option<Box<Deflater>>,
    deflating: bool,
}

impl Sender {
    /// `deflate` is what was negotiated. It compresses until told otherwise.
    pub fn new(deflate: Option<&deflate::Params>) -> Self {
        Self {
            deflater: deflate.map(|params| Box::new(Deflater::new(params))),
            deflating: true,
        }
    }

    /// Switch compression off or on again (Cowboy's `{deflate, boolean()}`); ignored if it was not negotiated.
    pub fn set_deflate(&mut self, on: bool) {
        self.deflating = on;
    }

    /// Will a frame of this kind be compressed? Control frames never are (RFC 7692 6.1).
    pub fn compresses(&self, opcode: OpCode) -> bool {
        opcode.is_data() && self.deflating && self.deflater.is_some()
    }

    /// Whether it holds a compression context.
    pub fn holds_context(&self) -> bool {
        self.deflater.as_ref().is_some_and(|it| it.holds_context())
    }

    /// Give up what is not needed while nothing is sent.
    pub fn rest(&mut self, rest: Rest) -> Rested {
        self.deflater
            .as_mut()
            .map_or(Rested::Done, |deflater| deflater.rest(rest))
    }

    /// Nothing is compressed any more: give up the context.
    pub fn end(&mut self) {
        self.deflater = None;
    }

    /// Header of an unmasked frame that is a whole message; for payloads that are written from where they are.
    pub fn header(opcode: OpCode, rsv1: bool, len: usize) -> Header {
        Header::new(opcode, rsv1, len)
    }

    /// Append the whole frame to `out`: header and payload, compressed if [`compresses`](Self::compresses) says so.
    pub fn encode(&mut self, opcode: OpCode, payload: &[&[u8]], out: &mut Vec<u8>) {
        let len = payload.iter().map(|piece| piece.len()).sum();
        debug_assert!(opcode.is_data() || len <= MAX_CONTROL);
        match &mut self.deflater {
            Some(deflater) if self.deflating && opcode.is_data() => {
                encode_deflated(deflater, opcode, payload, len, out);
            }
            _ => encode_plain(opcode, payload, len, out),
        }
    }

    /// Append a close frame. A reason of more than 123 bytes is the caller's error.
    pub fn encode_close(code_reason: Option<(u16, &[u8])>, out: &mut Vec<u8>) {
        match code_reason {
            None => encode_plain(OpCode::Close, &[], 0, out),
            Some((code, reason)) => {
                let len = 2 + reason.len();
                debug_assert!(len <= MAX_CONTROL);
                encode_plain(OpCode::Close, &[&code.to_be_bytes(), reason], len, out);
            }
        }
    }
}

fn encode_plain(opcode: OpCode, payload: &[&[u8]], len: usize, out: &mut Vec<u8>) {
    let header = Header::new(opcode, false, len);
    out.reserve(header.as_ref().len() + len);
    out.extend_from_slice(header.as_ref());
    for piece in payload {
        out.extend_from_slice(piece);
    }
}

/// The length that the header tells is known only afterwards: leave room for the header of the uncompressed
/// length, which is right more often than not, and move the payload if it was wrong.
fn encode_deflated(
    deflater: &mut Deflater,
    opcode: OpCode,
    payload: &[&[u8]],
    len: usize,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    let guess = Header::new(opcode, true, len);
    out.extend_from_slice(guess.as_ref());
    let body = out.len();
    deflater.deflate(payload, out);
    let header = Header::new(opcode, true, out.len() - body);
    if header.as_ref().len() == guess.as_ref().len() {
        out[start..body].copy_from_slice(header.as_ref());
    } else {
        out.splice(start..body, header.as_ref().iter().copied());
    }
}
