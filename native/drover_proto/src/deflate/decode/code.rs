//! Huffman codes (RFC 1951 3.2.2).

use super::bits::Bits;

/// The longest code.
const LONGEST: usize = 15;

/// What the next bits mean: a code, and bits behind it that add to its value.
///
/// From the lowest bit: 8 for the number of all these bits, 4 for that of the code's, 4 of no meaning, 15 for the value and 1 for
/// a mark, which means what the user likes.
#[derive(Clone, Copy)]
pub(super) struct Entry(u32);

impl Entry {
    /// No entry: the code is longer than the table looks.
    const LONG: Self = Self(0);
    const MARK: u32 = 1 << 31;

    /// A value to which `extra` bits add, before it has a code.
    pub(super) const fn new(value: u16, extra: u32, marked: bool) -> Self {
        let mark = if marked { Self::MARK } else { 0 };
        Self((value as u32) << 16 | extra | mark)
    }

    /// The same behind a code of so many bits.
    const fn behind(self, length: u32) -> Self {
        Self(self.0 + (length << 8 | length))
    }

    #[inline(always)]
    pub(super) fn is_marked(self) -> bool {
        self.0 & Self::MARK != 0
    }

    #[inline(always)]
    pub(super) fn value(self) -> usize {
        (self.0 >> 16 & 0x7fff) as usize
    }

    /// Take its bits, where none follow the code.
    #[inline(always)]
    pub(super) fn skip(self, bits: &mut Bits<'_>) {
        bits.skip(self.0 & 0xff);
    }

    /// Take all its bits. Gives the value with what they add.
    #[inline(always)]
    pub(super) fn take(self, bits: &mut Bits<'_>) -> usize {
        let (all, code) = (self.0 & 0xff, self.0 >> 8 & 0xf);
        let added = bits.take(all) >> code;
        self.value() + added as usize
    }
}

/// A complete code for up to `SYMBOLS` symbols, with a table over as many bits as number its `SIZE` entries.
pub(super) struct Code<const SIZE: usize, const SYMBOLS: usize> {
    table: [Entry; SIZE],
    /// Codes of each length, and their symbols in the order of the codes.
    counts: [u16; LONGEST + 1],
    symbols: [u16; SYMBOLS],
    meaning: &'static [Entry; SYMBOLS],
}

impl<const SIZE: usize, const SYMBOLS: usize> Code<SIZE, SYMBOLS> {
    const BITS: u32 = SIZE.trailing_zeros();

    /// None yet.
    pub(super) const fn new(meaning: &'static [Entry; SYMBOLS]) -> Self {
        Self {
            table: [Entry::LONG; SIZE],
            counts: [0; LONGEST + 1],
            symbols: [0; SYMBOLS],
            meaning,
        }
    }

    /// Become the code in which each symbol's code has the given length, 0 for none. `None`: there is no such code, or not
    /// every sequence of bits begins with one of its codes; then it must not be used.
    pub(super) fn set(&mut self, lengths: &[u8]) -> Option<()> {
        self.counts = [0; LONGEST + 1];
        each(lengths, |_, length| self.counts[length] += 1);
        if !is_complete(&self.counts) {
            return None;
        }
        self.sort(lengths);
        self.fill();
        Some(())
    }

    fn sort(&mut self, lengths: &[u8]) {
        let mut next = [0; LONGEST + 1];
        for length in 1..LONGEST {
            next[length + 1] = next[length] + self.counts[length];
        }
        each(lengths, |symbol, length| {
            let place = &mut next[length];
            self.symbols[usize::from(*place)] = symbol as u16;
            *place += 1;
        });
    }

    /// Codes come with their first bit lowest, so that the table for one more bit begins as two of those before. What is left is
    /// the beginning of longer codes.
    fn fill(&mut self) {
        self.table[0] = Entry::LONG;
        let mut symbols = self.symbols.iter();
        let (mut code, mut size) = (0, 1);
        for length in 1..=Self::BITS {
            self.table.copy_within(..size, size);
            size *= 2;
            for &symbol in symbols.by_ref().take(self.counts[length as usize].into()) {
                self.table[code] = self.meaning[usize::from(symbol)].behind(length);
                code = next(code, size);
            }
        }
    }

    /// What the next bits of `bits`, of which there are [`LONGEST`] at least, mean.
    #[inline(always)]
    pub(super) fn look(&self, bits: &Bits<'_>) -> Entry {
        let entry = self.table[bits.peek(Self::BITS) as usize];
        if entry.0 == Entry::LONG.0 {
            self.look_far(bits.peek(LONGEST as u32))
        } else {
            entry
        }
    }

    /// Length by length: the codes of one follow each other, and those of the next follow them.
    #[inline(never)]
    fn look_far(&self, bits: u32) -> Entry {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for length in 1..=LONGEST as u32 {
            code |= bits >> (length - 1) & 1;
            let count = u32::from(self.counts[length as usize]);
            if code < first + count {
                let symbol = self.symbols[(index + code - first) as usize];
                return self.meaning[usize::from(symbol)].behind(length);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        unreachable!("every sequence of bits begins with a code of a complete one")
    }
}

/// Each symbol that has a code, and its length. Most have none.
#[inline(always)]
fn each(lengths: &[u8], mut f: impl FnMut(usize, usize)) {
    let (eights, rest) = lengths.as_chunks::<8>();
    let mut one = |symbol, length: u8| {
        if length > 0 {
            f(symbol, usize::from(length) % (LONGEST + 1));
        }
    };
    for (number, eight) in eights.iter().enumerate() {
        if u64::from_ne_bytes(*eight) != 0 {
            (0..8).for_each(|at| one(number * 8 + at, eight[at]));
        }
    }
    for (at, &length) in rest.iter().enumerate() {
        one(lengths.len() - rest.len() + at, length);
    }
}

/// Whether so many codes of each length leave nothing over.
fn is_complete(counts: &[u16; LONGEST + 1]) -> bool {
    let mut left: i32 = 1;
    for &count in &counts[1..] {
        left = 2 * left - i32::from(count);
        if left < 0 {
            return false;
        }
    }
    left == 0
}

/// The code after `code`, whose lowest bit is its first, among those that number a table of this size. After the last: 0.
fn next(code: usize, size: usize) -> usize {
    let zeros = !code & (size - 1);
    if zeros == 0 {
        return 0;
    }
    let highest = 1 << zeros.ilog2();
    (code & (highest - 1)) | highest
}
