//! The streaming validator says what the standard library says, wherever the text is split, and as early.
//!
//! Input: one byte that seeds the splits, then the text.
#![no_main]

use drover_proto::utf8::{self, Validator};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&seed, text)) = data.split_first() else {
        return;
    };
    let (valid_up_to, hopeless) = match str::from_utf8(text) {
        Ok(_) => (text.len(), None),
        Err(error) => (error.valid_up_to(), error.error_len()),
    };
    let valid = valid_up_to == text.len();
    assert_eq!(utf8::is_valid(text), valid);

    let mut validator = Validator::default();
    let mut random = u32::from(seed);
    let mut at = 0;
    while at < text.len() {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
        let end = text.len().min(at + (random >> 16) as usize % 9);
        let refused = validator.push(&text[at..end]).is_err();
        // A sequence that is cut short is known to be so only by the byte that should have gone on with it.
        let known = hopeless.map(|_| first_impossible(&text[valid_up_to..]) + valid_up_to);
        assert_eq!(refused, known.is_some_and(|known| end > known));
        if refused {
            return;
        }
        at = end;
    }
    assert_eq!(validator.finish().is_ok(), valid);
});

/// Index of the byte up to which these bytes, which begin with a bad sequence, might have been text.
fn first_impossible(bytes: &[u8]) -> usize {
    (0..bytes.len())
        .find(|&i| str::from_utf8(&bytes[..=i]).is_err_and(|error| error.error_len().is_some()))
        .expect("they are bad")
}
