//! Contexts that are given up between messages and taken again: the other side, which keeps its own, never notices.

use crate::support::*;
use drover_proto::deflate::{Deflater, Inflater, Params, Rest, Rested, Strategy};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use proptest::prelude::{
    Just, ProptestConfig, Strategy as Plan, any, prop_assert_eq, prop_oneof, proptest,
};

const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// A client that is not made of this library, with a context of its own for each direction.
struct Client {
    compress: Compress,
    decompress: Decompress,
}

impl Client {
    fn new() -> Self {
        Self {
            compress: Compress::new(Compression::new(6), false),
            decompress: Decompress::new(false),
        }
    }

    fn write(&mut self, message: &[u8]) -> Vec<u8> {
        let mut wire = Vec::with_capacity(message.len() + message.len() / 2 + 1024);
        self.compress
            .compress_vec(message, &mut wire, FlushCompress::Sync)
            .unwrap();
        assert!(wire.ends_with(&TAIL));
        wire.truncate(wire.len() - TAIL.len());
        wire
    }

    fn read(&mut self, wire: &[u8], room: usize) -> Vec<u8> {
        let wire = [wire, &TAIL[..]].concat();
        let mut out = Vec::with_capacity(room + 1024);
        self.decompress
            .decompress_vec(&wire, &mut out, FlushDecompress::Sync)
            .unwrap();
        out
    }
}

/// Until there is nothing more to give up.
fn park(mut rest: impl FnMut(Rest) -> Rested) {
    assert!((0..3).any(|_| rest(Rest::Park) == Rested::Done));
}

#[test]
fn only_what_was_not_used_since_the_last_time_is_parked() {
    let (mut deflater, mut inflater) = (Deflater::new(&params()), Inflater::new(&params()));
    assert_eq!(deflater.rest(Rest::Park), Rested::Done);
    assert_eq!(inflater.rest(Rest::Park), Rested::Done);
    for _ in 0..2 {
        let wire = deflate(&mut deflater, b"to and fro");
        inflate(&mut inflater, &wire).unwrap();
        assert_eq!(deflater.rest(Rest::Park), Rested::Busy);
        assert_eq!(inflater.rest(Rest::Park), Rested::Busy);
        assert!(deflater.holds_context() && inflater.holds_context());
        assert_eq!(deflater.rest(Rest::Park), Rested::Done);
        assert_eq!(inflater.rest(Rest::Park), Rested::Done);
        assert!(!deflater.holds_context() && !inflater.holds_context());
    }
    let wire = deflate(&mut deflater, b"and fro");
    assert_eq!(inflate(&mut inflater, &wire).unwrap(), b"and fro");
    assert_eq!(deflater.rest(Rest::Release), Rested::Done);
    assert_eq!(inflater.rest(Rest::Release), Rested::Done);
    assert!(!deflater.holds_context() && !inflater.holds_context());
}

#[test]
fn without_takeover_there_is_nothing_to_give_up() {
    let params = Params {
        server_takeover: false,
        client_takeover: false,
        ..params()
    };
    let (mut deflater, mut inflater) = (Deflater::new(&params), Inflater::new(&params));
    let wire = deflate(&mut deflater, b"Hello");
    inflate(&mut inflater, &wire).unwrap();
    assert!(!deflater.holds_context() && !inflater.holds_context());
    park(|rest| deflater.rest(rest));
    park(|rest| inflater.rest(rest));
    assert_eq!(deflate(&mut deflater, b"Hello"), wire);
    assert_eq!(inflate(&mut inflater, &wire).unwrap(), b"Hello");
}

#[test]
fn nothing_is_given_up_in_the_middle_of_a_message() {
    let mut client = Client::new();
    let mut inflater = Inflater::new(&params());
    let wire = client.write(&random(1, 500));
    for cut in 0..wire.len() {
        let mut out = Vec::new();
        for part in [&wire[..cut], &wire[cut..]] {
            inflater.inflate(part, &mut out, PLENTY, PLENTY).unwrap();
            let busy = if part.is_empty() {
                Rested::Done
            } else {
                Rested::Busy
            };
            assert_eq!(inflater.rest(Rest::Release), busy);
            assert_eq!(inflater.rest(Rest::Park), busy);
        }
        while inflater
            .finish(&mut out, PLENTY, PLENTY)
            .unwrap()
            .more_output
        {}
        assert_eq!(out, random(1, 500));
        park(|rest| inflater.rest(rest));
        // The wire data refers to nothing before it.
    }
}

