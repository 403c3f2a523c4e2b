//! RFC 6455 5: which frames are taken, and what they give.

use crate::support::*;
use drover_proto::{Receiver, Step};

/// A refused header is refused at the same byte, whether it comes at once or byte by byte.
fn refused(bytes: &[u8]) {
    assert_eq!(decode(&plain(), bytes), [BAD_FRAME], "{bytes:x?}");
    assert_eq!(drip(&plain(), bytes), [BAD_FRAME], "{bytes:x?}");
}

fn taken(bytes: &[u8], want: &[Seen]) {
    assert_eq!(decode(&plain(), bytes), want);
    assert_eq!(drip(&plain(), bytes), want);
}

#[test]
fn every_length_form_gives_its_message() {
    for len in [0, 1, 125, 126, 127, 0xFFFF, 0x1_0000, 0x1_0001] {
        let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
        taken(&frame(FIN | BINARY, &payload), &[binary(&payload)]);
    }
}

#[test]
fn control_frames_reach_125_bytes() {
    let payload = [b'x'; 126];
    taken(
        &frame(FIN | PING, &payload[..125]),
        &[Seen::Ping(payload[..125].to_vec())],
    );
    taken(
        &frame(FIN | PONG, &payload[..125]),
        &[Seen::Pong(payload[..125].to_vec())],
    );
    taken(
        &close(1000, &payload[..123]),
        &[Seen::Close(Some((1000, payload[..123].to_vec())))],
    );
    for opcode in [PING, PONG, CLOSE] {
        refused(&frame(FIN | opcode, payload));
        refused(&header_as(FIN | opcode, 5, 64)[..2]);
    }
}

#[test]
fn empty_payloads_are_payloads() {
    taken(&frame(FIN | TEXT, ""), &[text("")]);
    taken(&frame(FIN | PING, ""), &[Seen::Ping(vec![])]);
    taken(&frame(FIN | CLOSE, ""), &[Seen::Close(None)]);
    taken(&fragments(TEXT, false, &[b"", b"", b""]), &[text("")]);
}

#[test]
fn reserved_opcodes_are_refused_on_the_first_byte() {
    for opcode in (3..=7).chain(11..=15) {
        refused(&[FIN | opcode]);
    }
}

#[test]
fn reserved_bits_are_refused_on_the_first_byte() {
    for rsv in 1..=7 {
        for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
            refused(&[FIN | rsv << 4 | opcode]);
        }
    }
}

#[test]
fn unmasked_frames_are_refused_before_their_payload() {
    for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
        refused(&[FIN | opcode, 0]);
        refused(&[FIN | opcode, 5]);
    }
}

#[test]
fn fragmented_control_frames_are_refused() {
    for opcode in [CLOSE, PING, PONG] {
        refused(&[opcode]);
    }
}

#[test]
fn a_continuation_needs_a_beginning() {
    refused(&[CONTINUE]);
    refused(&[FIN | CONTINUE]);
    let mut bytes = fragments(TEXT, false, &[b"a", b"b"]);
    bytes.extend(frame(FIN | CONTINUE, "c"));
    taken(&bytes, &[text("ab"), BAD_FRAME]);
}

#[test]
fn a_message_must_end_before_the_next_begins() {
    for opcode in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
        let mut bytes = frame(TEXT, "a");
        bytes.push(opcode);
        refused(&bytes);
    }
}

#[test]
fn lengths_are_told_in_the_shortest_way() {
    refused(&header_as(FIN | BINARY, 0, 16));
    refused(&header_as(FIN | BINARY, 125, 16));
    refused(&header_as(FIN | BINARY, 0, 64));
    refused(&header_as(FIN | BINARY, 0xFFFF, 64));
    taken(&header_as(FIN | BINARY, 126, 16), &[]);
    taken(&header_as(FIN | BINARY, 0x1_0000, 64), &[]);
}

#[test]
fn lengths_are_below_two_to_the_63() {
    taken(&header_as(FIN | BINARY, (1 << 63) - 1, 64), &[]);
    refused(&header_as(FIN | BINARY, 1 << 63, 64));
    refused(&header_as(FIN | BINARY, u64::MAX, 64));
}

