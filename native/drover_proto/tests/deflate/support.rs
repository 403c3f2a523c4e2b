//! What the modules have in common.

use drover_proto::deflate::{Deflater, InflateError, Inflater, Kind, Params, Strategy};

pub(crate) const STRATEGIES: [Strategy; 5] = [
    Strategy::Default,
    Strategy::Filtered,
    Strategy::HuffmanOnly,
    Strategy::Rle,
    Strategy::Fixed,
];

/// Enough for any message of these tests.
pub(crate) const PLENTY: usize = 64 << 20;

pub(crate) fn params() -> Params {
    Params {
        kind: Kind::PerMessage,
        server_takeover: true,
        client_takeover: true,
        server_bits: 15,
        client_bits: 15,
        level: 6,
        mem_level: 8,
        strategy: Strategy::Default,
    }
}

pub(crate) fn no_takeover() -> Params {
    Params {
        server_takeover: false,
        client_takeover: false,
        ..params()
    }
}

pub(crate) fn deflate(deflater: &mut Deflater, message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    deflater.deflate(&[message], &mut wire);
    wire
}

/// One whole message, its wire bytes in pieces, with this limit and budget.
pub(crate) fn inflate_pieces<'a>(
    inflater: &mut Inflater,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limit: usize,
    budget: usize,
) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    for mut piece in pieces {
        loop {
            let inflated = inflater.inflate(piece, &mut out, limit, budget)?;
            piece = &piece[inflated.consumed..];
            if piece.is_empty() && !inflated.more_output {
                break;
            }
        }
    }
    while inflater.finish(&mut out, limit, budget)?.more_output {}
    Ok(out)
}

pub(crate) fn inflate(inflater: &mut Inflater, wire: &[u8]) -> Result<Vec<u8>, InflateError> {
    inflate_pieces(inflater, [wire], PLENTY, PLENTY)
}

/// The same random numbers for the same seed.
pub(crate) fn numbers(seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as usize
    })
}

/// Bytes that do not compress, never the same for two seeds.
pub(crate) fn random(seed: u64, len: usize) -> Vec<u8> {
    numbers(seed).map(|n| n as u8).take(len).collect()
}
