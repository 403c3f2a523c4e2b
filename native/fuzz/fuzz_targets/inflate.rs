//! Deflate data of any kind: never more than the limit, no more than about the budget in a call, the same whole or in
//! pieces, with a rest after each message or without, by zlib or, as far as it goes, without; and what this side compresses it
//! also reads.
//!
//! The first four bytes choose parameters, limit, budget and pieces; the rest are two messages of equal length, first
//! taken as wire bytes, then as payload.
#![no_main]

use drover_proto::deflate::{Deflater, InflateError, Inflater, Kind, Params, Rest, Strategy};
use libfuzzer_sys::fuzz_target;

/// What one call may do beyond its budget.
const SLACK: usize = 32 * 1024;

fuzz_target!(|data: &[u8]| {
    let [choice, limit, budget, piece, bytes @ ..] = data else {
        return;
    };
    let params = params(*choice);
    let limit = usize::from(*limit) * 257;
    let budget = 1 + usize::from(*budget) * 64;
    let piece = usize::from(*piece).max(1);
    let messages = bytes.split_at(bytes.len() / 2);

    // What lies further back than the agreed window is gone after a rest.
    let reaching = Params {
        client_bits: 15,
        ..params.clone()
    };
    let (mut whole, mut pieces) = (Inflater::new(&reaching), Inflater::new(&reaching));
    let mut received = Inflater::new(&reaching);
    for wire in [messages.0, messages.1] {
        let result = inflate(&mut whole, wire, usize::MAX, limit, usize::MAX);
        assert_eq!(result, inflate(&mut pieces, wire, piece, limit, budget));
        assert_eq!(result, receive(&mut received, wire, piece, limit, budget));
        if result.is_err() {
            break;
        }
        pieces.rest(rest(*choice));
        pieces.rest(rest(*choice));
    }

    let (mut deflater, mut inflater) = (Deflater::new(&params), Inflater::new(&params));
    let mut received = Inflater::new(&params);
    for message in [messages.0, messages.1] {
        let mut wire = Vec::new();
        let parts: Vec<&[u8]> = message.chunks(piece).collect();
        deflater.deflate(&parts, &mut wire);
        let back = inflate(&mut inflater, &wire, piece, message.len(), budget);
        assert_eq!(back.as_deref(), Ok(message));
        let back = receive(&mut received, &wire, piece, message.len(), budget);
        assert_eq!(back.as_deref(), Ok(message));
        inflater.rest(rest(*choice));
        deflater.rest(rest(*choice >> 1));
    }
});

fn rest(choice: u8) -> Rest {
    if choice & 2 == 0 {
        Rest::Release
    } else {
        Rest::Park
    }
}

fn params(choice: u8) -> Params {
    let takeover = choice & 1 == 0;
    let number = i32::from(choice >> 1);
    Params {
        kind: Kind::PerMessage,
        server_takeover: takeover,
        client_takeover: takeover,
        server_bits: 8 + (number % 8) as u8,
        client_bits: 8 + (number % 8) as u8,
        level: number % 11 - 1,
        mem_level: number % 9 + 1,
        strategy: [
            Strategy::Default,
            Strategy::Filtered,
            Strategy::HuffmanOnly,
            Strategy::Rle,
            Strategy::Fixed,
        ][(number % 5) as usize],
    }
}

/// As a receiver does it that has all of a message.
fn receive(
    inflater: &mut Inflater,
    wire: &[u8],
    piece: usize,
    limit: usize,
    budget: usize,
) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    if inflater.inflate_whole(wire, &mut out, limit) {
        assert!(out.len() <= limit);
        return Ok(out);
    }
    assert!(out.is_empty());
    inflate(inflater, wire, piece, limit, budget)
}

fn inflate(
    inflater: &mut Inflater,
    wire: &[u8],
    piece: usize,
    limit: usize,
    budget: usize,
) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    for mut piece in wire.chunks(piece) {
        loop {
            let before = out.len();
            let inflated = inflater.inflate(piece, &mut out, limit, budget)?;
            assert!(out.len() <= limit);
            assert!(out.len() - before <= budget.saturating_add(SLACK));
            piece = &piece[inflated.consumed..];
            if piece.is_empty() && !inflated.more_output {
                break;
            }
            assert!(inflated.more_output, "what is left needs another call");
        }
    }
    while inflater.finish(&mut out, limit, budget)?.more_output {}
    assert!(out.len() <= limit);
    Ok(out)
}
