//! Codecs give up their compression contexts when nothing is said, and are none the worse for it.

mod support;

use drover_io::{Codec, Item, stats};
use drover_proto::deflate::{Kind, Params, Strategy};
use drover_proto::{OpCode, mask};
use std::thread::sleep;
use std::time::Duration;
use support::upgrade;

/// More than one I/O thread lets hold contexts at once.
const MANY: usize = 1100;

fn codec() -> Codec {
    let params = Params {
        kind: Kind::PerMessage,
        server_takeover: true,
        client_takeover: true,
        server_bits: 15,
        client_bits: 15,
        level: 6,
        mem_level: 8,
        strategy: Strategy::Default,
    };
    let options = drover_io::Upgrade {
        deflate: Some(params),
        ..upgrade()
    };
    Codec::new(options, 1)
}

fn encode(codec: &Codec, message: &[u8]) -> Vec<u8> {
    codec.lock().encode(&[Item::Frame(OpCode::Binary, message)])
}

/// 200 bytes that do not compress.
fn noise() -> Vec<u8> {
    let mut state = 1u64;
    let random = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    });
    random.take(200).collect()
}

/// The frame of a server as a client would send it.
fn masked(frame: &[u8]) -> Vec<u8> {
    let header = if frame[1] < 126 { 2 } else { 4 };
    let mut masked = frame[..header].to_vec();
    masked[1] |= 0x80;
    masked.extend_from_slice(&[1, 2, 3, 4]);
    let start = masked.len();
    masked.extend_from_slice(&frame[header..]);
    mask::unmask(&mut masked[start..], [1, 2, 3, 4], 0);
    masked
}

fn until_parked() {
    while stats().contexts > 0 {
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn codecs_rest_however_many_and_remember() {
    let message = noise();
    let codecs: Vec<Codec> = (0..MANY).map(|_| codec()).collect();
    for most in [220, 30, 30] {
        for codec in &codecs {
            let frame = encode(codec, &message);
            assert!(frame.len() <= most, "{} bytes", frame.len());
            let mut events = 0;
            codec.lock().decode(&masked(&frame), |event| {
                assert!(
                    matches!(event, drover_proto::Event::Binary(bytes) if bytes.as_ref() == message)
                );
                events += 1;
            });
            assert_eq!(events, 1);
        }
        until_parked();
    }
}