#[test]
fn a_message_may_come_in_many_frames() {
    let mut bytes = fragments(TEXT, false, &[b"He", b"", b"ll", b"o"]);
    bytes.extend(fragments(BINARY, false, &[b"\xFF", b"\xFE"]));
    taken(&bytes, &[text("Hello"), binary([0xFF, 0xFE])]);
}

#[test]
fn control_frames_come_through_between_fragments() {
    let mut bytes = frame(TEXT, "Hel");
    bytes.extend(frame(FIN | PING, "now"));
    bytes.extend(frame(FIN | PONG, ""));
    bytes.extend(frame(FIN | CONTINUE, "lo"));
    taken(
        &bytes,
        &[
            Seen::Ping(b"now".to_vec()),
            Seen::Pong(vec![]),
            text("Hello"),
        ],
    );
}

#[test]
fn what_came_before_the_bad_frame_comes_out_first() {
    let mut bytes = frame(FIN | TEXT, "one");
    bytes.extend(frame(FIN | PING, ""));
    bytes.extend(frame(TEXT, "never whole"));
    bytes.push(FIN | 3);
    bytes.extend(frame(FIN | TEXT, "two"));
    taken(&bytes, &[text("one"), Seen::Ping(vec![]), BAD_FRAME]);
}

#[test]
fn nothing_after_a_close_counts() {
    let mut bytes = close(1001, b"bye");
    bytes.extend(frame(FIN | TEXT, "late"));
    bytes.extend([0xFF; 20]);
    taken(&bytes, &[Seen::Close(Some((1001, b"bye".to_vec())))]);

    let mut receiver = Receiver::new(&plain());
    feed(&mut receiver, &bytes);
    assert!(!receiver.mid_frame());
    assert_eq!(receiver.next(&mut [1, 2, 3]), (3, Step::Ended));
}

#[test]
fn a_close_within_a_message_is_a_close() {
    let mut bytes = frame(TEXT, "Hel");
    bytes.extend(close(1000, b""));
    taken(&bytes, &[Seen::Close(Some((1000, vec![])))]);
}

#[test]
fn close_payloads_are_empty_or_begin_with_a_code() {
    refused(&header(FIN | CLOSE, 1)[..2]);
    taken(&close(1000, b""), &[Seen::Close(Some((1000, vec![])))]);
    for code in [
        0, 999, 1004, 1005, 1006, 1012, 1014, 1015, 2999, 5000, 65535,
    ] {
        refused(&close(code, b""));
        // As soon as the code is there.
        refused(&close(code, b"because")[..8]);
    }
    for code in [1000, 1003, 1007, 1011, 3000, 4999] {
        taken(
            &close(code, b"x"),
            &[Seen::Close(Some((code, b"x".to_vec())))],
        );
    }
}

#[test]
fn a_bad_close_reason_is_refused_at_its_first_bad_byte() {
    let bytes = close(1000, b"ab\xFFcdefgh");
    let bad = 6 + 2 + 3;
    for bytes in [&bytes[..], &bytes[..bad]] {
        assert_eq!(decode(&plain(), bytes), [BAD_ENCODING]);
        assert_eq!(drip(&plain(), bytes), [BAD_ENCODING]);
    }
    assert_eq!(decode(&plain(), &bytes[..bad - 1]), []);
}

#[test]
fn within_a_frame_is_known() {
    let bytes = frame(FIN | TEXT, "Hello");
    for cut in 0..=bytes.len() {
        let mut receiver = Receiver::new(&plain());
        feed(&mut receiver, &bytes[..cut]);
        let want = cut > 0 && cut < bytes.len();
        assert_eq!(receiver.mid_frame(), want, "after {cut}");
    }
    let mut receiver = Receiver::new(&plain());
    feed(&mut receiver, &frame(TEXT, "Hel"));
    assert!(!receiver.mid_frame(), "between two fragments is no frame");
}
