//! Request heads: what is accepted and how it is read, and what is refused with which status.

use drover_proto::http::{
    BodyLength, Head, HeadError, HeadLimits, HeadScanner, Version, accept_key, parse_head,
};
use proptest::prelude::*;

/// The status of a refusal; `None` while the head is incomplete.
fn read(bytes: &[u8], limits: &HeadLimits) -> Result<Option<Head>, u16> {
    let found = HeadScanner::new()
        .scan(bytes, limits)
        .map_err(|error| error.status())?;
    found
        .map(|length| parse_head(&bytes[..length], limits).map_err(|error| error.status()))
        .transpose()
}

fn accepted(bytes: &[u8]) -> Head {
    let head = read(bytes, &HeadLimits::default());
    head.unwrap_or_else(|status| panic!("{status}: {}", bytes.escape_ascii()))
        .expect("a whole head")
}

fn status(bytes: impl AsRef<[u8]>) -> Result<(), u16> {
    status_with(bytes, &HeadLimits::default())
}

fn status_with(bytes: impl AsRef<[u8]>, limits: &HeadLimits) -> Result<(), u16> {
    read(bytes.as_ref(), limits).map(|head| drop(head.expect("a whole head")))
}

/// A request with this target.
fn target(target: &str) -> Head {
    accepted(format!("GET {target} HTTP/1.1\r\nHost: example.org\r\n\r\n").as_bytes())
}

/// A request with these header lines besides Host.
fn with(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n")
}

fn header<'a>(head: &'a Head, name: &str) -> Option<&'a [u8]> {
    head.headers
        .iter()
        .find(|header| header.0 == name)
        .map(|header| header.1.as_slice())
}

#[test]
fn a_handshake_as_browsers_send_it() {
    let head = accepted(
        b"GET /chat?room=1&x=%20#top HTTP/1.1\r\n\
          Host: Example.ORG:8080\r\n\
          Connection: keep-alive, Upgrade\r\n\
          UPGRADE:websocket\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
          Sec-WebSocket-Version:\t13 \t\r\n\
          X-Empty:\r\n\r\n",
    );
    assert_eq!(
        (head.method.as_str(), head.path.as_str(), head.qs.as_str()),
        ("GET", "/chat", "room=1&x=%20")
    );
    assert_eq!(
        (head.version, head.host.as_str(), head.port),
        (Version::Http11, "example.org", 8080)
    );
    assert_eq!(head.body, BodyLength::None);
    let names: Vec<&str> = head
        .headers
        .iter()
        .map(|header| header.0.as_str())
        .collect();
    let expected = [
        "connection",
        "host",
        "sec-websocket-key",
        "sec-websocket-version",
        "upgrade",
        "x-empty",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        header(&head, "connection"),
        Some(&b"keep-alive, Upgrade"[..])
    );
    assert_eq!(header(&head, "upgrade"), Some(&b"websocket"[..]));
    assert_eq!(header(&head, "sec-websocket-version"), Some(&b"13"[..]));
    assert_eq!(header(&head, "x-empty"), Some(&b""[..]));
    assert_eq!(header(&head, "host"), Some(&b"Example.ORG:8080"[..]));
}

