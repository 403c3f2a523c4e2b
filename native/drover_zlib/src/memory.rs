//! Memory for contexts: pages of the system's, one mapping for each context.
//!
//! From `malloc`, blocks of this size would come out of its arenas as soon as a first one had been freed, and stay with
//! them between the small blocks of connections at rest.

use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE};
use std::ffi::{c_uint, c_void};
use std::ptr::null_mut;

/// Room for the length of the mapping in front of the block, as large as the alignment that zlib-rs likes.
const FRONT: usize = 64;

/// New pages for `len` bytes, all of them zero. Null: there are none.
pub(crate) fn map(len: usize) -> *mut c_void {
    #[cfg(test)]
    if failure::is_due() {
        return null_mut();
    }
    // SAFETY: a new mapping, wherever the system likes, touches nothing that exists.
    let start = unsafe {
        libc::mmap(
            null_mut(),
            len,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if start == MAP_FAILED {
        null_mut()
    } else {
        start
    }
}

/// zlib's `zalloc`.
pub(crate) unsafe extern "C" fn allocate(
    _: *mut c_void,
    items: c_uint,
    size: c_uint,
) -> *mut c_void {
    let len = items as usize * size as usize + FRONT;
    let start = map(len);
    if start.is_null() {
        return null_mut();
    }
    // SAFETY: the mapping is writable, begins at a page, and is longer than `FRONT`.
    unsafe {
        start.cast::<usize>().write(len);
        start.byte_add(FRONT)
    }
}

/// zlib's `zfree`.
///
/// # Safety
///
/// `block` is null or comes from [`allocate`], and is given once.
pub(crate) unsafe extern "C" fn free(_: *mut c_void, block: *mut c_void) {
    if block.is_null() {
        return;
    }
    // SAFETY: in front of the block is what `allocate` wrote there, and nobody uses the mapping any more.
    unsafe {
        let start = block.byte_sub(FRONT);
        let len = start.cast::<usize>().read();
        libc::munmap(start, len);
    }
}

/// Lets tests of this thread run out of memory.
#[cfg(test)]
pub(crate) mod failure {
    use std::cell::Cell;

    thread_local! {
        static DUE: Cell<bool> = const { Cell::new(false) };
    }

    pub(crate) fn set(due: bool) {
        DUE.set(due);
    }

    pub(crate) fn is_due() -> bool {
        DUE.get()
    }
}

#[cfg(test)]
mod tests {
    use super::failure;
    use crate::{Config, Deflate, Inflate, NoMemory, Pages, Strategy};

    #[test]
    fn a_lack_of_memory_is_an_error() {
        let config = Config {
            level: 6,
            window_bits: 15,
            mem_level: 8,
            strategy: Strategy::Default,
        };
        failure::set(true);
        assert_eq!(Inflate::new().err(), Some(NoMemory));
        assert_eq!(Deflate::new(config).err(), Some(NoMemory));
        assert_eq!(Pages::<1>::new().err(), Some(NoMemory));
        failure::set(false);
        assert!(Inflate::new().is_ok() && Deflate::new(config).is_ok());
    }
}
