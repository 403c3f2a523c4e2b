//! Compression.

use crate::stream::{STREAM_SIZE, blank, step};
use crate::{NoMemory, WINDOW};
use libz_rs_sys::{
    Z_DEFLATED, Z_NO_FLUSH, Z_OK, Z_SYNC_FLUSH, deflate, deflateEnd, deflateGetDictionary,
    deflateInit2_, deflateReset, deflateSetDictionary, z_stream, zlibVersion,
};
use std::ffi::c_int;

/// How the compressor looks for redundancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// `Z_DEFAULT_STRATEGY`.
    Default = 0,
    /// `Z_FILTERED`.
    Filtered = 1,
    /// `Z_HUFFMAN_ONLY`.
    HuffmanOnly = 2,
    /// `Z_RLE`.
    Rle = 3,
    /// `Z_FIXED`.
    Fixed = 4,
}

/// The arguments of `deflateInit2`. Values outside zlib's ranges are taken as the nearest inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// -1 (zlib's default) to 9.
    pub level: i32,
    /// Base-two logarithm of the window: 9 to 15.
    pub window_bits: u8,
    /// 1 to 9.
    pub mem_level: i32,
    /// The strategy.
    pub strategy: Strategy,
}

/// What is to be done with the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// `Z_NO_FLUSH`: zlib gives it when it likes.
    No = Z_NO_FLUSH as isize,
    /// `Z_SYNC_FLUSH`: all of it comes, and ends at a byte.
    Sync = Z_SYNC_FLUSH as isize,
}

/// A compressor of raw deflate data.
pub struct Deflate {
    stream: Box<z_stream>,
    config: Config,
    /// The last call filled all its room, so that there may be more.
    full: bool,
}

// SAFETY: the context belongs to nobody else, and zlib knows no threads.
unsafe impl Send for Deflate {}

impl Deflate {
    /// A compressor at the start of its data.
    pub fn new(config: Config) -> Result<Self, NoMemory> {
        let mut stream = blank();
        // SAFETY: the stream is blank, with an allocator; the other arguments are values.
        let result = unsafe {
            deflateInit2_(
                &raw mut *stream,
                config.level.clamp(-1, 9),
                Z_DEFLATED,
                // Negative: no zlib header.
                -c_int::from(config.window_bits.clamp(9, 15)),
                config.mem_level.clamp(1, 9),
                config.strategy as c_int,
                zlibVersion(),
                STREAM_SIZE,
            )
        };
        if result == Z_OK {
            Ok(Self {
                stream,
                config,
                full: false,
            })
        } else {
            Err(NoMemory)
        }
    }

    /// How it was made.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether all its output has been taken. A context with output left cannot be reset: zlib-rs would forget what it is,
    /// but not where it lies in the buffer.
    pub fn is_drained(&self) -> bool {
        !self.full
    }

    /// Go back to the start. Only if [it is drained](Self::is_drained).
    pub fn reset(&mut self) {
        // SAFETY: the stream is initialised.
        unsafe { deflateReset(&raw mut *self.stream) };
    }

    /// Compress `input` and append at most `room` bytes to `out`. Gives the number of bytes taken.
    pub fn deflate(&mut self, input: &[u8], out: &mut Vec<u8>, room: usize, flush: Flush) -> usize {
        let start = out.len();
        // The result says no more than the numbers do: zlib's "buffer error" is "nothing left to do".
        // SAFETY: the stream is initialised for deflate.
        let (_, taken) = unsafe {
            step(&mut self.stream, input, out, room, |stream| {
                deflate(stream, flush as c_int)
            })
        };
        self.full = out.len() - start == room;
        taken
    }

    /// Append what matches may refer to: the end of what went in. Only after a sync flush.
    pub fn history(&mut self, out: &mut Vec<u8>) {
        out.reserve(WINDOW);
        let mut len = 0;
        // SAFETY: there is room for the longest history, and zlib writes `len` bytes of it.
        unsafe {
            deflateGetDictionary(
                &raw mut *self.stream,
                out.spare_capacity_mut().as_mut_ptr().cast(),
                &raw mut len,
            );
            out.set_len(out.len() + len as usize);
        }
    }

    /// Take this as what went in before. Only at the start, or after a sync flush.
    pub fn set_history(&mut self, history: &[u8]) {
        let len = u32::try_from(history.len()).expect("no history is longer than a window");
        // SAFETY: the stream is initialised, and the pointer and the length are a slice's.
        let result = unsafe { deflateSetDictionary(&raw mut *self.stream, history.as_ptr(), len) };
        debug_assert_eq!(result, Z_OK, "raw, and nothing is under way");
    }
}

impl Drop for Deflate {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised, and not used after this.
        unsafe { deflateEnd(&raw mut *self.stream) };
    }
}
