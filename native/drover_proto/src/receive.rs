//! The receiving half: bytes from a client in, whole messages and control frames out.

mod assembly;
mod close;
mod deflated;
mod error;
mod event;
mod frame;
mod header;
mod message;
#[cfg(test)]
mod tests;

use tungstenite::protocol::frame::coding::{Data, OpCode};

pub use self::{
    error::ProtocolError,
    event::{Event, Payload, Step},
};

use self::{
    event::{ControlKind, Found, MessageKind, Place},
    frame::{Frame, Input},
    header::{Context, Header, Partial},
    message::Message,
};
use crate::deflate::{self, Inflater, Rest, Rested};

/// A frame that misses more than this, and a message of which this much has come, is worth reading in place.
const FILL_LEAST: usize = 16 * 1024;

/// Largest window that is lent out for reading.
const FILL_MOST: usize = 256 * 1024;

/// What the receiving half of a connection has to know.
#[derive(Clone, Debug)]
pub struct RecvConfig {
    /// Largest frame and largest message (the sum of its fragments, inflated) in bytes; `None` = no limit.
    pub max_frame_size: Option<u64>,
    /// Check that text and close reasons are UTF-8.
    pub validate_utf8: bool,
    /// What was negotiated.
    pub deflate: Option<deflate::Params>,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Header,
    /// Payload of a control frame.
    Control,
    /// Payload of an uncompressed data frame.
    Plain,
    /// Payload of a compressed data frame; `more`: the inflater has output left for the input it has taken.
    Deflated {
        more: bool,
    },
    /// The end of a compressed message, when all its bytes have been taken.
    Flush,
    /// Payload of a frame over the limit, if that is not raised.
    TooLarge,
    /// A close frame or an error was given; whatever follows is ignored.
    Ended,
}

/// Decodes what a client sends.
///
/// Feed it with [`next`](Self::next). Everything it keeps between calls is what is needed to go on: a few bytes of
/// an incomplete header, the part of a message that has come so far. Between messages it owns no buffer.
///
/// All limits are decided on a frame's header, before anything is reserved for its payload.
#[derive(Debug)]
pub struct Receiver {
    max: u64,
    validate: bool,
    deflate: Option<deflate::Kind>,
    inflater: Option<Box<Inflater>>,
    stage: Stage,
    header: Partial,
    frame: Frame,
    message: Message,
    /// Payload of a control frame that comes in pieces.
    control: Vec<u8>,
    control_kind: ControlKind,
}

/// `None`: nothing to tell yet, go on with the next stage.
type Progress = Result<Option<Found>, ProtocolError>;

impl Receiver {
    /// A receiver that waits for the first frame.
    pub fn new(config: &RecvConfig) -> Self {
        let deflate = config.deflate.as_ref();
        Self {
            max: config.max_frame_size.unwrap_or(u64::MAX),
            validate: config.validate_utf8,
            deflate: deflate.map(|params| params.kind),
            inflater: deflate.map(|params| Box::new(Inflater::new(params))),
            stage: Stage::Header,
            header: Partial::default(),
            frame: Frame::default(),
            message: Message::default(),
            control: Vec::new(),
            control_kind: ControlKind::Ping,
        }
    }

    /// Change the limit from the next header on.
    pub fn set_max_frame_size(&mut self, max: Option<u64>) {
        self.max = max.unwrap_or(u64::MAX);
    }

    /// Has a part of a frame come, but not all of it?
    pub fn mid_frame(&self) -> bool {
        !self.header.is_empty() || !matches!(self.stage, Stage::Header | Stage::Ended)
    }

    /// Whether it holds a compression context.
    pub fn holds_context(&self) -> bool {
        self.inflater.as_ref().is_some_and(|it| it.holds_context())
    }

    /// Give up what is not needed while nothing comes.
    pub fn rest(&mut self, rest: Rest) -> Rested {
        self.inflater
            .as_mut()
            .map_or(Rested::Done, |inflater| inflater.rest(rest))
    }

