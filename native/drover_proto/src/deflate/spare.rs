//! One context of each direction put aside per thread.
//!
//! Without context takeover a context is of no use between two messages. Holding it would cost up to 268 KiB a
//! connection, and allocating it anew for each message costs more than compressing a small one.

use std::cell::Cell;

use zlib_rs::{Deflate, DeflateConfig, Inflate};

use super::WINDOW;

thread_local! {
    static INFLATE: Cell<Option<Box<Inflate>>> = const { Cell::new(None) };
    static DEFLATE: Cell<Option<(DeflateConfig, Box<Deflate>)>> = const { Cell::new(None) };
}

const WINDOW_BITS: u8 = WINDOW.trailing_zeros() as u8;

/// A context at the start of a raw stream. The window is always the largest: zlib-rs allocates no less, and it reads
/// what was written for any smaller one.
pub(super) fn take_inflate() -> Box<Inflate> {
    match INFLATE.take() {
        Some(mut stream) => {
            stream.reset(false);
            stream
        }
        None => Box::new(Inflate::new(false, WINDOW_BITS)),
    }
}

pub(super) fn give_inflate(stream: Box<Inflate>) {
    INFLATE.set(Some(stream));
}

/// A context at the start of a stream of this configuration.
pub(super) fn take_deflate(config: &DeflateConfig) -> Box<Deflate> {
    match DEFLATE.take() {
        Some((same, mut stream)) if same == *config => {
            stream.reset();
            stream
        }
        _ => Box::new(Deflate::new_with_config(*config)),
    }
}

pub(super) fn give_deflate(config: &DeflateConfig, stream: Box<Deflate>) {
    DEFLATE.set(Some((*config, stream)));
}
