//! The sending direction.

use std::fmt;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Method};

use super::{Params, Strategy, TAIL, spare};

/// Output is made in steps of at most this many bytes, so that little is cleared in vain.
const STEP: usize = 16 * 1024;

/// zlib repeats a flush that was left less than this much room.
const MIN_ROOM: usize = 16;

/// The sending side's compressor.
pub struct Deflater {
    config: DeflateConfig,
    takeover: bool,
    /// The context, from the first message on; without takeover only inside [`deflate`](Self::deflate).
    stream: Option<Box<Deflate>>,
}

impl Deflater {
    /// Allocates nothing until the first message.
    pub fn new(params: &Params) -> Self {
        Self {
            config: config(params),
            takeover: params.server_takeover,
            stream: None,
        }
    }

    /// Append a whole message, compressed, to `out`. The message comes in pieces.
    pub fn deflate(&mut self, payload: &[&[u8]], out: &mut Vec<u8>) {
        let len: usize = payload.iter().map(|piece| piece.len()).sum();
        if len == 0 {
            // Nothing enters the window, and zlib would refuse a second flush in a row.
            out.push(0x00);
            return;
        }
        let mut stream = self
            .stream
            .take()
            .unwrap_or_else(|| spare::take_deflate(&self.config));
        for piece in payload {
            run(&mut stream, piece, out, DeflateFlush::NoFlush);
        }
        run(&mut stream, &[], out, DeflateFlush::SyncFlush);
        debug_assert!(out.ends_with(&TAIL), "a sync flush ends so");
        out.truncate(out.len() - TAIL.len());
        if self.takeover {
            self.stream = Some(stream);
        } else {
            spare::give_deflate(&self.config, stream);
        }
    }
}

/// Compress `input` until zlib has taken all of it and, if told to flush, given all of its output.
fn run(stream: &mut Deflate, input: &[u8], out: &mut Vec<u8>, flush: DeflateFlush) {
    let mut rest = input;
    loop {
        let (read_before, written_before) = (stream.total_in(), stream.total_out());
        let start = out.len();
        let room = (rest.len() / 2 + MIN_ROOM).clamp(256, STEP);
        out.resize(start + room, 0);
        // The status says no more than the counters do: zlib's "buffer error" is "nothing left to do".
        let _ = stream.compress(rest, &mut out[start..], flush);
        rest = &rest[(stream.total_in() - read_before) as usize..];
        let written = (stream.total_out() - written_before) as usize;
        out.truncate(start + written);
        if written < room {
            debug_assert!(rest.is_empty(), "zlib stops early only for want of room");
            return;
        }
    }
}

fn config(params: &Params) -> DeflateConfig {
    DeflateConfig {
        level: params.level.clamp(-1, 9),
        method: Method::Deflated,
        // Negative: no zlib header. zlib cannot deflate with 8, and 9 is what every implementation uses in its place.
        window_bits: -i32::from(params.server_bits.clamp(9, 15)),
        mem_level: params.mem_level.clamp(1, 9),
        strategy: match params.strategy {
            Strategy::Default => zlib_rs::Strategy::Default,
            Strategy::Filtered => zlib_rs::Strategy::Filtered,
            Strategy::HuffmanOnly => zlib_rs::Strategy::HuffmanOnly,
            Strategy::Rle => zlib_rs::Strategy::Rle,
            Strategy::Fixed => zlib_rs::Strategy::Fixed,
        },
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("config", &self.config)
            .field("takeover", &self.takeover)
            .field("allocated", &self.stream.is_some())
            .finish()
    }
}
