//! Messages that are there as a whole are inflated by a decoder of this library's own: to what zlib makes of them, or not at all.

use crate::support::*;
use drover_proto::deflate::{Deflater, InflateError, Inflater, Params, Rest, Rested};
use proptest::prelude::{
    Just, ProptestConfig, Strategy as Plan, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

/// The most that a message may give to be inflated as a whole.
const MOST: usize = 16 * 1024;
fn whole(inflater: &mut Inflater, wire: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    inflater.inflate_whole(wire, &mut out, limit).then_some(out)
}

/// zlib's way.
fn pieces(inflater: &mut Inflater, wire: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    inflate_pieces(inflater, [wire], limit, PLENTY)
}

/// Text as an API sends it.
fn records(seed: u64, len: usize) -> Vec<u8> {
    let record = |n: usize| {
        format!(
            r#"{{"id":{},"name":"{:x}","on":{}}},"#,
            n,
            n * n,
            n & 1 == 0
        )
    };
    let text = numbers(seed).map(|n| n % 1_000_000);
    text.flat_map(|n| record(n).into_bytes())
        .take(len)
        .collect()
}

/// Matches of all lengths at all distances, and literals of which some are rare.
fn patches(seed: u64, len: usize) -> Vec<u8> {
    let mut numbers = numbers(seed);
    let mut bytes = random(seed, 7);
    while bytes.len() < len {
        let number = numbers.next().unwrap();
        let (distance, length) = (1 + number % bytes.len().min(40), number / 64 % 300);
        let from = bytes.len()
            - if number & 1 == 0 {
                distance
            } else {
                bytes.len()
            };
        for at in from..from + length {
            bytes.push(bytes[at]);
        }
        bytes.push((number >> 8) as u8 & (number >> 16) as u8);
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn what_zlib_compresses_needs_no_zlib() {
    for level in -1..=9 {
        for strategy in STRATEGIES {
            for takeover in [false, true] {
                let params = Params {
                    server_takeover: takeover,
                    client_takeover: takeover,
                    mem_level: 1 + (level + 9) % 9,
                    level,
                    strategy,
                    ..params()
                };
                let mut deflater = Deflater::new(&params);
                let mut inflater = Inflater::new(&params);
                for seed in 1..9 {
                    let len = (seed * seed * 190) as usize;
                    for message in [records(seed, len), patches(seed, len), random(seed, len)] {
                        let wire = deflate(&mut deflater, &message);
                        let inflated = whole(&mut inflater, &wire, PLENTY);
                        assert_eq!(inflated, Some(message), "{params:?}, seed {seed}");
                        assert_eq!(inflater.holds_context(), takeover);
                    }
                }
            }
        }
    }
}

#[test]
fn the_largest_message_and_the_limit() {
    for (len, limit, fits) in [
        (MOST - 1, PLENTY, true),
        (MOST, PLENTY, true),
        (MOST + 1, PLENTY, false),
        (700, 699, false),
        (700, 700, true),
        (700, 701, true),
        (1, 0, false),
    ] {
        for message in [records(1, len), vec![0; len], random(1, len)] {
            let mut inflater = Inflater::new(&params());
            let wire = deflate(&mut Deflater::new(&params()), &message);
            let inflated = whole(&mut inflater, &wire, limit);
            assert_eq!(
                inflated,
                fits.then_some(message.clone()),
                "{len} of {limit}"
            );
            if !fits {
                // Nothing has happened to the inflater.
                let expected = if len > limit {
                    Err(InflateError::TooBig)
                } else {
                    Ok(message)
                };
                assert_eq!(pieces(&mut inflater, &wire, limit), expected);
            }
        }
    }
}

#[test]
fn messages_refer_to_all_of_a_window_and_no_further() {
    let (mut deflater, mut inflater) = (Deflater::new(&params()), Inflater::new(&params()));
    let first = random(1, 8 * 1024);
    for turn in 0..40 {
        // The first comes again when it is as far back as a match may reach, and later as news.
        for message in [&first, &random(100 + turn, 8000), &records(turn, 13_000)] {
            let wire = deflate(&mut deflater, message);
            assert_eq!(whole(&mut inflater, &wire, PLENTY).as_ref(), Some(message));
        }
    }
    // Hand-made: a fixed block with a match of three at a distance of one.
    let before_the_beginning = [0x02, 0x02, 0x00];
    let mut inflater = Inflater::new(&params());
    assert_eq!(whole(&mut inflater, &before_the_beginning, PLENTY), None);
    assert_eq!(
        pieces(&mut inflater, &before_the_beginning, PLENTY),
        Err(InflateError::Corrupt)
    );
}

#[test]
fn nothing_of_another_connection_is_within_reach() {
    // Contexts are used again: what was in this one must not be found by the next.
    for seed in 1..20 {
        let mut inflater = Inflater::new(&params());
        let wire = deflate(&mut Deflater::new(&params()), &random(seed, 9000));
        assert!(whole(&mut inflater, &wire, PLENTY).is_some());
        drop(inflater);
        let (mut deflater, mut inflater) = (Deflater::new(&params()), Inflater::new(&params()));
        deflate(&mut deflater, &random(seed, 4000));
        // It refers to a message that this inflater has not had.
        let wire = deflate(&mut deflater, &random(seed, 4000));
        assert_eq!(whole(&mut inflater, &wire, PLENTY), None);
        assert_eq!(
            pieces(&mut inflater, &wire, PLENTY),
            Err(InflateError::Corrupt)
        );
    }
}

#[test]
fn the_second_half_of_a_message_is_no_whole_one() {
    let message = records(1, 500);
    let wire = deflate(&mut Deflater::new(&params()), &message);
    let (first, second) = wire.split_at(wire.len() / 2);
    let (mut inflater, mut out) = (Inflater::new(&params()), Vec::new());
    inflater.inflate(first, &mut out, PLENTY, PLENTY).unwrap();
    assert!(!inflater.inflate_whole(second, &mut out, PLENTY));
    inflater.inflate(second, &mut out, PLENTY, PLENTY).unwrap();
    inflater.finish(&mut out, PLENTY, PLENTY).unwrap();
    assert_eq!(out, message);
}

/// How a message is inflated, and what is done before it.
#[derive(Clone, Copy, Debug)]
enum Way {
    Whole,
    Pieces,
    AfterRest(Rest),
}

fn way() -> impl Plan<Value = Way> {
    prop_oneof![
        4 => Just(Way::Whole),
        2 => Just(Way::Pieces),
        1 => Just(Way::AfterRest(Rest::Park)),
        1 => Just(Way::AfterRest(Rest::Release)),
    ]
}

/// As a receiver does it.
fn receive(inflater: &mut Inflater, wire: &[u8], way: Way) -> Result<Vec<u8>, InflateError> {
    if let Way::AfterRest(rest) = way {
        assert!((0..3).any(|_| inflater.rest(rest) == Rested::Done));
    }
    let inflated = match way {
        Way::Pieces => None,
        _ => whole(inflater, wire, PLENTY),
    };
    inflated.map_or_else(|| pieces(inflater, wire, PLENTY), Ok)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whole_and_in_pieces_by_turns(
        messages in proptest::collection::vec((any::<u64>(), 0..30_000usize, way(), 0..3), 1..12),
        level in 1..=9,
    ) {
        let params = Params { level, ..params() };
        let (mut deflater, mut inflater) = (Deflater::new(&params), Inflater::new(&params));
        for (seed, len, way, kind) in messages {
            let message = match kind {
                0 => records(seed, len),
                1 => patches(seed, len),
                _ => random(seed, len),
            };
            let wire = deflate(&mut deflater, &message);
            prop_assert_eq!(receive(&mut inflater, &wire, way), Ok(message));
        }
    }

    /// Broken bytes, in the second message so that there is a history.
    #[test]
    fn what_is_broken_is_what_zlib_makes_of_it(
        seed in any::<u64>(),
        len in 1..3000usize,
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<proptest::sample::Index>(),
        is_cut in any::<bool>(),
        strategy in 0..5usize,
    ) {
        let params = Params { strategy: STRATEGIES[strategy], ..params() };
        let mut deflater = Deflater::new(&params);
        let first = deflate(&mut deflater, &records(seed, len));
        let mut wire = deflate(&mut deflater, &patches(seed, len));
        for (index, bits) in flips {
            let index = index.index(wire.len());
            wire[index] ^= bits;
        }
        if is_cut {
            wire.truncate(cut.index(wire.len()));
        }
        let (mut ours, mut zlib) = (Inflater::new(&params), Inflater::new(&params));
        prop_assert!(whole(&mut ours, &first, PLENTY).is_some());
        pieces(&mut zlib, &first, PLENTY).unwrap();
        let expected = pieces(&mut zlib, &wire, PLENTY);
        if let Some(found) = whole(&mut ours, &wire, PLENTY) {
            prop_assert_eq!(Ok(&found), expected.as_ref());
            // And the same from there on.
            let third = deflate(&mut deflater, b"and so on");
            prop_assert_eq!(receive(&mut ours, &third, Way::Whole), pieces(&mut zlib, &third, PLENTY));
        } else {
            prop_assert_eq!(pieces(&mut ours, &wire, PLENTY), expected);
        }
    }
}
