//! What the receiving half tells.

use std::ops::Range;

use tungstenite::protocol::frame::coding::Control;

use super::ProtocolError;

/// How far a call of [`Receiver::next`](super::Receiver::next) came.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// All input is used up.
    NeedMore,
    /// Something for the handler; there may be more in the rest of the input.
    Event(Event<'a>),
    /// That was enough work for one call. Call again with the rest of the input, even if it is empty.
    Yield,
    /// The frame that begins here is larger than is allowed. Call [`Receiver::next`](super::Receiver::next) again when
    /// the limit may have been raised, or [`Receiver::refuse`](super::Receiver::refuse) it.
    TooLarge,
    /// A close frame or an error was given before: there will never be another event.
    Ended,
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message.
    Text(Payload<'a>),
    /// A whole binary message.
    Binary(Payload<'a>),
    /// A ping and its payload.
    Ping(&'a [u8]),
    /// A pong and its payload.
    Pong(&'a [u8]),
    /// A close frame, with code and reason if it has any. The last event.
    Close(Option<(u16, &'a [u8])>),
    /// The client broke a rule. The last event.
    Error(ProtocolError),
}

impl Event<'_> {
    /// Bytes of its payload.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Text(payload) | Self::Binary(payload) => payload.as_ref().len(),
            Self::Ping(bytes) | Self::Pong(bytes) => bytes.len(),
            Self::Close(close) => close.map_or(0, |(_, reason)| 2 + reason.len()),
            Self::Error(_) => 0,
        }
    }
}

/// The bytes of a message.
#[derive(Debug)]
pub enum Payload<'a> {
    /// Unmasked where it came in.
    Slice(&'a [u8]),
    /// Put together from several pieces, or inflated.
    Owned(Vec<u8>),
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Slice(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// Where the bytes are makes no difference.
impl PartialEq for Payload<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Payload<'_> {}

/// An event that borrows nothing yet.
#[derive(Debug)]
pub(super) enum Found {
    NeedMore,
    Yield,
    TooLarge,
    Ended,
    Slice(MessageKind, Range<usize>),
    Owned(MessageKind, Vec<u8>),
    Control(ControlKind, Place),
    Error(ProtocolError),
}

/// Where the payload of a control frame is.
#[derive(Debug)]
pub(super) enum Place {
    Input(Range<usize>),
    Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageKind {
    Text,
    Binary,
}

impl MessageKind {
    pub(super) fn event(self, payload: Payload<'_>) -> Event<'_> {
        match self {
            Self::Text => Event::Text(payload),
            Self::Binary => Event::Binary(payload),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ControlKind {
    /// With the code, once the payload is complete and has one.
    Close(Option<u16>),
    Ping,
    Pong,
}

impl ControlKind {
    pub(super) fn is_close(self) -> bool {
        matches!(self, Self::Close(_))
    }

    pub(super) fn event(self, payload: &[u8]) -> Event<'_> {
        match self {
            Self::Close(None) => Event::Close(None),
            Self::Close(Some(code)) => Event::Close(Some((code, &payload[2..]))),
            Self::Ping => Event::Ping(payload),
            Self::Pong => Event::Pong(payload),
        }
    }
}

impl From<Control> for ControlKind {
    fn from(control: Control) -> Self {
        match control {
            Control::Close => Self::Close(None),
            Control::Ping => Self::Ping,
            Control::Pong | Control::Reserved(_) => Self::Pong,
        }
    }
}
