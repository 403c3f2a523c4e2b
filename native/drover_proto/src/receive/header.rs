//! Frame headers (RFC 6455 5.2), refused at the first byte that breaks a rule.

use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::ProtocolError;

/// Longest header of a masked frame.
const MAX: usize = 14;

/// What the frames before this one allow it to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// A fragmented message has begun and is not over.
    pub(super) within_message: bool,
    /// RSV1 may be set on the first frame of a message.
    pub(super) rsv1_first: bool,
    /// RSV1 may be set on a continuation.
    pub(super) rsv1_continuation: bool,
}

/// A header that keeps all rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) rsv1: bool,
    pub(super) opcode: OpCode,
    pub(super) len: u64,
    pub(super) key: [u8; 4],
}

/// The beginning of a header of which the rest has not come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Partial {
    bytes: [u8; MAX],
    len: u8,
}

impl Partial {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Go on with `input`; says how much of it was used, all if the header is not complete.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        context: Context,
    ) -> Result<(usize, Option<Header>), ProtocolError> {
        if self.is_empty()
            && let Some((header, used)) = parse(input, context)?
        {
            return Ok((used, Some(header)));
        }
        let had = usize::from(self.len);
        let have = MAX.min(had + input.len());
        self.bytes[had..have].copy_from_slice(&input[..have - had]);
        self.len = have as u8;
        match parse(&self.bytes[..have], context)? {
            None => Ok((have - had, None)),
            Some((header, size)) => {
                self.len = 0;
                Ok((size - had, Some(header)))
            }
        }
    }
}

/// The header at the beginning of `bytes` and its size, `None` if there is more to come.
fn parse(bytes: &[u8], context: Context) -> Result<Option<(Header, usize)>, ProtocolError> {
    let Some(&first) = bytes.first() else {
        return Ok(None);
    };
    let opcode = OpCode::from(first & 0x0F);
    check_first(first, opcode, context)?;
    let Some(&second) = bytes.get(1) else {
        return Ok(None);
    };
    check_second(second, opcode)?;
    let Some((len, rest)) = payload_len(second & 0x7F, &bytes[2..])? else {
        return Ok(None);
    };
    let Some((key, rest)) = rest.split_first_chunk() else {
        return Ok(None);
    };
    let header = Header {
        fin: first & 0x80 != 0,
        rsv1: first & 0x40 != 0,
        opcode,
        len,
        key: *key,
    };
    Ok(Some((header, bytes.len() - rest.len())))
}

fn check_first(first: u8, opcode: OpCode, context: Context) -> Result<(), ProtocolError> {
    let fin = first & 0x80 != 0;
    let (in_place, rsv1_allowed) = match opcode {
        OpCode::Data(Data::Continue) => (context.within_message, context.rsv1_continuation),
        OpCode::Data(Data::Text | Data::Binary) => (!context.within_message, context.rsv1_first),
        OpCode::Control(Control::Close | Control::Ping | Control::Pong) => (fin, false),
        OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)) => (false, false),
    };
    let rsv1 = first & 0x40 != 0;
    let rsv2_or_3 = first & 0x30 != 0;
    refuse_if(!in_place || rsv2_or_3 || (rsv1 && !rsv1_allowed))
}

/// The mask bit, and of control frames the length.
fn check_second(second: u8, opcode: OpCode) -> Result<(), ProtocolError> {
    let masked = second & 0x80 != 0;
    let bad_len = match (opcode, second & 0x7F) {
        (OpCode::Control(Control::Close), len) => len == 1 || len > 125,
        (OpCode::Control(_), len) => len > 125,
        (OpCode::Data(_), _) => false,
    };
    refuse_if(!masked || bad_len)
}

/// The length of the payload, which must be told in the shortest way and be below 2^63, and what follows it.
fn payload_len(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, ProtocolError> {
    let (len, least, rest) = match short {
        126 => match rest.split_first_chunk() {
            Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), 126, rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((len, rest)) => (u64::from_be_bytes(*len), 0x1_0000, rest),
            None => return Ok(None),
        },
        short => (u64::from(short), 0, rest),
    };
    refuse_if(len < least || len >> 63 != 0)?;
    Ok(Some((len, rest)))
}

fn refuse_if(bad: bool) -> Result<(), ProtocolError> {
    if bad {
        Err(ProtocolError::BadFrame)
    } else {
        Ok(())
    }
}
