//! What the two directions have in common.

use crate::memory;
use libz_rs_sys::z_stream;
use std::ffi::c_int;
use std::ptr::null_mut;

/// zlib's name for either direction's handle, before it is initialised.
pub(crate) fn blank() -> Box<z_stream> {
    Box::new(z_stream {
        zalloc: Some(memory::allocate),
        zfree: Some(memory::free),
        opaque: null_mut(),
        ..z_stream::default()
    })
}

/// zlib checks that it and its user mean the same structure.
pub(crate) const STREAM_SIZE: c_int = size_of::<z_stream>() as c_int;

/// Make one call of zlib, of which `input` is the input, and append what it gives, at most `room` bytes, to `out`. Gives
/// what the call returned and the number of bytes taken.
///
/// # Safety
///
/// `call` is `deflate` or `inflate`, and `stream` was initialised for that.
pub(crate) unsafe fn step(
    stream: &mut z_stream,
    input: &[u8],
    out: &mut Vec<u8>,
    room: usize,
    call: impl FnOnce(&mut z_stream) -> c_int,
) -> (c_int, usize) {
    let start = out.len();
    out.reserve(room);
    let available = u32::try_from(input.len()).unwrap_or(u32::MAX);
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    stream.next_in = input.as_ptr();
    stream.avail_in = available;
    stream.next_out = out.spare_capacity_mut().as_mut_ptr().cast();
    stream.avail_out = room;
    let result = call(stream);
    let written = (room - stream.avail_out) as usize;
    // SAFETY: there is room for that much, and zlib has written it.
    unsafe { out.set_len(start + written) };
    let taken = (available - stream.avail_in) as usize;
    stream.next_in = null_mut();
    stream.next_out = null_mut();
    (stream.avail_in, stream.avail_out) = (0, 0);
    (result, taken)
}
