//! RFC 7692 and its forerunner as the receiving half sees them; and that what the sender makes can be inflated.

use crate::support::*;
use drover_proto::{
    OpCode, Receiver, RecvConfig, Sender, Step,
    deflate::{Kind, Params},
};

const KINDS: [Kind; 2] = [Kind::PerMessage, Kind::WebkitFrame];

/// "Hello" as in RFC 7692 7.2.3.1.
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

fn check(kind: Kind, bytes: &[u8], want: &[Seen]) {
    assert_eq!(decode(&deflating(kind), bytes), want, "{kind:?}");
    assert_eq!(
        drip(&deflating(kind), bytes),
        want,
        "{kind:?}, byte by byte"
    );
}

#[test]
fn a_compressed_message() {
    for kind in KINDS {
        check(kind, &frame(FIN | RSV1 | TEXT, HELLO), &[text("Hello")]);
        check(kind, &frame(FIN | RSV1 | BINARY, HELLO), &[binary("Hello")]);
    }
}

#[test]
fn an_empty_compressed_message() {
    for kind in KINDS {
        check(kind, &frame(FIN | RSV1 | TEXT, [0]), &[text("")]);
        check(kind, &frame(FIN | RSV1 | TEXT, []), &[text("")]);
    }
}

#[test]
fn fragments_are_inflated_as_one() {
    for kind in KINDS {
        for cut in 0..=HELLO.len() {
            let (a, b) = HELLO.split_at(cut);
            check(kind, &fragments(TEXT, true, &[a, b]), &[text("Hello")]);
            check(
                kind,
                &fragments(TEXT, true, &[a, b"", b, b""]),
                &[text("Hello")],
            );
        }
    }
}

#[test]
fn the_context_is_kept_from_message_to_message() {
    let mut compressor = Compressor::new();
    let mut bytes = Vec::new();
    for _ in 0..3 {
        bytes.extend(frame(
            FIN | RSV1 | TEXT,
            compressor.message(b"again and again"),
        ));
    }
    for kind in KINDS {
        check(kind, &bytes, &vec![text("again and again"); 3]);
    }
}

#[test]
fn without_takeover_every_message_stands_alone() {
    let config = RecvConfig {
        deflate: Some(Params {
            client_takeover: false,
            ..params(Kind::PerMessage)
        }),
        ..plain()
    };
    let bytes = frame(FIN | RSV1 | TEXT, compressed(b"again and again"));
    let twice = [&bytes[..], &bytes[..]].concat();
    assert_eq!(decode(&config, &twice), vec![text("again and again"); 2]);
}

#[test]
fn uncompressed_messages_are_taken_as_well() {
    for kind in KINDS {
        let mut bytes = frame(FIN | TEXT, "plain");
        bytes.extend(frame(FIN | RSV1 | TEXT, HELLO));
        bytes.extend(fragments(TEXT, false, &[b"pl", b"ain"]));
        check(kind, &bytes, &[text("plain"), text("Hello"), text("plain")]);
    }
}

#[test]
fn control_frames_between_compressed_fragments() {
    for kind in KINDS {
        let mut bytes = frame(RSV1 | TEXT, &HELLO[..3]);
        bytes.extend(frame(FIN | PING, "p"));
        bytes.extend(frame(FIN | CONTINUE, &HELLO[3..]));
        check(kind, &bytes, &[Seen::Ping(b"p".to_vec()), text("Hello")]);
    }
}

#[test]
fn rsv1_has_no_place_on_control_frames() {
    for kind in KINDS {
        for opcode in [CLOSE, PING, PONG] {
            check(kind, &[FIN | RSV1 | opcode], &[BAD_FRAME]);
        }
    }
}

#[test]
fn rsv2_and_rsv3_have_no_place_at_all() {
    for kind in KINDS {
        for rsv in [0x10, 0x20, 0x30, 0x50, 0x60, 0x70] {
            check(kind, &[FIN | rsv | TEXT], &[BAD_FRAME]);
        }
    }
}

#[test]
fn rsv1_on_a_continuation() {
    let mut bytes = frame(RSV1 | TEXT, &HELLO[..4]);
    bytes.extend(frame(FIN | RSV1 | CONTINUE, &HELLO[4..]));
    check(Kind::PerMessage, &bytes, &[BAD_FRAME]);
    check(Kind::WebkitFrame, &bytes, &[text("Hello")]);
    for kind in KINDS {
        let mut bytes = frame(TEXT, "Hel");
        bytes.push(FIN | RSV1 | CONTINUE);
        check(kind, &bytes, &[BAD_FRAME]);
    }
}

#[test]
fn garbage_is_refused() {
    for kind in KINDS {
        let mut bytes = frame(FIN | TEXT, "before");
        bytes.extend(frame(FIN | RSV1 | TEXT, [0xFF; 10]));
        check(kind, &bytes, &[text("before"), BAD_FRAME]);
    }
}

