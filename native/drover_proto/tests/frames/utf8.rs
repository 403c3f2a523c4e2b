//! The streaming validator against the standard library, and text as the receiver checks it.

use crate::support::*;
use drover_proto::{
    RecvConfig,
    utf8::{self, Validator},
};
use proptest::prelude::*;

/// What the standard library says of a prefix of a text.
#[derive(Debug, PartialEq)]
enum Verdict {
    Valid,
    Unfinished,
    Invalid,
}

fn of_std(bytes: &[u8]) -> Verdict {
    match str::from_utf8(bytes) {
        Ok(_) => Verdict::Valid,
        Err(error) if error.error_len().is_none() => Verdict::Unfinished,
        Err(_) => Verdict::Invalid,
    }
}

fn of_ours(pieces: &[&[u8]]) -> Verdict {
    let mut validator = Validator::default();
    for piece in pieces {
        if validator.push(piece).is_err() {
            return Verdict::Invalid;
        }
    }
    match validator.finish() {
        Ok(()) => Verdict::Valid,
        Err(_) => Verdict::Unfinished,
    }
}

/// Every byte at which the rules change, and its neighbours.
const EDGES: [u8; 24] = [
    0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
    0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5,
];

#[test]
fn every_sequence_of_four_edges() {
    for a in EDGES {
        for b in EDGES {
            for c in EDGES {
                for d in EDGES {
                    let bytes = [a, b, c, d];
                    let want = of_std(&bytes);
                    let (x, y) = bytes.split_at(usize::from(d % 4));
                    assert_eq!(of_ours(&[&bytes]), want, "{bytes:x?}");
                    assert_eq!(of_ours(&[x, y]), want, "{bytes:x?}");
                }
            }
        }
    }
}

#[test]
fn every_two_bytes() {
    for a in 0..=255 {
        for b in 0..=255 {
            assert_eq!(of_ours(&[&[a], &[b]]), of_std(&[a, b]), "{a:x} {b:x}");
            assert_eq!(of_ours(&[&[a, b]]), of_std(&[a, b]), "{a:x} {b:x}");
        }
    }
}

#[test]
fn every_character_split_everywhere() {
    let mut buffer = [0; 4];
    for char in '\0'..=char::MAX {
        let bytes = char.encode_utf8(&mut buffer).as_bytes();
        for cut in 1..bytes.len() {
            assert_eq!(of_ours(&[&bytes[..cut], &bytes[cut..]]), Verdict::Valid);
        }
    }
}

/// Mostly text, sometimes damaged.
fn nearly_text() -> impl Strategy<Value = Vec<u8>> {
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    ("\\PC{0,60}", damage).prop_map(|(text, damage)| {
        let mut bytes = text.into_bytes();
        for (index, byte) in damage {
            if !bytes.is_empty() {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn agrees_with_the_standard_library(bytes in nearly_text(), sizes in prop::collection::vec(1_usize..70, 0..20)) {
        prop_assert_eq!(utf8::is_valid(&bytes), of_std(&bytes) == Verdict::Valid);
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for size in sizes {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(of_ours(&pieces), of_std(&bytes));
    }

    /// A message ends in an error at the very byte at which the standard library knows that it cannot be text.
    #[test]
    fn the_receiver_fails_at_the_first_impossible_byte(bytes in nearly_text()) {
        let frame = frame(FIN | TEXT, &bytes);
        let head = frame.len() - bytes.len();
        for cut in 0..bytes.len() {
            let seen = decode(&plain(), &frame[..head + cut]);
            let want = match of_std(&bytes[..cut]) {
                Verdict::Invalid => vec![BAD_ENCODING],
                Verdict::Valid | Verdict::Unfinished => vec![],
            };
            prop_assert_eq!(seen, want);
        }
    }
}

const SNOWMAN: &[u8] = b"\xE2\x98\x83";

#[test]
fn a_sequence_may_be_split_over_frames() {
    for cut in 0..=3 {
        let (a, b) = SNOWMAN.split_at(cut);
        let bytes = fragments(TEXT, false, &[a, b"", b]);
        assert_eq!(decode(&plain(), &bytes), [text(SNOWMAN)]);
        assert_eq!(drip(&plain(), &bytes), [text(SNOWMAN)]);
    }
}

#[test]
fn a_message_must_not_end_within_a_sequence() {
    for bytes in [
        frame(FIN | TEXT, &SNOWMAN[..2]),
        fragments(TEXT, false, &[SNOWMAN, &SNOWMAN[..2]]),
        fragments(TEXT, false, &[&SNOWMAN[..2], b""]),
    ] {
        assert_eq!(decode(&plain(), &bytes), [BAD_ENCODING]);
        assert_eq!(drip(&plain(), &bytes), [BAD_ENCODING]);
    }
}

#[test]
fn a_message_does_not_inherit_half_a_sequence() {
    let mut bytes = fragments(BINARY, false, &[SNOWMAN, &SNOWMAN[..2]]);
    bytes.extend(fragments(TEXT, false, &[b"a", b"b"]));
    assert_eq!(decode(&plain(), &bytes)[1], text("ab"));
}

#[test]
fn a_bad_byte_in_an_unfinished_fragment_is_enough() {
    let mut bytes = frame(TEXT, "fine");
    bytes.extend(&frame(CONTINUE, b"al\xFFso much more to come")[..6 + 3]);
    assert_eq!(decode(&plain(), &bytes), [BAD_ENCODING]);
    assert_eq!(drip(&plain(), &bytes), [BAD_ENCODING]);
}

#[test]
fn unchecked_text_and_reasons_come_through_as_they_are() {
    let config = RecvConfig {
        validate_utf8: false,
        ..plain()
    };
    let mut bytes = frame(FIN | TEXT, b"\xFF");
    bytes.extend(fragments(TEXT, false, &[b"\xC2", b"A"]));
    bytes.extend(close(1000, b"\xFF"));
    let want = [
        text(b"\xFF"),
        text(b"\xC2A"),
        Seen::Close(Some((1000, b"\xFF".to_vec()))),
    ];
    assert_eq!(decode(&config, &bytes), want);
    assert_eq!(drip(&config, &bytes), want);
    // A code is not text.
    assert_eq!(decode(&config, &close(1005, b"")), [BAD_FRAME]);
}
