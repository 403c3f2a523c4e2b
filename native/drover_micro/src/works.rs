//! The pieces of work.

use crate::messages::{HEAD, ascii, frame, json, utf8};
use drover_proto::deflate::{Deflater, Inflater, Kind, Params, Strategy};
use drover_proto::http::{HeadLimits, HeadScanner, accept_key, parse_scanned};
use drover_proto::{OpCode, Receiver, RecvConfig, Sender, Step, mask, utf8 as text};
use std::hint::black_box;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const COMPRESSED: u8 = 0x40;
/// What no message of these reaches.
const PLENTY: usize = 1 << 30;
/// Messages that are compressed in turn: of a kilobyte and more each, they are forgotten before they come again.
const TURNS: usize = 64;

/// Something that can be done any number of times, and costs the same each time.
pub struct Work {
    /// What is done, and to what.
    pub name: &'static str,
    /// Bytes of payload each time.
    pub bytes: usize,
    /// Frames, heads or pieces each time.
    pub count: usize,
    /// Does it.
    pub run: Box<dyn FnMut()>,
}

fn work(name: &'static str, bytes: usize, count: usize, run: impl FnMut() + 'static) -> Work {
    let run = Box::new(run);
    Work {
        name,
        bytes,
        count,
        run,
    }
}

/// All of them, made anew.
#[must_use]
pub fn works() -> Vec<Work> {
    let mut all = vec![
        unmask("unmask/125", 125),
        unmask("unmask/16k", 16 << 10),
        unmask("unmask/1m", 1 << 20),
        validate("utf8/ascii-125", ascii(125)),
        validate("utf8/ascii-16k", ascii(16 << 10)),
        validate("utf8/mixed-1k", utf8(1 << 10)),
        validate("utf8/mixed-16k", utf8(16 << 10)),
        receive("header/1", 256, &frame(BINARY, b"x"), None),
        receive("receive/text-125", 64, &frame(TEXT, &ascii(125)), None),
        receive("receive/utf8-1k", 16, &frame(TEXT, &utf8(1 << 10)), None),
        receive(
            "receive/binary-16k",
            4,
            &frame(BINARY, &ascii(16 << 10)),
            None,
        ),
        send("send/text-125", 64, ascii(125), None),
        send("send/binary-16k", 4, ascii(16 << 10), None),
        work("http/scan", HEAD.len(), 1, || {
            let found = HeadScanner::new().scan(black_box(HEAD), &HeadLimits::default());
            assert!(found == Ok(Some(HEAD.len())));
        }),
        work("http/parse", HEAD.len(), 1, {
            let mut scanner = HeadScanner::new();
            assert!(scanner.scan(HEAD, &HeadLimits::default()) == Ok(Some(HEAD.len())));
            move || drop(black_box(parse_scanned(black_box(HEAD), &scanner)))
        }),
        work("http/accept-key", 24, 1, || {
            drop(black_box(accept_key(black_box(
                b"dGhlIHNhbXBsZSBub25jZQ==",
            ))));
        }),
    ];
    for (names, size) in [
        (["deflate/json-125", "inflate/json-125"], 125),
        (["deflate/json-1k", "inflate/json-1k"], 1 << 10),
        (["deflate/json-64k", "inflate/json-64k"], 64 << 10),
    ] {
        all.push(deflate(names[0], size));
        all.push(inflate(names[1], json(size)));
    }
    all.push(inflate_whole("inflate/whole-125", &json(125)));
    all.push(inflate_whole("inflate/whole-1k", &json(1 << 10)));
    let compressed = frame(TEXT | COMPRESSED, &deflated(&json(1 << 10)));
    all.push(receive(
        "receive/deflate-1k",
        16,
        &compressed,
        Some(params()),
    ));
    all.push(send("send/deflate-1k", 16, json(1 << 10), Some(&params())));
    all
}

fn unmask(name: &'static str, size: usize) -> Work {
    let mut bytes = ascii(size);
    work(name, size, 1, move || {
        mask::unmask(black_box(&mut bytes), black_box([1, 2, 3, 4]), 0);
    })
}

