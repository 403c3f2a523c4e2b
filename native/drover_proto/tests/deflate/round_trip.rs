//! Compression: what goes in comes out, whatever the parameters and however it is cut; and never more than allowed.

use crate::support::*;
use drover_proto::deflate::{Deflater, InflateError, Inflater, Params};
use proptest::prelude::{
    ProptestConfig, Strategy as Plan, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

/// The same random numbers every time.
fn noise() -> impl Iterator<Item = u8> {
    let mut state = 1u64;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
}

/// Text as chats have it: repeats itself, but not only.
fn prose(len: usize) -> Vec<u8> {
    const WORDS: [&str; 8] = [
        "river ",
        "stone ",
        "under ",
        "the ",
        "light\n",
        "0123456789",
        "ä",
        "of ",
    ];
    let words = noise().flat_map(|n| WORDS[usize::from(n) % 8].bytes().chain([n / 8 + 0x20]));
    words.take(len).collect()
}

#[test]
fn every_combination_of_parameters_comes_back() {
    let messages = [prose(3), prose(700), vec![7; 3000], prose(9000)];
    for bits in 8..=15 {
        for strategy in STRATEGIES {
            for level in -1..=9 {
                for takeover in [false, true] {
                    let mem_level = 1 + (level + i32::from(bits)).rem_euclid(9);
                    let params = Params {
                        server_takeover: takeover,
                        client_takeover: takeover,
                        server_bits: bits,
                        client_bits: bits,
                        level,
                        mem_level,
                        strategy,
                        ..params()
                    };
                    let (mut deflater, mut inflater) =
                        (Deflater::new(&params), Inflater::new(&params));
                    for message in &messages {
                        let wire = deflate(&mut deflater, message);
                        assert_eq!(
                            inflate(&mut inflater, &wire).as_ref(),
                            Ok(message),
                            "{params:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn numbers_out_of_range_are_taken_as_the_nearest() {
    for (level, mem_level, bits) in [(-5, 0, 0), (10, 10, 16), (i32::MIN, i32::MAX, 255)] {
        let params = Params {
            level,
            mem_level,
            server_bits: bits,
            client_bits: bits,
            ..params()
        };
        let wire = deflate(&mut Deflater::new(&params), b"hello hello hello");
        assert_eq!(
            inflate(&mut Inflater::new(&params), &wire).unwrap(),
            b"hello hello hello"
        );
    }
}

#[test]
fn the_examples_of_rfc_7692() {
    let mut inflater = Inflater::new(&params());
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(inflate(&mut inflater, &hello).unwrap(), b"Hello");
    assert_eq!(inflate(&mut inflater, &again).unwrap(), b"Hello");
    let stored = [
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    assert_eq!(inflate(&mut inflater, &stored).unwrap(), b"Hello");
    let two_blocks = [
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    assert_eq!(inflate(&mut inflater, &two_blocks).unwrap(), b"Hello");

    let mut deflater = Deflater::new(&params());
    assert_eq!(deflate(&mut deflater, b"Hello"), hello);
    assert_eq!(deflate(&mut deflater, b"Hello"), again);
}

#[test]
fn final_blocks_are_no_end() {
    let mut inflater = Inflater::new(&params());
    let closed = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let with_padding = [&closed[..], &[0x00]].concat();
    let twice = [&closed[..], &closed[..]].concat();
    for _ in 0..2 {
        assert_eq!(inflate(&mut inflater, &with_padding).unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, &closed).unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, &twice).unwrap(), b"HelloHello");
    }
    // A reference from the second block into the first, which ended the stream.
    let back = [&closed[..], &[0xf2, 0x00, 0x11, 0x00, 0x00]].concat();
    assert_eq!(inflate(&mut inflater, &back).unwrap(), b"HelloHello");
}

#[test]
fn an_empty_message_is_one_zero_byte_and_leaves_the_window_alone() {
    for params in [params(), no_takeover()] {
        let (mut deflater, mut inflater) = (Deflater::new(&params), Inflater::new(&params));
        for message in [&b""[..], b"once", b"", b"", b"once", b""] {
            let wire = deflate(&mut deflater, message);
            assert_eq!(wire == [0x00], message.is_empty());
            assert_eq!(inflate(&mut inflater, &wire).unwrap(), message);
        }
        let mut wire = Vec::new();
        deflater.deflate(&[], &mut wire);
        deflater.deflate(&[b"", b""], &mut wire);
        assert_eq!(wire, [0, 0]);
    }
}

#[test]
fn a_message_without_wire_bytes_is_empty() {
    let mut inflater = Inflater::new(&params());
    let wire = deflate(&mut Deflater::new(&params()), b"before");
    assert_eq!(inflate(&mut inflater, b"").unwrap(), b"");
    assert_eq!(inflate(&mut inflater, &wire).unwrap(), b"before");
    assert_eq!(inflate(&mut inflater, b"").unwrap(), b"");
    assert_eq!(inflate(&mut inflater, &wire).unwrap(), b"before");
}

#[test]
fn takeover_makes_repetition_cheap_and_its_absence_makes_messages_independent() {
    let message = prose(2000);
    let mut deflater = Deflater::new(&params());
    let (first, second) = (
        deflate(&mut deflater, &message),
        deflate(&mut deflater, &message),
    );
    assert!(second.len() * 10 < first.len());

    let mut deflater = Deflater::new(&no_takeover());
    let (first, second) = (
        deflate(&mut deflater, &message),
        deflate(&mut deflater, &message),
    );
    assert_eq!(first, second);
    assert_eq!(
        inflate(&mut Inflater::new(&no_takeover()), &second).unwrap(),
        message
    );
}

#[test]
fn without_takeover_nothing_of_the_last_message_is_within_reach() {
    let mut deflater = Deflater::new(&params());
    let (first, second) = (
        deflate(&mut deflater, b"Hello, hello"),
        deflate(&mut deflater, b"Hello, hello"),
    );
    let mut inflater = Inflater::new(&no_takeover());
    assert_eq!(inflate(&mut inflater, &first).unwrap(), b"Hello, hello");
    assert_eq!(inflate(&mut inflater, &second), Err(InflateError::Corrupt));
}

#[test]
fn contexts_of_different_settings_do_not_mix_on_one_thread() {
    let small = Params {
        server_bits: 9,
        level: 1,
        mem_level: 1,
        ..no_takeover()
    };
    let message = prose(9000);
    let (mut a, mut b) = (Deflater::new(&no_takeover()), Deflater::new(&small));
    let (first_a, first_b) = (deflate(&mut a, &message), deflate(&mut b, &message));
    assert_ne!(first_a, first_b);
    for _ in 0..3 {
        assert_eq!(deflate(&mut a, &message), first_a);
        assert_eq!(deflate(&mut b, &message), first_b);
    }
}

#[test]
fn eight_window_bits_reach_no_further_than_nine() {
    // The second copy lies out of reach of 512 bytes, so it cannot be shorter than the first.
    let noise: Vec<u8> = noise().take(600).collect();
    let message = [&noise[..], &noise[..]].concat();
    let small = Params {
        server_bits: 8,
        ..params()
    };
    assert!(deflate(&mut Deflater::new(&small), &message).len() > 1150);
    assert!(deflate(&mut Deflater::new(&params()), &message).len() < 700);
}

#[test]
fn the_limit_is_exact() {
    for len in [1, 255, 256, 257, 1000, 16 * 1024, 100_000] {
        let message = vec![b'x'; len];
        let wire = deflate(&mut Deflater::new(&params()), &message);
        let at = |limit| {
            inflate_pieces(&mut Inflater::new(&params()), [&wire[..]], limit, PLENTY)
                .map(|out| out.len())
        };
        assert_eq!(at(len - 1), Err(InflateError::TooBig));
        assert_eq!(at(len), Ok(len));
        assert_eq!(at(len + 1), Ok(len));
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let wire = deflate(&mut Deflater::new(&params()), &vec![0; 32 << 20]);
    assert!(wire.len() < 40_000);
    for limit in [0, 1, 1000, 1 << 20] {
        let mut out = Vec::new();
        let result = Inflater::new(&params()).inflate(&wire, &mut out, limit, PLENTY);
        assert_eq!(result, Err(InflateError::TooBig));
        assert!(out.len() <= limit);
        assert!(
            out.capacity() <= 2 * limit + 64 * 1024,
            "{} for {limit}",
            out.capacity()
        );
    }
}

#[test]
fn one_call_does_about_the_work_of_its_budget() {
    let wire = deflate(&mut Deflater::new(&params()), &vec![0; 4 << 20]);
    let (mut inflater, mut out) = (Inflater::new(&params()), Vec::new());
    let (mut rest, mut calls) = (&wire[..], 0);
    loop {
        let before = out.len();
        let inflated = inflater.inflate(rest, &mut out, PLENTY, 64 * 1024).unwrap();
        assert!(out.len() - before <= (64 + 16) * 1024);
        rest = &rest[inflated.consumed..];
        calls += 1;
        if !inflated.more_output {
            break;
        }
    }
    assert!(rest.is_empty());
    assert!(calls >= 50);
}

#[test]
fn a_flood_of_final_blocks_uses_up_the_budget() {
    // 03 00 is an empty final block: nothing comes out, and the stream starts over each time.
    let wire = [0x03, 0x00].repeat(10_000);
    let (mut inflater, mut out) = (Inflater::new(&params()), Vec::new());
    let inflated = inflater
        .inflate(&wire, &mut out, PLENTY, 64 * 1024)
        .unwrap();
    assert!(inflated.more_output);
    assert!(inflated.consumed < 100);
}

#[test]
fn garbage_is_corrupt() {
    for wire in [
        &[0xff; 20][..],
        &[0x07],
        &[0x00, 0x01, 0x00, 0x00, 0x00, 0x00],
        b"{\"not\": \"deflate\"}",
    ] {
        let mut inflater = Inflater::new(&params());
        assert_eq!(
            inflate(&mut inflater, wire),
            Err(InflateError::Corrupt),
            "{wire:?}"
        );
    }
}

#[test]
fn nothing_is_held_before_the_first_message() {
    assert!(size_of::<Inflater>() <= 64);
    assert!(size_of::<Deflater>() <= 64);
    let held = |value: &dyn std::fmt::Debug| format!("{value:?}").contains("holds_context: true");
    for (params, after) in [(params(), true), (no_takeover(), false)] {
        let (mut deflater, mut inflater) = (Deflater::new(&params), Inflater::new(&params));
        let wire = deflate(&mut deflater, b"");
        inflate(&mut inflater, b"").unwrap();
        assert!(!held(&deflater) && !held(&inflater));
        inflate(&mut inflater, &wire).unwrap();
        deflate(&mut deflater, b"x");
        assert_eq!((held(&deflater), held(&inflater)), (after, after));
    }
}

#[test]
fn contexts_may_move_between_threads() {
    fn assert_send<T: Send + 'static>() {}
    assert_send::<Inflater>();
    assert_send::<Deflater>();
}

fn any_params() -> impl Plan<Value = Params> {
    (
        any::<bool>(),
        8u8..=15,
        -1..=9,
        1..=9,
        proptest::sample::select(&STRATEGIES[..]),
    )
        .prop_map(|(takeover, bits, level, mem_level, strategy)| Params {
            server_takeover: takeover,
            client_takeover: takeover,
            server_bits: bits,
            client_bits: bits,
            level,
            mem_level,
            strategy,
            ..params()
        })
}

fn any_message() -> impl Plan<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..2000),
        proptest::collection::vec(0u8..4, 0..5000),
        (0usize..60_000).prop_map(prose),
        (any::<u8>(), 0usize..100_000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_in_any_pieces_come_back(
        params in any_params(),
        messages in proptest::collection::vec((any_message(), 1usize..300), 1..6),
        cut in 1usize..500,
        budget in 1usize..100_000,
    ) {
        let (mut deflater, mut inflater) = (Deflater::new(&params), Inflater::new(&params));
        for (message, piece) in messages {
            let mut wire = Vec::new();
            let pieces: Vec<&[u8]> = message.chunks(piece).collect();
            deflater.deflate(&pieces, &mut wire);
            let out = inflate_pieces(&mut inflater, wire.chunks(cut), message.len(), budget);
            prop_assert_eq!(out.unwrap(), message);
        }
    }

    #[test]
    fn how_the_wire_is_cut_makes_no_difference(
        wire in proptest::collection::vec(any::<u8>(), 0..300),
        cut in 1usize..20,
        limit in 0usize..2000,
        budget in 1usize..2000,
    ) {
        let whole = inflate_pieces(&mut Inflater::new(&params()), [&wire[..]], limit, PLENTY);
        let pieces = inflate_pieces(&mut Inflater::new(&params()), wire.chunks(cut), limit, budget);
        prop_assert_eq!(&whole, &pieces);
        prop_assert!(whole.is_err() || whole.unwrap().len() <= limit);
    }
}