#[test]
fn keys_of_any_bytes_are_accepted() {
    assert_eq!(
        accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
    assert_eq!(accept_key(b""), "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=");
    assert_eq!(accept_key(b"\xff\x00 not base64").len(), 28);
}

#[test]
fn targets() {
    let table = [
        ("/", "/", ""),
        ("/a/b", "/a/b", ""),
        ("/a?b", "/a", "b"),
        ("/a?b?c", "/a", "b?c"),
        ("/?", "/", ""),
        ("/a#b?c", "/a", ""),
        ("/a?b#c?d", "/a", "b"),
        ("//double", "//double", ""),
        ("/a:b@c", "/a:b@c", ""),
        ("/%zz", "/%zz", ""),
        ("/ünicode?ö", "/ünicode", "ö"),
        ("http://example.org", "/", ""),
        ("http://example.org/", "/", ""),
        ("HTTP://EXAMPLE.org:80/a?b", "/a", "b"),
        ("https://example.org/a", "/a", ""),
        ("http://example.org?q", "/", "q"),
        ("http://example.org#f", "/", ""),
    ];
    for (given, path, qs) in table {
        let head = target(given);
        assert_eq!(
            (head.path.as_str(), head.qs.as_str()),
            (path, qs),
            "{given}"
        );
        assert_eq!(
            (head.host.as_str(), head.port),
            ("example.org", 80),
            "{given}"
        );
    }
    let head = accepted(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((head.path.as_str(), head.qs.as_str()), ("*", ""));
}

#[test]
fn hosts() {
    let table = [
        ("a", "a", 80),
        ("A.B-c_d~1", "a.b-c_d~1", 80),
        ("a:", "a", 80),
        ("a:1", "a", 1),
        ("a:00443", "a", 443),
        ("a:65535", "a", 65535),
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("[::1]", "[::1]", 80),
        ("[::FFFF]:8080", "[::ffff]", 8080),
        ("", "", 80),
        (":81", "", 81),
    ];
    for (value, host, port) in table {
        let head = accepted(format!("GET / HTTP/1.1\r\nHost: {value}\r\n\r\n").as_bytes());
        assert_eq!((head.host.as_str(), head.port), (host, port), "{value}");
    }
    for value in [
        "a b",
        "a:b",
        "a:65536",
        "a:-1",
        "a:+1",
        "a:1:2",
        "::1",
        "[::1",
        "::1]",
        "[]",
        "[::1]x",
        "[::g]",
        "[v1.a]",
        "a/b",
        "a@b",
        "a,b c",
        "a%20",
        "ä",
        "a\"",
        "x[::1]",
        "[::1%25eth0]",
    ] {
        assert_eq!(
            status(format!("GET / HTTP/1.1\r\nHost: {value}\r\n\r\n")),
            Err(400),
            "{value}"
        );
    }
}

#[test]
fn host_is_said_exactly_once() {
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), Err(400));
    assert_eq!(status("GET http://a/ HTTP/1.1\r\n\r\n"), Err(400));
    assert_eq!(
        status("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        Err(400)
    );
    assert_eq!(
        status("GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n"),
        Err(400)
    );
    assert_eq!(
        status("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        Err(400)
    );
    for (target, host) in [
        ("http://a/", "b"),
        ("http://a/", "a:81"),
        ("http://a:81/", "a"),
        ("http://a", ""),
    ] {
        assert_eq!(
            status(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")),
            Err(400),
            "{target} {host}"
        );
    }
    let head = accepted(b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!(
        (head.version, head.host.as_str(), head.port),
        (Version::Http10, "", 80)
    );
    let head = accepted(b"GET http://a:81/ HTTP/1.0\r\n\r\n");
    assert_eq!((head.host.as_str(), head.port), ("a", 81));
}

#[test]
fn refused_request_lines() {
    let table = [
        (400, " GET / HTTP/1.1"),
        (400, "GET  / HTTP/1.1"),
        (400, "GET /  HTTP/1.1"),
        (400, "GET / HTTP/1.1 "),
        (400, "GET /\tHTTP/1.1"),
        (400, "GET / a HTTP/1.1"),
        (400, "GET /"),
        (400, "GET / "),
        (400, "GET"),
        (400, "GET / http/1.1"),
        (400, "GET / FTP/1.1"),
        (400, "G(T / HTTP/1.1"),
        (400, "\u{16}\u{3}\u{1}"),
        (400, "GET a HTTP/1.1"),
        (400, "GET * HTTP/1.1"),
        (400, "OPTIONS ** HTTP/1.1"),
        (400, "GET ?a HTTP/1.1"),
        (400, "GET a:80 HTTP/1.1"),
        (400, "GET ftp://a/ HTTP/1.1"),
        (400, "GET http:/a HTTP/1.1"),
        (400, "GET http:///a HTTP/1.1"),
        (400, "GET http://:80/ HTTP/1.1"),
        (400, "GET http://u@a/ HTTP/1.1"),
        (400, "GET http://a b/ HTTP/1.1"),
        (400, "GET /\u{7f} HTTP/1.1"),
        (400, "GET /\u{1} HTTP/1.1"),
        (501, "CONNECT a:80 HTTP/1.1"),
        (501, "TRACE / HTTP/1.1"),
        (505, "GET / HTTP/1.2"),
        (505, "GET / HTTP/2.0"),
        (505, "GET / HTTP/0.9"),
        (505, "GET / HTTP/1.10"),
        (505, "GET / HTTP/"),
    ];
    for (expected, line) in table {
        assert_eq!(
            status(format!("{line}\r\nHost: a\r\n\r\n")),
            Err(expected),
            "{line:?}"
        );
    }
    assert_eq!(status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Err(505));
    assert_eq!(status(b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"), Err(400));
}

#[test]
fn refused_header_lines() {
    let table = [
        "X",
        ": x",
        "X : x",
        "X\t: x",
        " X: x",
        "X: x\r\n folded",
        "X: x\r\n\tfolded",
        "X(: x",
        "Ä: x",
        "X: a\0b",
        "X: a\u{1}b",
        "X: a\u{7f}b",
        "X: a\rb",
        "X: a\nY: b",
        "X: a\r\r",
        "X: a\r\r\nY: b",
    ];
    for line in table {
        assert_eq!(status(with(line)), Err(400), "{line:?}");
    }
    assert_eq!(status(b"GET / HTTP/1.1\nHost: a\n\n"), Err(400));
    assert_eq!(status(b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Err(400));
    let head = accepted(b"GET / HTTP/1.1\r\nHost: a\r\nX: caf\xe9\tz\r\n\r\n");
    assert_eq!(header(&head, "x"), Some(&b"caf\xe9\tz"[..]));
}

#[test]
fn headers_that_come_again_are_joined_in_order() {
    let head = accepted(
        with("Cookie: a=1\r\nX: 3\r\nx: 1\r\nCOOKIE: b=2\r\nX:\r\nX: 2\r\nSec-WebSocket-Key: k1\r\nsec-websocket-key: k2")
            .as_bytes(),
    );
    assert_eq!(header(&head, "cookie"), Some(&b"a=1; b=2"[..]));
    assert_eq!(header(&head, "x"), Some(&b"3, 1, , 2"[..]));
    assert_eq!(header(&head, "sec-websocket-key"), Some(&b"k1, k2"[..]));
    assert_eq!(head.headers.len(), 4);
}

#[test]
fn bodies_have_one_length() {
    let table = [
        ("X: y", Ok(BodyLength::None)),
        ("Content-Length: 0", Ok(BodyLength::None)),
        ("Content-Length: 00", Ok(BodyLength::None)),
        ("Content-Length: 5", Ok(BodyLength::Fixed(5))),
        ("Content-Length: 007", Ok(BodyLength::Fixed(7))),
        (
            "Content-Length: 18446744073709551615",
            Ok(BodyLength::Fixed(u64::MAX)),
        ),
        ("Content-Length: 18446744073709551616", Err(400)),
        ("Content-Length:", Err(400)),
        ("Content-Length: +5", Err(400)),
        ("Content-Length: -5", Err(400)),
        ("Content-Length: 0x5", Err(400)),
        ("Content-Length: 5 5", Err(400)),
        ("Content-Length: 5, 5", Err(400)),
        ("Content-Length: 5\r\nContent-Length: 5", Err(400)),
        ("Content-Length: 5\r\nContent-Length: 6", Err(400)),
        ("Transfer-Encoding: chunked", Ok(BodyLength::Chunked)),
        ("Transfer-Encoding: , CHUNKED ,", Ok(BodyLength::Chunked)),
        ("Transfer-Encoding: chunked, chunked", Err(400)),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            Err(400),
        ),
        ("Transfer-Encoding: chunked, gzip", Err(400)),
        ("Transfer-Encoding:", Err(400)),
        ("Transfer-Encoding: gzip, chunked", Err(501)),
        ("Transfer-Encoding: identity", Err(501)),
        ("Transfer-Encoding: xchunked", Err(501)),
        ("Transfer-Encoding: chunked; a=b", Err(501)),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", Err(400)),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked", Err(400)),
        ("Transfer-Encoding : chunked", Err(400)),
        ("Transfer-Encoding: \u{b}chunked", Err(400)),
    ];
    for (lines, expected) in table {
        let found =
            read(with(lines).as_bytes(), &HeadLimits::default()).map(|head| head.unwrap().body);
        assert_eq!(found, expected, "{lines:?}");
    }
    assert_eq!(
        status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Err(400)
    );
    let head = accepted(with("Transfer-Encoding: chunked").as_bytes());
    assert_eq!(header(&head, "transfer-encoding"), None);
}

/// A request with something of this size in it.
type Request<'a> = &'a dyn Fn(usize) -> String;

#[test]
fn every_limit_is_exact() {
    let limits = HeadLimits {
        request_line: 20,
        header_name: 8,
        header_value: 10,
        headers: 3,
        head: 65536,
        empty_lines: 2,
    };
    let line = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(n - 14));
    let name = |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}: v\r\n\r\n", "n".repeat(n));
    let value = |n: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nn:   \t {}\r\n\r\n",
            "v".repeat(n)
        )
    };
    let headers = |n: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "n: v\r\n".repeat(n - 1)
        )
    };
    let empty = |n: usize| format!("{}GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n".repeat(n));
    let table: [(u16, usize, Request<'_>); 5] = [
        (414, 20, &line),
        (431, 8, &name),
        (431, 10, &value),
        (431, 3, &headers),
        (400, 2, &empty),
    ];
    for (expected, limit, request) in table {
        assert_eq!(status_with(request(limit - 1), &limits), Ok(()));
        assert_eq!(
            status_with(request(limit), &limits),
            Ok(()),
            "{}",
            request(limit)
        );
        assert_eq!(
            status_with(request(limit + 1), &limits),
            Err(expected),
            "{}",
            request(limit + 1)
        );
    }
    let request = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (head, expected) in [
        (request.len() + 1, Ok(())),
        (request.len(), Ok(())),
        (request.len() - 1, Err(431)),
    ] {
        assert_eq!(
            status_with(
                request,
                &HeadLimits {
                    head,
                    ..HeadLimits::default()
                }
            ),
            expected
        );
    }
}

