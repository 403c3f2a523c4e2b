//! Request bodies, fixed and chunked, in any pieces.

use drover_proto::http::{BodyDecoder, BodyError, BodyLength};
use proptest::prelude::*;

/// The body, and what is left of the input behind it.
fn decode(
    length: BodyLength,
    input: &[u8],
    piece: usize,
    max_out: usize,
) -> Result<Option<(Vec<u8>, usize)>, BodyError> {
    let (mut decoder, mut body, mut pos) = (BodyDecoder::new(length), Vec::new(), 0);
    let mut end = 0;
    loop {
        end = (end + piece).min(input.len());
        loop {
            let before = body.len();
            let (used, finished) = decoder.decode(&input[pos..end], &mut body, max_out)?;
            assert!(body.len() - before <= max_out);
            pos += used;
            if finished {
                return Ok(Some((body, input.len() - pos)));
            }
            if used == 0 {
                break;
            }
        }
        if end == input.len() {
            return Ok(None);
        }
    }
}

fn chunked(input: &str) -> Result<Option<(Vec<u8>, usize)>, BodyError> {
    decode(
        BodyLength::Chunked,
        input.as_bytes(),
        usize::MAX / 2,
        usize::MAX,
    )
}

#[test]
fn no_body_is_over_at_once() {
    for length in [BodyLength::None, BodyLength::Fixed(0)] {
        assert_eq!(
            BodyDecoder::new(length).decode(b"GET", &mut Vec::new(), 10),
            Ok((0, true))
        );
    }
}

#[test]
fn a_fixed_body_ends_where_it_says() {
    let mut out = b"kept".to_vec();
    let mut decoder = BodyDecoder::new(BodyLength::Fixed(5));
    assert_eq!(decoder.decode(b"", &mut out, 10), Ok((0, false)));
    assert_eq!(decoder.decode(b"ab", &mut out, 0), Ok((0, false)));
    assert_eq!(decoder.decode(b"ab", &mut out, 1), Ok((1, false)));
    assert_eq!(decoder.decode(b"bcdeGET", &mut out, 10), Ok((4, true)));
    assert_eq!(decoder.decode(b"GET", &mut out, 10), Ok((0, true)));
    assert_eq!(out, b"keptabcde");
    let body = vec![7; 100_000];
    for (sent, left) in [(99_999, None), (100_000, Some(0)), (100_000 + 1, Some(1))] {
        let sent = body.iter().copied().cycle().take(sent).collect::<Vec<u8>>();
        let result = decode(BodyLength::Fixed(100_000), &sent, 1000, 333).unwrap();
        assert_eq!(result, left.map(|left| (body.clone(), left)));
    }
}

#[test]
fn chunked_bodies() {
    let table = [
        ("0\r\n\r\n", "", 0),
        ("5\r\nhello\r\n0\r\n\r\nGET", "hello", 3),
        ("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello", 0),
        ("A\r\n0123456789\r\n00000\r\n\r\n", "0123456789", 0),
        (
            "a;name=value;other=\"x y\"\r\n0123456789\r\n0;last\r\n\r\n",
            "0123456789",
            0,
        ),
        ("1 \t;x\r\na\r\n0\r\n\r\n", "a", 0),
        ("0\r\nTrailer: dropped\r\nX:\r\n\r\nGET", "", 3),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0),
    ];
    for (input, body, left) in table {
        assert_eq!(
            chunked(input),
            Ok(Some((body.as_bytes().to_vec(), left))),
            "{input:?}"
        );
        for end in 0..input.len() - left {
            assert_eq!(chunked(&input[..end]), Ok(None), "{input:?} up to {end}");
        }
    }
}

#[test]
fn malformed_chunks() {
    let table = [
        "\r\n",
        ";x\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        " 1\r\n",
        "1 \r\n",
        "1 x\r\n",
        "1\n",
        "1\r1",
        "1\r\nab",
        "1\r\na\n",
        "1\r\na\r\r",
        "1\r\na\r\n\r\n",
        "1;\n",
        "1;a\0\r\n",
        "1;a\rb",
        "0\r\n\n",
        "0\r\n\rx",
        "0\r\n X: y\r\n",
        "0\r\nX: y\n",
        "0\r\nX: \0\r\n",
        "0\r\n: y\r\n",
        "11111111111111111\r\n",
    ];
    for input in table {
        assert_eq!(chunked(input), Err(BodyError::Malformed), "{input:?}");
    }
    assert_eq!(chunked("ffffffffffffffff\r\nabc"), Ok(None));
}

#[test]
fn what_nobody_reads_is_bounded() {
    const MAX: usize = 16 * 1024;
    let extension = |n: usize| format!("1{}\r\na\r\n0\r\n\r\n", ";".repeat(n));
    let trailers = |n: usize| format!("0\r\n{}\r\n\r\n", "x".repeat(n));
    let many = |n: usize| format!("{}0\r\n\r\n", "1;x\r\na\r\n".repeat(n / 2));
    let requests: [&dyn Fn(usize) -> String; 3] = [&extension, &trailers, &many];
    for request in requests {
        assert!(chunked(&request(MAX - 1)).unwrap().is_some());
        assert!(chunked(&request(MAX)).unwrap().is_some());
        assert_eq!(chunked(&request(MAX + 2)), Err(BodyError::TooLarge));
    }
    assert_eq!(chunked(&extension(MAX + 1)), Err(BodyError::TooLarge));
    assert_eq!(chunked(&trailers(MAX + 1)), Err(BodyError::TooLarge));
}

fn chunkish() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "0",
        "1",
        "a",
        "3",
        "\r\n",
        "\r\n",
        "abc",
        ";",
        "x",
        " ",
        "\r",
        "\n",
        "0\r\n\r\n",
        "3\r\nabc\r\n",
        "1;y\r\nz\r\n",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..20)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn pieces_make_no_difference(input in chunkish(), piece in 1usize..10, max_out in 1usize..10) {
        let whole = decode(BodyLength::Chunked, &input, usize::MAX / 2, usize::MAX);
        prop_assert_eq!(whole, decode(BodyLength::Chunked, &input, piece, max_out));
    }

    #[test]
    fn chunks_come_back_joined(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..10),
        piece in 1usize..20,
        max_out in 1usize..20,
    ) {
        let mut input = Vec::new();
        for chunk in &chunks {
            input.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            input.extend_from_slice(chunk);
            input.extend_from_slice(b"\r\n");
        }
        input.extend_from_slice(b"0\r\n\r\nrest");
        let body = chunks.concat();
        prop_assert_eq!(decode(BodyLength::Chunked, &input, piece, max_out), Ok(Some((body, 4))));
    }
}
