//! The sending direction.

use std::fmt;

use drover_zlib::{Config, Deflate, Flush, WINDOW};

use super::pool::Held;
use super::rest::{History, Rest, Rested};
use super::{Params, Strategy, TAIL};

/// Output is made in steps of at most this many bytes.
const STEP: usize = 32 * 1024;

/// zlib repeats a flush for which there was not room enough; what does not compress grows by a little.
const EXTRA_ROOM: usize = 64;

/// The sending side's compressor.
pub struct Deflater {
    config: Config,
    takeover: bool,
    /// The context, from the first message on; without takeover only inside [`deflate`](Self::deflate).
    context: Option<Held<Deflate>>,
    /// What is left of a context that was given up.
    history: History,
    /// There was a message since it was last asked to rest.
    used: bool,
}

impl Deflater {
    /// Allocates nothing until the first message.
    pub fn new(params: &Params) -> Self {
        Self {
            config: config(params),
            takeover: params.server_takeover,
            context: None,
            history: History::Empty,
            used: false,
        }
    }

    /// Append a whole message, compressed, to `out`. The message comes in pieces.
    ///
    /// # Panics
    ///
    /// If there is no memory for the context. It is of no further use then.
    pub fn deflate(&mut self, payload: &[&[u8]], out: &mut Vec<u8>) {
        let len: usize = payload.iter().map(|piece| piece.len()).sum();
        if len == 0 {
            // Nothing enters the window, and zlib would refuse a second flush in a row.
            out.push(0x00);
            return;
        }
        self.used = true;
        let mut context = match self.context.take() {
            Some(context) => context,
            None => std::mem::take(&mut self.history)
                .deflate(&self.config)
                .expect("memory for a context"),
        };
        if let Some((last, rest)) = payload.split_last() {
            for piece in rest {
                run(&mut context, piece, out, Flush::No);
            }
            run(&mut context, last, out, Flush::Sync);
        }
        debug_assert!(out.ends_with(&TAIL), "a sync flush ends so");
        out.truncate(out.len() - TAIL.len());
        self.context = Some(context).filter(|_| self.takeover);
    }

    /// Whether it holds a context.
    pub fn holds_context(&self) -> bool {
        self.context.is_some()
    }

    /// Give up what is not needed while nothing is sent.
    pub fn rest(&mut self, rest: Rest) -> Rested {
        if std::mem::take(&mut self.used) && rest == Rest::Park {
            return Rested::Busy;
        }
        if let Some(mut context) = self.context.take() {
            let mut history = Vec::with_capacity(WINDOW);
            context.history(&mut history);
            self.history = History::new(&history, WINDOW);
        }
        if rest == Rest::Park {
            self.history.squeeze();
        }
        Rested::Done
    }
}

/// Compress `input` until zlib has taken all of it and, if told to flush, given all of its output.
fn run(context: &mut Deflate, input: &[u8], out: &mut Vec<u8>, flush: Flush) {
    let mut rest = input;
    loop {
        let start = out.len();
        let room = (rest.len() + rest.len() / 8 + EXTRA_ROOM).min(STEP);
        let taken = context.deflate(rest, out, room, flush);
        rest = &rest[taken..];
        if out.len() - start < room {
            debug_assert!(rest.is_empty(), "zlib stops early only for want of room");
            return;
        }
    }
}

fn config(params: &Params) -> Config {
    Config {
        level: params.level.clamp(-1, 9),
        // zlib cannot deflate with 8, and 9 is what every implementation uses in its place.
        window_bits: params.server_bits.clamp(9, 15),
        mem_level: params.mem_level.clamp(1, 9),
        strategy: match params.strategy {
            Strategy::Default => drover_zlib::Strategy::Default,
            Strategy::Filtered => drover_zlib::Strategy::Filtered,
            Strategy::HuffmanOnly => drover_zlib::Strategy::HuffmanOnly,
            Strategy::Rle => drover_zlib::Strategy::Rle,
            Strategy::Fixed => drover_zlib::Strategy::Fixed,
        },
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("config", &self.config)
            .field("takeover", &self.takeover)
            .field("holds_context", &self.holds_context())
            .finish_non_exhaustive()
    }
}