    /// Decode the next event from a prefix of `input`; says how long that prefix is. Call again with the rest until
    /// it says [`Step::NeedMore`] or [`Step::Ended`]; then all of `input` has been used.
    ///
    /// The used part of `input` may have been changed. A call inflates about 256 KiB at most, then it says
    /// [`Step::Yield`].
    pub fn next<'a>(&'a mut self, input: &'a mut [u8]) -> (usize, Step<'a>) {
        if self.stage != Stage::Control {
            self.control = Vec::new();
        }
        let mut cursor = Input::new(input);
        let found = self.run(&mut cursor);
        let used = cursor.used();
        (used, self.step(found, &input[..used]))
    }

    /// Give up because of the frame that was [`Step::TooLarge`].
    pub fn refuse(&mut self) -> Step<'_> {
        let found = self.fail(ProtocolError::BadSize);
        self.step(found, &[])
    }

    /// Room for the rest of an uncompressed data frame of which much has come and much is missing. Read into it,
    /// then call [`filled`](Self::filled). `None`: read elsewhere and call [`next`](Self::next), as is always allowed.
    ///
    /// Never more room than bytes of the message that have come, so that memory is paid for by the sender; but for a buffer
    /// that is there anyway.
    pub fn fill_buffer(&mut self) -> Option<&mut [u8]> {
        let left = usize::try_from(self.frame.left).unwrap_or(usize::MAX);
        let have = self.message.body.len();
        if self.stage != Stage::Plain || left <= FILL_LEAST || have < FILL_LEAST {
            return None;
        }
        let ceiling = self.frame.ceiling(have);
        Some(self.message.body.window(left.min(FILL_MOST), ceiling))
    }

    /// The first `n` bytes of [`fill_buffer`](Self::fill_buffer) have been filled.
    ///
    /// # Panics
    ///
    /// If `n` is larger than that buffer.
    pub fn filled(&mut self, n: usize) -> Step<'_> {
        let found = match self.take_filled(n) {
            Ok(found) => found.unwrap_or(Found::NeedMore),
            Err(error) => self.fail(error),
        };
        self.step(found, &[])
    }

    fn take_filled(&mut self, n: usize) -> Progress {
        if n == 0 {
            return Ok(None);
        }
        let piece = self.message.body.lent(n);
        self.frame.unmask(piece);
        self.message.commit(n, self.validate)?;
        if self.frame.left > 0 {
            return Ok(None);
        }
        self.end_frame()
    }

    fn run(&mut self, input: &mut Input<'_>) -> Found {
        let mut budget = deflated::BUDGET;
        loop {
            let progress = match self.stage {
                Stage::Header => self.read_header(input),
                Stage::Control => self.read_control(input),
                Stage::Plain => self.read_plain(input),
                Stage::Deflated { more } => self.read_deflated(input, more, &mut budget),
                Stage::Flush => self.flush(&mut budget),
                Stage::TooLarge => self.decide(),
                Stage::Ended => {
                    input.skip();
                    Ok(Some(Found::Ended))
                }
            };
            match progress {
                Ok(None) => {}
                Ok(Some(found)) => return found,
                Err(error) => return self.fail(error),
            }
        }
    }

    /// Give up. Nothing that was being put together is needed any more.
    fn fail(&mut self, error: ProtocolError) -> Found {
        self.end();
        Found::Error(error)
    }

    fn end(&mut self) {
        self.stage = Stage::Ended;
        self.header = Partial::default();
        self.message = Message::default();
        self.inflater = None;
    }

    fn step<'a>(&'a self, found: Found, input: &'a [u8]) -> Step<'a> {
        match found {
            Found::NeedMore => Step::NeedMore,
            Found::Yield => Step::Yield,
            Found::TooLarge => Step::TooLarge,
            Found::Ended => Step::Ended,
            Found::Slice(kind, range) => Step::Event(kind.event(Payload::Slice(&input[range]))),
            Found::Owned(kind, bytes) => Step::Event(kind.event(Payload::Owned(bytes))),
            Found::Control(kind, Place::Input(range)) => Step::Event(kind.event(&input[range])),
            Found::Control(kind, Place::Kept) => Step::Event(kind.event(&self.control)),
            Found::Error(error) => Step::Event(Event::Error(error)),
        }
    }

    fn read_header(&mut self, input: &mut Input<'_>) -> Progress {
        let context = Context {
            within_message: self.message.has_begun(),
            rsv1_first: self.deflate.is_some(),
            // Cowboy inflates a fragmented message as one with either extension; the older one sets the bit on
            // each of its frames.
            rsv1_continuation: self.deflate == Some(deflate::Kind::WebkitFrame)
                && self.message.compressed,
        };
        let (used, header) = self.header.read(input.rest(), context)?;
        input.advance(used);
        match header {
            None => Ok(Some(Found::NeedMore)),
            Some(header) => self.begin_frame(&header),
        }
    }

    fn begin_frame(&mut self, header: &Header) -> Progress {
        self.frame = Frame::new(header);
        match header.opcode {
            OpCode::Control(control) => self.control_kind = control.into(),
            OpCode::Data(data) => self.begin_data(data, header.rsv1),
        }
        self.decide()
    }

    /// Take the frame that has begun, if the limit allows.
    fn decide(&mut self) -> Progress {
        let stage = self.payload_stage();
        // Fragments add up; what a compressed frame will add is known only when it is inflated.
        let have = self.message.body.len() as u64;
        let size = match stage {
            Stage::Plain => self.frame.left.saturating_add(have),
            Stage::Deflated { .. } => self.frame.left.max(have),
            _ => self.frame.left,
        };
        if size > self.max {
            self.stage = Stage::TooLarge;
            return Ok(Some(Found::TooLarge));
        }
        self.frame.limit = self.max;
        self.stage = stage;
        Ok(None)
    }

    fn begin_data(&mut self, data: Data, rsv1: bool) {
        match data {
            Data::Text => self.message.begin(MessageKind::Text, rsv1),
            Data::Binary => self.message.begin(MessageKind::Binary, rsv1),
            Data::Continue | Data::Reserved(_) => {}
        }
    }

    fn payload_stage(&self) -> Stage {
        if self.frame.control {
            Stage::Control
        } else if self.message.compressed {
            Stage::Deflated { more: false }
        } else {
            Stage::Plain
        }
    }

    fn read_control(&mut self, input: &mut Input<'_>) -> Progress {
        let range = self.frame.take(input, usize::MAX);
        let whole = self.frame.left == 0;
        if whole && self.control.is_empty() {
            return self.end_control(input.get(&range), Place::Input(range.clone()));
        }
        self.control.extend_from_slice(input.get(&range));
        if whole {
            let payload = std::mem::take(&mut self.control);
            let found = self.end_control(&payload, Place::Kept);
            self.control = payload;
            return found;
        }
        if self.control_kind.is_close() {
            close::check_prefix(&self.control, self.validate)?;
        }
        Ok(Some(Found::NeedMore))
    }

    fn end_control(&mut self, payload: &[u8], place: Place) -> Progress {
        self.stage = Stage::Header;
        if self.control_kind.is_close() {
            let code = close::check(payload, self.validate)?;
            self.control_kind = ControlKind::Close(code);
            self.end();
        }
        Ok(Some(Found::Control(self.control_kind, place)))
    }

    fn read_plain(&mut self, input: &mut Input<'_>) -> Progress {
        let range = self.frame.take(input, usize::MAX);
        let piece = input.get(&range);
        let whole = self.frame.left == 0;
        if whole && self.frame.fin && self.message.body.len() == 0 {
            self.stage = Stage::Header;
            let kind = self.message.end_as(piece, self.validate)?;
            return Ok(Some(Found::Slice(kind, range)));
        }
        let ceiling = self.frame.ceiling(self.message.body.len() + piece.len());
        self.message.append(piece, ceiling, self.validate)?;
        if whole {
            self.end_frame()
        } else {
            Ok(Some(Found::NeedMore))
        }
    }

    /// All of a data frame's payload is in the message.
    fn end_frame(&mut self) -> Progress {
        self.stage = Stage::Header;
        if !self.frame.fin {
            return Ok(None);
        }
        let (kind, bytes) = self.message.end(self.validate)?;
        Ok(Some(Found::Owned(kind, bytes)))
    }
}
