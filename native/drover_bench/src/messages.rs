//! What is sent, made once: payloads and the masked frames that carry them.

use crate::frame;
use std::str::FromStr;
use zlib_rs::{Deflate, DeflateFlush};

/// Contents of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ASCII.
    Text,
    /// Text of which most characters take two to four bytes.
    Utf8,
    /// Text as an API would send it, which compresses well.
    Json,
    /// Any bytes.
    Binary,
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "text" => Ok(Self::Text),
            "utf8" => Ok(Self::Utf8),
            "json" => Ok(Self::Json),
            "binary" => Ok(Self::Binary),
            _ => Err(()),
        }
    }
}

/// How payloads travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Plain,
    Deflate,
    Raw,
}

pub(crate) struct Message {
    pub(crate) payload: Vec<u8>,
    pub(crate) frame: Vec<u8>,
}

/// Several messages of one size. Connections send them in turn, so that a reply out of order does not pass for the right one.
pub(crate) struct Messages {
    all: Vec<Message>,
    pub(crate) opcode: u8,
}

impl Messages {
    pub(crate) fn new(kind: Kind, size: usize, wire: Wire) -> Self {
        // Few enough that large ones leave the processor's cache to the server.
        let count = ((1 << 20) / size).clamp(2, 16);
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let opcode = if kind == Kind::Binary {
            frame::BINARY
        } else {
            frame::TEXT
        };
        let all = (0..count)
            .map(|_| Message::new(kind.payload(size, &mut random), opcode, wire, &mut random));
        Self {
            all: all.collect(),
            opcode,
        }
    }

    pub(crate) fn get(&self, number: u64) -> &Message {
        &self.all[(number % self.all.len() as u64) as usize]
    }
}

impl Message {
    fn new(payload: Vec<u8>, opcode: u8, wire: Wire, random: &mut Random) -> Self {
        let mask = (random.next() as u32).to_ne_bytes();
        let frame = match wire {
            Wire::Raw => payload.clone(),
            Wire::Plain => frame::encode(opcode, false, mask, &payload),
            Wire::Deflate => frame::encode(opcode, true, mask, &deflated(&payload)),
        };
        Self { payload, frame }
    }
}

/// Compressed without regard to earlier messages, which any inflater takes, whether or not it keeps a context.
fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; payload.len() + payload.len() / 8 + 64];
    let mut stream = Deflate::new(6, false, 15);
    stream
        .compress(payload, &mut out, DeflateFlush::SyncFlush)
        .expect("room for the worst case");
    assert_eq!(
        stream.total_in(),
        payload.len() as u64,
        "room for the worst case"
    );
    out.truncate(stream.total_out() as usize - 4);
    out
}

impl Kind {
    fn payload(self, size: usize, random: &mut Random) -> Vec<u8> {
        match self {
            Self::Binary => (0..size).map(|_| random.next() as u8).collect(),
            Self::Text => (0..size)
                .map(|_| b' ' + (random.next() % 95) as u8)
                .collect(),
            Self::Utf8 => filled(size, random, |random, text| {
                text.push(
                    ['a', 'é', 'ß', 'Ω', 'ж', 'न', '語', '한', '€', '🐑', ' ']
                        [random.next() as usize % 11],
                );
            }),
            Self::Json => filled(size, random, |random, text| {
                let (id, price) = (random.next() % 100_000, random.next() % 10_000);
                let name = ["anna", "bjarne", "chandra", "dmitri"][random.next() as usize % 4];
                text.push_str(&format!(
                    r#"{{"id":{id},"user":"{name}","price":{price},"tags":["new","sale"]}},"#
                ));
            }),
        }
    }
}

/// Exactly `size` bytes of text: whole characters, and blanks for the rest.
fn filled(size: usize, random: &mut Random, more: impl Fn(&mut Random, &mut String)) -> Vec<u8> {
    let mut text = String::with_capacity(size + 128);
    while text.len() < size {
        more(random, &mut text);
    }
    text.truncate(text.floor_char_boundary(size));
    let mut bytes = text.into_bytes();
    bytes.resize(size, b' ');
    bytes
}

/// xorshift64: the same messages in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 4] = [Kind::Text, Kind::Utf8, Kind::Json, Kind::Binary];

    #[test]
    fn payloads_have_the_size_and_differ() {
        for kind in KINDS {
            for size in [20, 125, 1024, 16384] {
                let messages = Messages::new(kind, size, Wire::Plain);
                assert_eq!(messages.get(0).payload.len(), size);
                assert_ne!(messages.get(0).payload, messages.get(1).payload);
            }
        }
    }

    #[test]
    fn text_is_valid_and_mostly_not_ascii_where_it_should_be() {
        let messages = Messages::new(Kind::Utf8, 1024, Wire::Plain);
        let text = str::from_utf8(&messages.get(0).payload).unwrap();
        assert!(text.chars().filter(|c| !c.is_ascii()).count() * 2 > text.chars().count());
    }

    #[test]
    fn compressed_messages_are_shorter_and_inflate() {
        let messages = Messages::new(Kind::Json, 1024, Wire::Deflate);
        let message = messages.get(3);
        assert!(message.frame.len() < 700);
        let mut check = crate::check::Inflating::new();
        let mut out = Vec::new();
        check
            .inflate(&deflated(&message.payload), |bytes| {
                out.extend_from_slice(bytes);
            })
            .unwrap();
        check.finish(|bytes| out.extend_from_slice(bytes)).unwrap();
        assert_eq!(out, message.payload);
    }

    #[test]
    fn any_size_can_be_compressed() {
        for size in [1, 2, 100, 70_000] {
            for kind in KINDS {
                Messages::new(kind, size, Wire::Deflate);
            }
        }
    }
}
