//! Decodes deflate data that is there as a whole, ends as a sync flush does, and gives little.
//!
//! zlib can stop and go on at any byte, and pays for that with every message; for one of a kilobyte nearly half of its work is to
//! build tables that are larger than such a message needs. What is unusual or broken is not decoded here, so that zlib alone
//! judges it.

mod bits;
mod code;

use std::cell::RefCell;
use std::sync::LazyLock;

use self::bits::Bits;
use self::code::{Code, Entry};

/// How long matches are (RFC 1951 3.2.5).
const SHORTEST_MATCH: usize = 3;
const LONGEST_MATCH: usize = 258;

/// Bits of the length of a code at most, and of what follows it.
const LENGTH_BITS: u32 = 15 + 7;

/// Bits of a match at most: both codes, and what follows each.
const MATCH_BITS: u32 = 15 + 5 + 15 + 13;

/// Bytes behind the end that may be overwritten: literals and a match, copied sixteen at a time, before the next look.
pub(super) const OVERRUN: usize = 2 + LONGEST_MATCH + 15;

type Literals = Code<512, 288>;
type Distances = Code<256, 32>;
type Lengths = Code<128, 19>;

/// Append what `input` gives to the first `at` bytes of `room`, to which it may refer, and give their new number. `None`: it is
/// not for this decoder, or would pass `end`; then `room` is as it was up to `at`.
///
/// # Panics
///
/// If there is less than [`OVERRUN`] behind `end`.
pub(super) fn decode(input: &[u8], room: &mut [u8], at: usize, end: usize) -> Option<usize> {
    let room = &mut room[..end + OVERRUN];
    let mut out = Output { room, at, end };
    let mut bits = Bits::new(input);
    loop {
        bits.refill();
        let is_final = bits.take(1) == 1;
        let kind = bits.take(2);
        if is_final || bits.is_over() {
            return None;
        }
        match kind {
            // Where the four bytes of a length are missing, the sender has taken them off.
            0 => match bits.align() {
                [] => return Some(out.at).filter(|_| !bits.is_over()),
                rest => bits = Bits::new(stored(rest, &mut out)?),
            },
            1 => {
                let (literals, distances) = &*FIXED;
                compressed(&mut bits, literals, distances, &mut out)?;
            }
            2 => CODES.with_borrow_mut(|codes| {
                codes.read(&mut bits)?;
                compressed(&mut bits, &codes.literals, &codes.distances, &mut out)
            })?,
            _ => return None,
        }
    }
}

/// Where it goes.
struct Output<'r> {
    room: &'r mut [u8],
    at: usize,
    end: usize,
}

impl Output<'_> {
    #[inline(always)]
    fn push(&mut self, literal: Entry, bits: &mut Bits<'_>) {
        literal.skip(bits);
        self.room[self.at] = literal.value() as u8;
        self.at += 1;
    }

    /// Push a literal, and look at what comes next.
    #[inline(always)]
    fn literal(&mut self, entry: Entry, literals: &Literals, bits: &mut Bits<'_>) -> Entry {
        self.push(entry, bits);
        literals.look(bits)
    }

    /// Repeat what was so far back. Up to fifteen bytes more are overwritten.
    #[inline(always)]
    fn repeat(&mut self, distance: usize, length: usize) {
        let (from, at) = (self.at - distance, self.at);
        if distance >= 16 {
            self.copy::<16>(from, length);
        } else if distance >= 8 {
            self.copy::<8>(from, length);
        } else if distance == 1 {
            let byte = self.room[from];
            self.room[at..at + length].fill(byte);
        } else {
            self.copy::<1>(from, length);
        }
        self.at += length;
    }

    #[inline(always)]
    fn copy<const N: usize>(&mut self, from: usize, length: usize) {
        let (mut from, mut to, end) = (from, self.at, self.at + length);
        while to < end {
            let piece: [u8; N] = self.room[from..from + N].try_into().expect("N bytes");
            self.room[to..to + N].copy_from_slice(&piece);
            from += N;
            to += N;
        }
    }
}

/// A block that is not compressed (RFC 1951 3.2.4). Gives the bytes behind it.
fn stored<'i>(input: &'i [u8], out: &mut Output<'_>) -> Option<&'i [u8]> {
    let (&[a, b, c, d], rest) = input.split_first_chunk()?;
    let (length, complement) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
    let (bytes, rest) = rest.split_at_checked(length.into())?;
    if length != !complement || bytes.len() > out.end - out.at {
        return None;
    }
    out.room[out.at..out.at + bytes.len()].copy_from_slice(bytes);
    out.at += bytes.len();
    Some(rest)
}

/// The codes of a block that brings its own.
struct Codes {
    lengths: Lengths,
    literals: Literals,
    distances: Distances,
}

thread_local! {
    /// Made anew for each block, in the same place.
    static CODES: RefCell<Codes> = const {
        RefCell::new(Codes {
            lengths: Code::new(&LENGTHS),
            literals: Code::new(&LITERALS),
            distances: Code::new(&DISTANCES),
        })
    };
}

