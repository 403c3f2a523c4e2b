//! UTF-8 that arrives in pieces, refused at the first byte that cannot be part of it.

use std::ops::RangeInclusive;

/// The bytes are not UTF-8, or cannot become it whatever follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

/// Is this complete text UTF-8?
pub fn is_valid(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

/// What an unfinished sequence still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending {
    missing: u8,
    /// Range of the next byte: tighter than 80..=BF where that rules out overlong forms, surrogates and what is
    /// above U+10FFFF.
    low: u8,
    high: u8,
}

/// Validates a text given piece by piece, split anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validator {
    pending: Option<Pending>,
}

impl Validator {
    /// Look at the next piece.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Invalid> {
        let head = self.finish_sequence(bytes)?;
        let bytes = &bytes[head..];
        let (whole, tail) = bytes.split_at(bytes.len() - unfinished_tail(bytes));
        if !is_valid(whole) {
            return Err(Invalid);
        }
        for &byte in tail {
            self.step(byte)?;
        }
        Ok(())
    }

    /// The text is over: it must not end within a sequence.
    pub fn finish(&mut self) -> Result<(), Invalid> {
        match self.pending.take() {
            None => Ok(()),
            Some(_) => Err(Invalid),
        }
    }

    /// Feed bytes until the sequence left over from the last piece is complete; gives their number.
    fn finish_sequence(&mut self, bytes: &[u8]) -> Result<usize, Invalid> {
        let mut used = 0;
        while self.pending.is_some() && used < bytes.len() {
            self.step(bytes[used])?;
            used += 1;
        }
        Ok(used)
    }

    fn step(&mut self, byte: u8) -> Result<(), Invalid> {
        self.pending = match self.pending {
            None => lead(byte)?,
            Some(p) if !(p.low..=p.high).contains(&byte) => return Err(Invalid),
            Some(p) if p.missing == 1 => None,
            Some(p) => Some(Pending::new(p.missing - 1, 0x80..=0xBF)),
        };
        Ok(())
    }
}

impl Pending {
    fn new(missing: u8, next: RangeInclusive<u8>) -> Self {
        Self {
            missing,
            low: *next.start(),
            high: *next.end(),
        }
    }
}

/// What must follow this first byte of a sequence (Unicode, table 3-7).
fn lead(byte: u8) -> Result<Option<Pending>, Invalid> {
    let pending = match byte {
        0x00..=0x7F => return Ok(None),
        0xC2..=0xDF => Pending::new(1, 0x80..=0xBF),
        0xE0 => Pending::new(2, 0xA0..=0xBF),
        0xED => Pending::new(2, 0x80..=0x9F),
        0xE1..=0xEF => Pending::new(2, 0x80..=0xBF),
        0xF0 => Pending::new(3, 0x90..=0xBF),
        0xF1..=0xF3 => Pending::new(3, 0x80..=0xBF),
        0xF4 => Pending::new(3, 0x80..=0x8F),
        _ => return Err(Invalid),
    };
    Ok(Some(pending))
}

/// Length of a sequence at the end that wants more bytes than there are: 0 to 3.
fn unfinished_tail(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(3);
    for (back, &byte) in (1..).zip(last) {
        match byte {
            0x80..=0xBF => {}
            _ if sequence_len(byte) > back => return back,
            _ => return 0,
        }
    }
    0
}

fn sequence_len(lead: u8) -> usize {
    match lead {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(pieces: &[&[u8]]) -> Result<(), Invalid> {
        let mut validator = Validator::default();
        for piece in pieces {
            validator.push(piece)?;
        }
        validator.finish()
    }

    #[test]
    fn a_sequence_may_be_split_anywhere() {
        let text = "a\u{e9}\u{20ac}\u{1f680}z".as_bytes();
        for i in 0..=text.len() {
            for j in i..=text.len() {
                assert_eq!(validate(&[&text[..i], &text[i..j], &text[j..]]), Ok(()));
            }
        }
    }

    #[test]
    fn a_text_that_ends_within_a_sequence_is_refused_at_its_end() {
        for cut in ["\u{e9}", "\u{20ac}", "\u{1f680}"] {
            let mut validator = Validator::default();
            let bytes = cut.as_bytes();
            assert_eq!(validator.push(&bytes[..bytes.len() - 1]), Ok(()));
            assert_eq!(validator.finish(), Err(Invalid));
        }
    }

    #[test]
    fn the_first_impossible_byte_is_refused_at_once() {
        let hopeless: [&[u8]; 8] = [
            b"\x80",
            b"\xC0",
            b"\xE0\x9F",
            b"\xED\xA0",
            b"\xF0\x8F",
            b"\xF4\x90",
            b"\xF5",
            b"\xE2\x28",
        ];
        for bytes in hopeless {
            let mut validator = Validator::default();
            let (last, before) = bytes.split_last().expect("not empty");
            assert_eq!(validator.push(before), Ok(()));
            assert_eq!(validator.push(&[*last]), Err(Invalid), "{bytes:x?}");
            assert_eq!(Validator::default().push(bytes), Err(Invalid));
        }
    }
}