/// All that the window reaches is still there, in the server's memory as in the client's.
#[test]
fn the_whole_window_stays_within_reach() {
    for bits in 9..=15u8 {
        let params = Params {
            server_bits: bits,
            client_bits: bits,
            ..params()
        };
        let window = 1usize << bits;
        let mark = random(7, 100);
        // zlib keeps 262 bytes of the window for itself.
        let between = random(8, window - 262 - mark.len());
        for rest in [Rest::Release, Rest::Park] {
            let mut client = Client::new();
            let (mut deflater, mut inflater) = (Deflater::new(&params), Inflater::new(&params));
            for (message, most) in [(&mark, 120), (&between, window + 100), (&mark, 20)] {
                let wire = deflate(&mut deflater, message);
                assert!(wire.len() <= most, "{bits} bits: {} bytes", wire.len());
                assert_eq!(&client.read(&wire, message.len()), message);
                let wire = client.write(message);
                assert_eq!(&inflate(&mut inflater, &wire).unwrap(), message);
                while deflater.rest(rest) == Rested::Busy {}
                while inflater.rest(rest) == Rested::Busy {}
            }
        }
    }
}

/// A message may end anywhere in a block, if what is taken for its tail is good data there, and the next one go on.
/// Then the context stays.
#[test]
fn what_lies_across_messages_is_left_alone() {
    let mut across = 0;
    for first in 0..=u16::MAX {
        let (mut kept, mut parked) = (Inflater::new(&params()), Inflater::new(&params()));
        for wire in [&first.to_le_bytes()[..], &[0x4a, 0x4c, 0x4a]] {
            let expected = inflate(&mut kept, wire);
            assert_eq!(inflate(&mut parked, wire), expected);
            if expected.is_err() {
                break;
            }
            park(|rest| parked.rest(rest));
            across += usize::from(parked.holds_context());
        }
    }
    assert!(across > 0, "some of them are such messages");
}

fn any_params() -> impl Plan<Value = Params> {
    let strategy = prop_oneof![
        4 => Just(Strategy::Default),
        1 => Just(Strategy::Filtered),
        1 => Just(Strategy::HuffmanOnly),
        1 => Just(Strategy::Rle),
        1 => Just(Strategy::Fixed),
    ];
    let numbers = (9..=15u8, -1..=9, 1..=9);
    (numbers, strategy, any::<(bool, bool)>()).prop_map(
        |((server_bits, level, mem_level), strategy, (server_takeover, client_takeover))| Params {
            server_bits,
            level,
            mem_level,
            strategy,
            server_takeover,
            client_takeover,
            ..params()
        },
    )
}

/// Text that repeats itself over messages, and some that does not; some longer than the window.
fn any_message() -> impl Plan<Value = Vec<u8>> {
    let line = |seed: u64| format!(r#"{{"id":{seed},"user":"anna","tags":["new","sale"]}},"#);
    let text = (0..1000u64, 1..40usize).prop_map(move |(seed, count)| {
        let lines = (0..count as u64).map(|n| line(seed.wrapping_mul(n + 1) % 97));
        lines.collect::<String>().into_bytes()
    });
    prop_oneof![
        8 => text,
        2 => (0..50u64, 0..3000usize).prop_map(|(seed, len)| random(seed, len)),
        1 => (0..3u64, 30_000..70_000usize).prop_map(|(seed, len)| random(seed, len)),
        1 => Just(Vec::new()),
    ]
}

fn any_rest() -> impl Plan<Value = Option<Rest>> {
    prop_oneof![
        Just(None),
        Just(Some(Rest::Release)),
        Just(Some(Rest::Park))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_client_never_notices(
        params in any_params(),
        steps in proptest::collection::vec((any_message(), any_rest(), any_rest()), 1..20),
    ) {
        let mut client = Client::new();
        let (mut deflater, mut inflater) = (Deflater::new(&params), Inflater::new(&params));
        for (message, before_read, before_write) in steps {
            // Asked twice, it parks.
            if let Some(rest) = before_read {
                inflater.rest(rest);
                inflater.rest(rest);
                assert!(!inflater.holds_context());
            }
            if !params.client_takeover {
                client.compress.reset();
            }
            let wire = client.write(&message);
            prop_assert_eq!(&inflate(&mut inflater, &wire).unwrap(), &message);
            if let Some(rest) = before_write {
                deflater.rest(rest);
                deflater.rest(rest);
                assert!(!deflater.holds_context());
            }
            let wire = deflate(&mut deflater, &message);
            prop_assert_eq!(&client.read(&wire, message.len()), &message);
        }
    }

    #[test]
    fn whatever_comes_a_rest_makes_no_difference(
        wires in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..10),
    ) {
        let (mut kept, mut parked) = (Inflater::new(&params()), Inflater::new(&params()));
        for wire in wires {
            let expected = inflate(&mut kept, &wire);
            let result = inflate(&mut parked, &wire);
            prop_assert_eq!(&result, &expected);
            if expected.is_err() {
                break;
            }
            park(|rest| parked.rest(rest));
        }
    }
}