#[test]
fn fixed_limits_are_exact() {
    for (length, expected) in [(31, Ok(())), (32, Ok(())), (33, Err(501))] {
        assert_eq!(
            status(format!(
                "{} / HTTP/1.1\r\nHost: a\r\n\r\n",
                "M".repeat(length)
            )),
            expected
        );
    }
    for (length, expected) in [(254, Ok(())), (255, Ok(())), (256, Err(414))] {
        let host = "h".repeat(length);
        assert_eq!(
            status(format!(
                "GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"
            )),
            expected
        );
    }
}

#[test]
fn limits_are_enforced_before_the_line_is_over() {
    let limits = HeadLimits::default();
    let endless: [(u16, &[u8], u8); 4] = [
        (414, b"", b'a'),
        (431, b"GET / HTTP/1.1\r\n", b'a'),
        (431, b"GET / HTTP/1.1\r\nX:", b'a'),
        (431, b"GET / HTTP/1.1\r\nX:", b' '),
    ];
    for (expected, start, byte) in endless {
        let mut buffer = start.to_vec();
        let mut scanner = HeadScanner::new();
        let error = loop {
            match scanner.scan(&buffer, &limits) {
                Ok(None) => buffer.push(byte),
                Ok(Some(_)) => panic!("this never ends"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.status(), expected);
        assert!(buffer.len() <= limits.head + 1);
    }
}

#[test]
fn what_follows_the_head_is_left_alone() {
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let pipelined = [&request[..], b"\0\n\r garbage"].concat();
    let mut scanner = HeadScanner::new();
    let limits = HeadLimits {
        head: request.len(),
        ..HeadLimits::default()
    };
    assert_eq!(scanner.scan(&pipelined, &limits), Ok(Some(request.len())));
    assert_eq!(scanner.scan(&pipelined, &limits), Ok(Some(request.len())));
}

#[test]
fn only_a_whole_head_is_parsed() {
    let limits = HeadLimits::default();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for length in 0..request.len() {
        assert_eq!(
            parse_head(&request[..length], &limits),
            Err(HeadError::Malformed)
        );
    }
    assert_eq!(
        parse_head(&[request, &request[..]].concat(), &limits),
        Err(HeadError::Malformed)
    );
    assert!(parse_head(request, &limits).is_ok());
}

/// One byte more each time, as the slowest client would send it.
fn drip(bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, HeadError> {
    let mut scanner = HeadScanner::new();
    for end in 0..=bytes.len() {
        if let Some(length) = scanner.scan(&bytes[..end], limits)? {
            return Ok(Some(length));
        }
    }
    Ok(None)
}

/// Pieces that requests are made of, and pieces that break them.
fn requestish() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "GET",
        "OPTIONS",
        " ",
        "/",
        "*",
        "http://a",
        "?q",
        "HTTP/1.1",
        "HTTP/1.0",
        "\r\n",
        "\r\n",
        "\r\n\r\n",
        "Host: a",
        "Host",
        ":",
        "Cookie: x",
        "Content-Length: 1",
        "Transfer-Encoding: chunked",
        "\n",
        "\r",
        "\0",
        "\t",
        "é",
        "a",
        "GET / HTTP/1.1\r\nHost: a\r\n",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..20)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn a_drip_finds_what_the_whole_finds(
        bytes in prop_oneof![requestish(), proptest::collection::vec(any::<u8>(), 0..100)],
        small in 1usize..60,
    ) {
        for limits in [
            HeadLimits::default(),
            HeadLimits { request_line: small, header_name: small, header_value: small, head: 3 * small, headers: 2, empty_lines: 1 },
        ] {
            prop_assert_eq!(drip(&bytes, &limits), HeadScanner::new().scan(&bytes, &limits));
        }
    }

    #[test]
    fn what_is_accepted_is_well_formed(bytes in requestish()) {
        if let Ok(Some(head)) = read(&bytes, &HeadLimits::default()) {
            prop_assert!(head.path.starts_with('/') || head.path == "*");
            prop_assert!(!head.path.contains(['?', '#', ' ']) && !head.qs.contains(['#', ' ']));
            prop_assert!(head.headers.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for (name, value) in &head.headers {
                prop_assert_eq!(name, &name.to_ascii_lowercase());
                prop_assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)));
            }
        }
    }
}
