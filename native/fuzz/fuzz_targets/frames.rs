//! Bytes of a client give the same events however they are split, never a message above the limit, and nothing
//! after the end.
//!
//! Input: one byte of options, two of the limit, one that seeds the splits, then what the client sends.
#![no_main]

use drover_proto::{
    Event, ProtocolError, Receiver, RecvConfig, Step,
    deflate::{Kind, Params, Strategy},
};
use libfuzzer_sys::fuzz_target;

/// An event that owns its bytes.
#[derive(Debug, PartialEq)]
enum Seen {
    Message(bool, Vec<u8>),
    Control(bool, Vec<u8>),
    Close(Option<(u16, Vec<u8>)>),
    Error(ProtocolError),
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(payload) => Self::Message(true, payload.as_ref().to_vec()),
            Event::Binary(payload) => Self::Message(false, payload.as_ref().to_vec()),
            Event::Ping(payload) => Self::Control(true, payload.to_vec()),
            Event::Pong(payload) => Self::Control(false, payload.to_vec()),
            Event::Close(payload) => {
                Self::Close(payload.map(|(code, reason)| (code, reason.to_vec())))
            }
            Event::Error(error) => Self::Error(error),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(([options, high, low, seed], bytes)) = data.split_first_chunk() else {
        return;
    };
    let config = config(*options, u16::from_be_bytes([*high, *low]));
    let whole = decode(&config, bytes, |rest| rest);
    assert_eq!(whole, decode(&config, bytes, |_| 1), "byte by byte");
    let mut random = u32::from(*seed);
    let split = decode(&config, bytes, |_| {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
        (random >> 16) as usize % 20
    });
    assert_eq!(whole, split);
    check(&config, &whole);
});

fn config(options: u8, limit: u16) -> RecvConfig {
    let kind = match options & 0b11 {
        0 => None,
        1 => Some(Kind::WebkitFrame),
        _ => Some(Kind::PerMessage),
    };
    RecvConfig {
        max_frame_size: (options & 0b100 != 0).then_some(limit.into()),
        validate_utf8: options & 0b1000 == 0,
        deflate: kind.map(|kind| Params {
            kind,
            server_takeover: true,
            client_takeover: options & 0b1_0000 == 0,
            server_bits: 15,
            client_bits: 15,
            level: 1,
            mem_level: 1,
            strategy: Strategy::Default,
        }),
    }
}

/// Feed the receiver with pieces whose sizes `piece` chooses, knowing how much is left.
fn decode(config: &RecvConfig, bytes: &[u8], mut piece: impl FnMut(usize) -> usize) -> Vec<Seen> {
    let mut receiver = Receiver::new(config);
    let mut seen = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(piece(rest.len()).min(rest.len()));
        feed(&mut receiver, &mut head.to_vec(), &mut seen);
        rest = tail;
    }
    seen
}

fn feed(receiver: &mut Receiver, input: &mut [u8], seen: &mut Vec<Seen>) {
    let mut at = 0;
    loop {
        let (used, step) = receiver.next(&mut input[at..]);
        at += used;
        match step {
            Step::Event(event) => seen.push(event.into()),
            Step::Yield => {}
            Step::TooLarge => {
                if let Step::Event(event) = receiver.refuse() {
                    seen.push(event.into());
                }
            }
            Step::NeedMore | Step::Ended => break,
        }
    }
    assert_eq!(at, input.len());
}

fn check(config: &RecvConfig, seen: &[Seen]) {
    let limit = config.max_frame_size.unwrap_or(u64::MAX);
    for (i, event) in seen.iter().enumerate() {
        match event {
            Seen::Message(text, bytes) => {
                assert!(bytes.len() as u64 <= limit);
                assert!(!text || !config.validate_utf8 || str::from_utf8(bytes).is_ok());
            }
            Seen::Control(_, bytes) => assert!(bytes.len() <= 125 && bytes.len() as u64 <= limit),
            Seen::Close(_) | Seen::Error(_) => assert_eq!(i, seen.len() - 1),
        }
    }
}
