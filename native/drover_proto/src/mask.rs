//! Masking of payloads (RFC 6455 5.3).

/// Wide enough for the compiler to use vector registers, a multiple of the key's four bytes.
const LANE: usize = 32;

/// Mask or unmask (the same operation) `bytes`, which stand `offset` bytes into the payload.
pub fn unmask(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    let key = rotate(key, offset);
    let lane: [u8; LANE] = std::array::from_fn(|i| key[i % 4]);
    let (lanes, rest) = bytes.as_chunks_mut::<LANE>();
    for chunk in lanes {
        for (byte, mask) in chunk.iter_mut().zip(lane) {
            *byte ^= mask;
        }
    }
    let (words, rest) = rest.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(key)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(key) {
        *byte ^= mask;
    }
}

/// The key as it stands `offset` bytes further on.
pub fn rotate(mut key: [u8; 4], offset: usize) -> [u8; 4] {
    key.rotate_left(offset % 4);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8], key: [u8; 4], offset: usize) -> Vec<u8> {
        let masked = bytes.iter().enumerate();
        masked.map(|(i, b)| b ^ key[(i + offset) % 4]).collect()
    }

    #[test]
    fn agrees_with_the_rfc_formula_for_every_length_and_offset() {
        let key = [0x11, 0x22, 0x44, 0x88];
        let bytes: Vec<u8> = (0..150).collect();
        for len in 0..bytes.len() {
            for offset in 0..5 {
                let mut got = bytes[..len].to_vec();
                unmask(&mut got, key, offset);
                assert_eq!(got, plain(&bytes[..len], key, offset), "{len} at {offset}");
            }
        }
    }

    #[test]
    fn twice_is_nothing() {
        let mut bytes = *b"Grab your lasso and hold on, this one is long enough for a lane";
        let before = bytes;
        unmask(&mut bytes, [1, 2, 3, 4], 3);
        unmask(&mut bytes, [1, 2, 3, 4], 3);
        assert_eq!(bytes, before);
    }
}