fn validate(name: &'static str, bytes: Vec<u8>) -> Work {
    work(name, bytes.len(), 1, move || {
        assert!(text::is_valid(black_box(&bytes)));
    })
}

/// `count` frames that came with one read.
fn receive(name: &'static str, count: usize, frame: &[u8], deflate: Option<Params>) -> Work {
    let mut receiver = Receiver::new(&RecvConfig {
        max_frame_size: Some(1_000_000),
        validate_utf8: true,
        deflate,
    });
    let mut input = frame.repeat(count);
    let bytes = input.len();
    work(name, bytes, count, move || {
        let (mut position, mut events) = (0, 0);
        while position < input.len() {
            let (consumed, step) = receiver.next(&mut input[position..]);
            position += consumed;
            events += usize::from(matches!(black_box(step), Step::Event(_)));
        }
        assert!(events == count);
    })
}

/// `count` replies that leave with one call.
fn send(name: &'static str, count: usize, payload: Vec<u8>, deflate: Option<&Params>) -> Work {
    let size = payload.len();
    let mut payloads = Turns::new(deflate.map_or(payload, |_| json(TURNS * size)), size);
    let mut sender = Sender::new(deflate);
    let mut out = Vec::new();
    work(name, count * size, count, move || {
        out.clear();
        for _ in 0..count {
            sender.encode(OpCode::Text, black_box(&[payloads.next()]), &mut out);
        }
        black_box(&out);
    })
}

fn deflate(name: &'static str, size: usize) -> Work {
    let mut payloads = Turns::new(json(TURNS * size), size);
    let (mut deflater, mut out) = (Deflater::new(&params()), Vec::new());
    work(name, size, 1, move || {
        out.clear();
        deflater.deflate(black_box(&[payloads.next()]), &mut out);
    })
}

/// Messages in turn, since one that was just sent compresses to nothing.
struct Turns {
    bytes: Vec<u8>,
    size: usize,
    at: usize,
}

impl Turns {
    fn new(bytes: Vec<u8>, size: usize) -> Self {
        Self { bytes, size, at: 0 }
    }

    fn next(&mut self) -> &[u8] {
        let start = self.at;
        self.at = (start + self.size) % self.bytes.len();
        &self.bytes[start..start + self.size]
    }
}

fn inflate(name: &'static str, payload: Vec<u8>) -> Work {
    let (mut inflater, mut out) = (Inflater::new(&params()), Vec::new());
    let wire = deflated(&payload);
    work(name, payload.len(), 1, move || {
        out.clear();
        let inflated = inflater.inflate(black_box(&wire), &mut out, PLENTY, PLENTY);
        assert!(inflated.is_ok() && inflater.finish(&mut out, PLENTY, PLENTY).is_ok());
        assert!(out.len() == payload.len());
    })
}

/// Without zlib.
fn inflate_whole(name: &'static str, payload: &[u8]) -> Work {
    let (mut inflater, mut out) = (Inflater::new(&params()), Vec::new());
    let (wire, size) = (deflated(payload), payload.len());
    work(name, size, 1, move || {
        out.clear();
        assert!(inflater.inflate_whole(black_box(&wire), &mut out, PLENTY));
        assert!(out.len() == size);
    })
}

/// Compressed without regard to earlier messages, so that it can be inflated any number of times.
fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    Deflater::new(&params()).deflate(&[payload], &mut wire);
    wire
}

/// As drover's defaults are.
fn params() -> Params {
    Params {
        kind: Kind::PerMessage,
        server_takeover: true,
        client_takeover: true,
        server_bits: 15,
        client_bits: 15,
        level: 6,
        mem_level: 5,
        strategy: Strategy::Default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_done_again_and_again() {
        for mut work in works() {
            (0..3).for_each(|_| (work.run)());
            assert!(work.bytes > 0 && work.count > 0, "{}", work.name);
        }
    }
}