impl Codes {
    /// RFC 1951 3.2.7.
    fn read(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        bits.refill();
        let literals = bits.take(5) as usize + 257;
        let distances = bits.take(5) as usize + 1;
        if literals > 286 || distances > 30 {
            return None;
        }
        let mut lengths = [0; 286 + 30];
        let lengths = &mut lengths[..literals + distances];
        self.read_lengths(bits, lengths)?;
        // Without a code for its end a block has none.
        if lengths[256] == 0 || bits.is_over() {
            return None;
        }
        self.literals.set(&lengths[..literals])?;
        self.distances.set(&lengths[literals..])
    }

    /// They are in a code of their own.
    fn read_lengths(&mut self, bits: &mut Bits<'_>, lengths: &mut [u8]) -> Option<()> {
        const ORDER: [usize; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        let count = bits.take(4) as usize + 4;
        let mut own = [0; 19];
        for &symbol in &ORDER[..count] {
            bits.ensure(3);
            own[symbol] = bits.take(3) as u8;
        }
        self.lengths.set(&own)?;
        let mut own = *bits;
        let mut done = 0;
        while done < lengths.len() {
            own.ensure(LENGTH_BITS);
            let entry = self.lengths.look(&own);
            let (symbol, value) = (entry.value(), entry.take(&mut own));
            if !entry.is_marked() {
                lengths[done] = symbol as u8;
                done += 1;
                continue;
            }
            // A length again: the last one, or zero.
            let (again, times) = match symbol {
                REPEAT => (*lengths.get(done.checked_sub(1)?)?, value - REPEAT + 3),
                ZEROS => (0, value - ZEROS + 3),
                _ => (0, value - MANY_ZEROS + 11),
            };
            lengths.get_mut(done..done + times)?.fill(again);
            done += times;
        }
        *bits = own;
        Some(())
    }
}

/// The rest of a block.
fn compressed(
    bits: &mut Bits<'_>,
    literals: &Literals,
    distances: &Distances,
    out: &mut Output<'_>,
) -> Option<()> {
    // What only this function has can be in registers.
    let mut own = *bits;
    let mut to = Output {
        room: &mut *out.room,
        at: out.at,
        end: out.end,
    };
    while to.at <= to.end {
        own.refill();
        let mut entry = literals.look(&own);
        if entry.is_marked() {
            entry = to.literal(entry, literals, &mut own);
            if entry.is_marked() {
                entry = to.literal(entry, literals, &mut own);
                if entry.is_marked() {
                    to.push(entry, &mut own);
                    continue;
                }
            }
            own.ensure(MATCH_BITS);
        }
        let value = entry.value();
        let length = entry.take(&mut own);
        if value < SHORTEST_MATCH {
            let is_good = value == END && to.at <= to.end && !own.is_over();
            (*bits, out.at) = (own, to.at);
            return is_good.then_some(());
        }
        let distance = distances.look(&own).take(&mut own);
        if distance == 0 || distance > to.at {
            return None;
        }
        to.repeat(distance, length);
    }
    None
}

/// Values that are no length of a match.
const END: usize = 0;
const NONE: u16 = 1;

/// A literal is marked.
static LITERALS: [Entry; 288] = {
    let mut all = [Entry::new(NONE, 0, false); 288];
    let mut byte = 0;
    while byte < 256 {
        all[byte as usize] = Entry::new(byte, 0, true);
        byte += 1;
    }
    all[256] = Entry::new(END as u16, 0, false);
    let (mut symbol, mut base) = (257, SHORTEST_MATCH as u16);
    while symbol < 285 {
        let extra = if symbol < 265 { 0 } else { (symbol - 261) / 4 };
        all[symbol] = Entry::new(base, extra as u32, false);
        base += 1 << extra;
        symbol += 1;
    }
    all[285] = Entry::new(LONGEST_MATCH as u16, 0, false);
    all
};

/// There is no distance of zero.
static DISTANCES: [Entry; 32] = {
    let mut all = [Entry::new(0, 0, false); 32];
    let (mut symbol, mut base) = (0, 1);
    while symbol < 30 {
        let extra = if symbol < 4 { 0 } else { (symbol - 2) / 2 };
        all[symbol] = Entry::new(base, extra as u32, false);
        base += 1 << extra;
        symbol += 1;
    }
    all
};

/// Lengths that repeat are marked.
const REPEAT: usize = 16;
const ZEROS: usize = 17;
const MANY_ZEROS: usize = 18;

static LENGTHS: [Entry; 19] = {
    let mut all = [Entry::new(0, 0, false); 19];
    let mut length = 0;
    while length < 16 {
        all[length as usize] = Entry::new(length, 0, false);
        length += 1;
    }
    all[REPEAT] = Entry::new(REPEAT as u16, 2, true);
    all[ZEROS] = Entry::new(ZEROS as u16, 3, true);
    all[MANY_ZEROS] = Entry::new(MANY_ZEROS as u16, 7, true);
    all
};

/// The codes of a block without its own (RFC 1951 3.2.6).
static FIXED: LazyLock<(Literals, Distances)> = LazyLock::new(|| {
    let mut lengths = [8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    let (mut literals, mut distances) = (Code::new(&LITERALS), Code::new(&DISTANCES));
    let set = literals.set(&lengths).and(distances.set(&[5; 32]));
    set.expect("the fixed codes are complete");
    (literals, distances)
});
