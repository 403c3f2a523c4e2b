//! Input bit by bit, the lowest bit of each byte first.

/// Bits that are there after a [`refill`](Bits::refill).
const REFILLED: u32 = 56;

/// Behind the end there are zeros, any number of them; [`is_over`](Self::is_over) tells. It is copied rather than lent where
/// that leaves it in registers.
#[derive(Clone, Copy)]
pub(super) struct Bits<'i> {
    input: &'i [u8],
    /// The first byte that is not in `bits`, as far as they count.
    at: usize,
    bits: u64,
    /// So many of them count. Those above are the next of the input, or zero.
    count: u32,
}

impl<'i> Bits<'i> {
    pub(super) fn new(input: &'i [u8]) -> Self {
        Self {
            input,
            at: 0,
            bits: 0,
            count: 0,
        }
    }

    /// Make sure of [`REFILLED`] bits.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let rest = self.input.get(self.at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(eight) => {
                self.bits |= u64::from_le_bytes(*eight) << self.count;
                self.at += ((63 - self.count) / 8) as usize;
                self.count |= REFILLED;
            }
            None => *self = self.refilled_at_end(),
        }
    }

    #[inline(never)]
    fn refilled_at_end(mut self) -> Self {
        while self.count < REFILLED {
            let byte = self.input.get(self.at).copied().unwrap_or_default();
            self.bits |= u64::from(byte) << self.count;
            self.at += 1;
            self.count += 8;
        }
        self
    }

    /// The next `n` bits, fewer than 32.
    #[inline(always)]
    pub(super) fn peek(&self, n: u32) -> u32 {
        self.bits as u32 & ((1 << n) - 1)
    }

    /// Make sure of `n` bits where there may be enough of them.
    #[inline(always)]
    pub(super) fn ensure(&mut self, n: u32) {
        if self.count < n {
            self.refill();
        }
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, n: u32) {
        self.bits >>= n;
        self.count -= n;
    }

    #[inline(always)]
    pub(super) fn take(&mut self, n: u32) -> u32 {
        let taken = self.peek(n);
        self.skip(n);
        taken
    }

    /// More was taken than there is.
    pub(super) fn is_over(&self) -> bool {
        self.at * 8 - self.count as usize > self.input.len() * 8
    }

    /// Go to the next whole byte, and give what is left from there on.
    pub(super) fn align(&mut self) -> &'i [u8] {
        self.skip(self.count % 8);
        let at = self.at - (self.count / 8) as usize;
        self.input.get(at..).unwrap_or_default()
    }
}
