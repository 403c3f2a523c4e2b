//! Plain bytes in memory that goes back to the system.

use crate::{NoMemory, memory};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// `LEN` bytes, one at least, in pages of their own. Those that are never touched take no memory.
#[derive(Debug)]
pub struct Pages<const LEN: usize>(NonNull<[u8; LEN]>);

// SAFETY: the pages belong to nobody else.
unsafe impl<const LEN: usize> Send for Pages<LEN> {}

impl<const LEN: usize> Pages<LEN> {
    /// All of them zero.
    pub fn new() -> Result<Self, NoMemory> {
        NonNull::new(memory::map(LEN).cast())
            .map(Self)
            .ok_or(NoMemory)
    }
}

impl<const LEN: usize> Deref for Pages<LEN> {
    type Target = [u8; LEN];

    fn deref(&self) -> &[u8; LEN] {
        // SAFETY: all bytes of the mapping are initialised, and only `self` gives access to them.
        unsafe { self.0.as_ref() }
    }
}

impl<const LEN: usize> DerefMut for Pages<LEN> {
    fn deref_mut(&mut self) -> &mut [u8; LEN] {
        // SAFETY: as above.
        unsafe { self.0.as_mut() }
    }
}

impl<const LEN: usize> Drop for Pages<LEN> {
    fn drop(&mut self) {
        // SAFETY: the mapping is that of `new`, and not used after this.
        unsafe { libc::munmap(self.0.as_ptr().cast(), LEN) };
    }
}
