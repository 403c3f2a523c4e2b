//! Requests in any pieces: the scanner finds the same end, limits hold, what is accepted is well-formed, and the body
//! decodes the same whole or dripped.
//!
//! The first two bytes choose the limits and the size of the pieces, the rest is what a client sends.
#![no_main]

use drover_proto::http::{
    BodyDecoder, BodyError, Head, HeadError, HeadLimits, HeadScanner, parse_head,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [small, piece, bytes @ ..] = data else {
        return;
    };
    let limits = limits(*small);
    let piece = usize::from(*piece).max(1);
    let found = scan(bytes, bytes.len(), &limits);
    assert_eq!(found, scan(bytes, piece, &limits));
    let Ok(Some(length)) = found else { return };
    assert!(length <= limits.head);
    if let Ok(head) = parse_head(&bytes[..length], &limits) {
        check(&head, &limits);
        let (decoder, rest) = (BodyDecoder::new(head.body), &bytes[length..]);
        assert_eq!(
            body(decoder.clone(), rest, rest.len(), usize::MAX),
            body(decoder, rest, piece, piece)
        );
    }
});

fn limits(small: u8) -> HeadLimits {
    let small = usize::from(small);
    if small == 0 {
        return HeadLimits::default();
    }
    HeadLimits {
        request_line: small,
        header_name: small,
        header_value: small,
        headers: small / 16,
        head: 4 * small,
        empty_lines: small / 64,
    }
}

fn scan(bytes: &[u8], piece: usize, limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
    let (mut scanner, mut end) = (HeadScanner::new(), 0);
    while end < bytes.len() {
        end = (end + piece).min(bytes.len());
        if let Some(length) = scanner.scan(&bytes[..end], limits)? {
            return Ok(Some(length));
        }
    }
    Ok(None)
}

fn check(head: &Head, limits: &HeadLimits) {
    assert!(head.path.starts_with('/') || head.path == "*");
    assert!(
        !head
            .path
            .contains(|c: char| c.is_ascii_control() || "?# ".contains(c))
    );
    assert!(
        !head
            .qs
            .contains(|c: char| c.is_ascii_control() || "# ".contains(c))
    );
    assert!(
        !head
            .host
            .contains(|c: char| c.is_ascii_uppercase() || !c.is_ascii_graphic())
    );
    assert!(head.headers.len() <= limits.headers);
    assert!(head.headers.windows(2).all(|pair| pair[0].0 < pair[1].0));
    for (name, value) in &head.headers {
        assert!(!name.is_empty() && name.len() <= limits.header_name);
        assert!(
            !name
                .bytes()
                .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii_graphic())
        );
        assert!(
            !value
                .iter()
                .any(|byte| byte.is_ascii_control() && *byte != b'\t')
        );
    }
}

/// The body, whether it is over, and the bytes used.
fn body(
    mut decoder: BodyDecoder,
    bytes: &[u8],
    piece: usize,
    max_out: usize,
) -> Result<(Vec<u8>, bool, usize), BodyError> {
    let (mut out, mut pos, mut end) = (Vec::new(), 0, 0);
    loop {
        let before = out.len();
        let (used, finished) = decoder.decode(&bytes[pos..end], &mut out, max_out)?;
        assert!(out.len() - before <= max_out);
        pos += used;
        if finished || (used == 0 && end == bytes.len()) {
            return Ok((out, finished, pos));
        }
        if used == 0 {
            end = (end + piece).min(bytes.len());
        }
    }
}
