//! However the bytes are split, the events are the same.

use crate::support::*;
use drover_proto::{RecvConfig, deflate::Kind};
use proptest::prelude::*;

/// Conversations with everything in them, good and bad.
fn corpus() -> Vec<(RecvConfig, Vec<u8>)> {
    let mixed = [
        frame(FIN | TEXT, "h\u{e9}llo"),
        frame(FIN | PING, "p"),
        fragments(TEXT, false, &["a\u{1f680}".as_bytes(), b"", b"z"]),
        frame(BINARY, [b'x'; 200]),
        frame(FIN | PONG, ""),
        frame(FIN | CONTINUE, [b'y'; 126]),
    ]
    .concat();
    let mut compressor = Compressor::new();
    let deflated = [
        frame(FIN | RSV1 | TEXT, compressor.message(b"one, two, one, two")),
        frame(FIN | TEXT, "plain"),
        fragments(TEXT, true, &[&compressor.message(b"one, two"), b""]),
        frame(FIN | RSV1 | BINARY, compressor.message(&[0; 3000])),
    ]
    .concat();
    let ends: [Vec<u8>; 6] = [
        frame(FIN | CLOSE, ""),
        close(1000, "sch\u{f6}n".as_bytes()),
        close(1000, b"\xE2\x82"),
        frame(FIN | TEXT, b"abc\xFFdef"),
        vec![0xFF, 0xFF],
        header(FIN | TEXT, 1_000_000),
    ];
    let limits = RecvConfig {
        max_frame_size: Some(3000),
        ..deflating(Kind::PerMessage)
    };
    let mut corpus = Vec::new();
    for end in ends {
        corpus.push((plain(), [&mixed[..], &end, b"ignored"].concat()));
        for config in [
            deflating(Kind::PerMessage),
            deflating(Kind::WebkitFrame),
            limits.clone(),
        ] {
            corpus.push((config, [&mixed[..], &deflated, &end, &mixed].concat()));
        }
    }
    corpus
}

#[test]
fn byte_by_byte() {
    for (config, bytes) in corpus() {
        let whole = decode(&config, &bytes);
        assert!(whole.len() > 4);
        assert_eq!(drip(&config, &bytes), whole);
    }
}

#[test]
fn in_two_at_every_byte() {
    for (config, bytes) in corpus() {
        let whole = decode(&config, &bytes);
        for cut in 0..bytes.len() {
            assert_eq!(decode_split(&config, &bytes, &[cut]), whole, "at {cut}");
        }
    }
}

#[test]
fn large_messages_read_in_place() {
    let large: Vec<u8> = (0..2_000_000_u32).map(|i| (i % 127) as u8).collect();
    let bytes = [
        frame(FIN | TEXT, &large),
        fragments(
            BINARY,
            false,
            &[&large[..70_000], &large[70_000..100_000], &large[100_000..]],
        ),
        frame(FIN | PING, "p"),
    ]
    .concat();
    let want = [text(&large), binary(&large), Seen::Ping(b"p".to_vec())];
    for read in [1000, 4096, 65_536, 1_000_000] {
        assert_eq!(
            decode_filling(&plain(), &bytes, read),
            want,
            "{read} at a time"
        );
    }
}

#[test]
fn text_read_in_place_is_checked() {
    let mut large = "\u{2603}".repeat(100_000).into_bytes();
    let good = frame(FIN | TEXT, &large);
    assert_eq!(decode_filling(&plain(), &good, 60_001), [text(&large)]);
    large[250_000] = 0xFF;
    let bad = frame(FIN | TEXT, &large);
    assert_eq!(
        decode_filling(&plain(), &bad[..260_000], 60_001),
        [BAD_ENCODING]
    );
    let cut = frame(
        FIN | TEXT,
        &"\u{2603}".repeat(100_000).as_bytes()[..299_999],
    );
    assert_eq!(decode_filling(&plain(), &cut, 60_001), [BAD_ENCODING]);
}

/// A client that mostly behaves.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => prop::sample::select(vec![
            FIN | TEXT, FIN | BINARY, FIN | CONTINUE, TEXT, BINARY, CONTINUE,
            FIN | PING, FIN | PONG, FIN | RSV1 | TEXT, RSV1 | BINARY,
        ]),
        1 => prop::sample::select(vec![FIN | CLOSE, FIN | RSV1 | CONTINUE, RSV1 | CONTINUE]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        "\\PC{0,40}".prop_map(String::into_bytes),
        "\\PC{0,40}".prop_map(|text| compressed(text.as_bytes())),
        prop::collection::vec(any::<u8>(), 0..140),
    ];
    (first, payload).prop_map(|(first, payload)| frame(first, payload))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn anywhere(
        frames in prop::collection::vec(any_frame(), 1..12),
        sizes in prop::collection::vec(0_usize..50, 0..60),
        deflate in prop::sample::select(vec![None, Some(Kind::PerMessage), Some(Kind::WebkitFrame)]),
        max in prop::option::of(1_u64..200),
        validate: bool,
    ) {
        let config = RecvConfig {
            max_frame_size: max,
            validate_utf8: validate,
            deflate: deflate.map(params),
        };
        let bytes = frames.concat();
        let whole = decode(&config, &bytes);
        prop_assert_eq!(&decode_split(&config, &bytes, &sizes), &whole);
        prop_assert_eq!(&drip(&config, &bytes), &whole);
        let last = whole.len().saturating_sub(1);
        prop_assert!(whole.iter().take(last).all(|seen| !seen.is_final()));
    }

    #[test]
    fn garbage(bytes in prop::collection::vec(any::<u8>(), 0..300), sizes in prop::collection::vec(0_usize..20, 0..40)) {
        let config = deflating(Kind::PerMessage);
        let whole = decode(&config, &bytes);
        prop_assert_eq!(decode_split(&config, &bytes, &sizes), whole);
    }
}