#[test]
fn inflated_text_is_checked_as_it_comes() {
    let bad = compressed(b"fine so far \xFF and more, much more");
    check(
        Kind::PerMessage,
        &frame(FIN | RSV1 | TEXT, &bad),
        &[BAD_ENCODING],
    );
    check(
        Kind::PerMessage,
        &frame(FIN | RSV1 | BINARY, &bad),
        &[binary(b"fine so far \xFF and more, much more")],
    );
    // Cut within a sequence, in the middle of a message and at its end.
    let snow = "\u{2603}".repeat(100);
    let mut compressor = Compressor::new();
    let wire = compressor.message(snow.as_bytes());
    let pieces: Vec<&[u8]> = wire.chunks(1).collect();
    check(
        Kind::PerMessage,
        &fragments(TEXT, true, &pieces),
        &[text(&snow)],
    );
    let cut = compressed(&snow.as_bytes()[..299]);
    check(
        Kind::PerMessage,
        &frame(FIN | RSV1 | TEXT, cut),
        &[BAD_ENCODING],
    );
}

#[test]
fn which_error_it_is_does_not_depend_on_the_split() {
    let config = RecvConfig {
        max_frame_size: Some(100),
        ..deflating(Kind::PerMessage)
    };
    let mut plain = vec![b'x'; 500];
    plain[50] = 0xFF;
    let bytes = frame(FIN | RSV1 | TEXT, compressed(&plain));
    assert_eq!(decode(&config, &bytes), [BAD_ENCODING]);
    assert_eq!(drip(&config, &bytes), [BAD_ENCODING]);
}

#[test]
fn much_output_is_given_in_turns() {
    let plain = vec![b'x'; 3_000_000];
    let mut input = frame(FIN | RSV1 | BINARY, compressed(&plain));
    let tail = frame(FIN | PING, "after");
    input.extend(&tail);
    let mut receiver = Receiver::new(&deflating(Kind::PerMessage));
    let (mut at, mut turns) = (0, 0);
    loop {
        let (used, step) = receiver.next(&mut input[at..]);
        at += used;
        match step {
            Step::Yield => turns += 1,
            Step::Event(event) => {
                assert_eq!(Seen::from(event), binary(&plain));
                break;
            }
            step => panic!("{step:?}"),
        }
        assert!(receiver.mid_frame());
    }
    assert!((16..=32).contains(&turns), "{turns} turns");
    let rest = input.split_off(at);
    assert_eq!(feed(&mut receiver, &rest), [Seen::Ping(b"after".to_vec())]);
}

/// What a client with the same parameters receives.
fn inflate(kind: Kind, frames: &[u8]) -> Vec<Seen> {
    // Masking with zeros changes nothing but the mask bit.
    let mut masked = Vec::new();
    let mut rest = frames;
    while let [first, second, after @ ..] = rest {
        let (bits, len, after) = match second {
            126 => (
                16,
                u64::from(u16::from_be_bytes([after[0], after[1]])),
                &after[2..],
            ),
            127 => {
                let (len, after) = after.split_first_chunk().expect("a length");
                (64, u64::from_be_bytes(*len), after)
            }
            len => (7, u64::from(*len), after),
        };
        let (payload, after) = after.split_at(len as usize);
        let mut head = header_as(*first, len, bits);
        let key = head.len() - 4;
        head[key..].fill(0);
        masked.extend(head);
        masked.extend(payload);
        rest = after;
    }
    decode(&deflating(kind), &masked)
}

#[test]
fn what_the_sender_compresses_can_be_inflated() {
    for kind in KINDS {
        let mut sender = Sender::new(Some(&params(kind)));
        let mut out = Vec::new();
        let mut want = Vec::new();
        for len in [0, 1, 5, 125, 126, 127, 1000, 65_535, 65_536, 300_000] {
            let payload: Vec<u8> = (0..len).map(|i: u32| (i % 100) as u8).collect();
            let (a, b) = payload.split_at(payload.len() / 2);
            sender.encode(OpCode::Text, &[a, b], &mut out);
            want.push(text(&payload));
            let noise: Vec<u8> = (0..len).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
            sender.encode(OpCode::Binary, &[&noise], &mut out);
            want.push(binary(&noise));
            sender.encode(OpCode::Ping, &[b"p"], &mut out);
            want.push(Seen::Ping(b"p".to_vec()));
        }
        assert_eq!(inflate(kind, &out), want);
    }
}

#[test]
fn every_data_frame_is_compressed_unless_switched_off() {
    let mut sender = Sender::new(Some(&params(Kind::PerMessage)));
    let first = |sender: &mut Sender, opcode| {
        let mut out = Vec::new();
        sender.encode(opcode, &[b"Hello"], &mut out);
        out[0] & RSV1 != 0
    };
    assert!(first(&mut sender, OpCode::Text));
    assert!(first(&mut sender, OpCode::Binary));
    assert!(!first(&mut sender, OpCode::Ping));
    assert!(sender.compresses(OpCode::Text) && !sender.compresses(OpCode::Pong));
    sender.set_deflate(false);
    assert!(!first(&mut sender, OpCode::Text) && !sender.compresses(OpCode::Text));
    sender.set_deflate(true);
    assert!(first(&mut sender, OpCode::Text));

    let mut sender = Sender::new(None);
    sender.set_deflate(true);
    assert!(!first(&mut sender, OpCode::Text) && !sender.compresses(OpCode::Text));
}

#[test]
fn an_empty_message_is_a_zero_byte() {
    let mut sender = Sender::new(Some(&params(Kind::PerMessage)));
    let mut out = Vec::new();
    sender.encode(OpCode::Text, &[], &mut out);
    assert_eq!(out, [FIN | RSV1 | TEXT, 1, 0]);
}
