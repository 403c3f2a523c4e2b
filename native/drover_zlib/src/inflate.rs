//! Decompression.

use crate::stream::{STREAM_SIZE, blank, step};
use crate::{Corrupt, NoMemory, WINDOW};
use libz_rs_sys::{
    Z_BUF_ERROR, Z_OK, Z_STREAM_END, Z_SYNC_FLUSH, inflate, inflateEnd, inflateGetDictionary,
    inflateInit2_, inflateReset, inflateSetDictionary, inflateSyncPoint, z_stream, zlibVersion,
};
use std::ffi::c_int;

/// zlib-rs allocates no less for a smaller window, and this reads what was written for any.
const WINDOW_BITS: c_int = WINDOW.trailing_zeros() as c_int;

/// How far a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes taken of the input.
    pub taken: usize,
    /// The last block ended. Only [`Inflate::reset`] makes more input acceptable.
    pub ended: bool,
}

/// A decompressor of raw deflate data.
pub struct Inflate {
    stream: Box<z_stream>,
}

// SAFETY: the context belongs to nobody else, and zlib knows no threads.
unsafe impl Send for Inflate {}

impl Inflate {
    /// A decompressor at the start of its data.
    pub fn new() -> Result<Self, NoMemory> {
        let mut stream = blank();
        // SAFETY: the stream is blank, with an allocator; the other arguments are values. Negative bits: no zlib header.
        let result =
            unsafe { inflateInit2_(&raw mut *stream, -WINDOW_BITS, zlibVersion(), STREAM_SIZE) };
        if result == Z_OK {
            Ok(Self { stream })
        } else {
            Err(NoMemory)
        }
    }

    /// Go back to the start.
    pub fn reset(&mut self) {
        // SAFETY: the stream is initialised.
        unsafe { inflateReset(&raw mut *self.stream) };
    }

    /// Decompress `input` and append at most `room` bytes to `out`. What was appended counts even if this then failed.
    pub fn inflate(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        room: usize,
    ) -> Result<Progress, Corrupt> {
        // SAFETY: the stream is initialised for inflate.
        let (result, taken) = unsafe {
            step(&mut self.stream, input, out, room, |stream| {
                inflate(stream, Z_SYNC_FLUSH)
            })
        };
        match result {
            Z_OK | Z_BUF_ERROR | Z_STREAM_END => Ok(Progress {
                taken,
                ended: result == Z_STREAM_END,
            }),
            _ => Err(Corrupt),
        }
    }

    /// Whether it waits for the length of a stored block, as it does after a sync flush whose last four bytes are
    /// missing. With those, all that it knows is its history.
    pub fn is_at_sync_point(&mut self) -> bool {
        // SAFETY: the stream is initialised.
        unsafe { inflateSyncPoint(&raw mut *self.stream) == 1 }
    }

    /// Append what the input may refer to: the end of what came out.
    pub fn history(&self, out: &mut Vec<u8>) {
        out.reserve(WINDOW);
        let mut len = 0;
        // SAFETY: there is room for the longest history, and zlib writes `len` bytes of it.
        unsafe {
            inflateGetDictionary(
                &raw const *self.stream,
                out.spare_capacity_mut().as_mut_ptr().cast(),
                &raw mut len,
            );
            out.set_len(out.len() + len as usize);
        }
    }

    /// Take this as what came out before.
    pub fn set_history(&mut self, history: &[u8]) {
        let len = u32::try_from(history.len()).expect("no history is longer than a window");
        // SAFETY: the stream is initialised, and the pointer and the length are a slice's.
        let result = unsafe { inflateSetDictionary(&raw mut *self.stream, history.as_ptr(), len) };
        debug_assert_eq!(result, Z_OK, "raw data takes a history at any time");
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised, and not used after this.
        unsafe { inflateEnd(&raw mut *self.stream) };
    }
}
