//! The HTTP phase: request heads, bodies, keep-alive, limits.

mod support;

use std::io::Write;
use std::time::Duration;
use support::*;

const BAD: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

#[test]
fn requests_on_one_connection_come_one_after_the_other() {
    let server = Server::start(&config());
    let mut client = server.connect();
    client
        .write_all(&[GET, b"GET /two HTTP/1.1\r\nhost: h\r\n\r\n"].concat())
        .unwrap();
    let (conn, path) = server.request();
    assert_eq!(path, "/path");
    conn.send_raw(b"one");
    conn.next_request();
    assert!(matches!(server.note(), Note::Next(path) if path == "/two"));
    conn.send_raw(b"two");
    conn.close();
    assert_eq!(read_to_end(&mut client), b"onetwo");
}

#[test]
fn a_body_is_read_on_demand_and_what_is_left_of_it_skipped() {
    let server = Server::start(&config());
    let mut client = server.connect();
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n0123456789")
        .unwrap();
    client.write_all(GET).unwrap();
    let (conn, _) = server.request();
    conn.read_body(4);
    assert!(matches!(server.note(), Note::Body(data, false) if data == b"0123"));
    conn.next_request();
    assert!(matches!(server.note(), Note::Next(path) if path == "/path"));
}

#[test]
fn a_body_too_long_to_skip_ends_the_connection() {
    let server = Server::start(&config());
    let mut client = server.connect();
    let head = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1001\r\n\r\n";
    client
        .write_all(&[head, &[b'x'; 1001][..]].concat())
        .unwrap();
    let (conn, _) = server.request();
    conn.next_request();
    assert!(matches!(server.note(), Note::Closed));
    assert_eq!(read_to_end(&mut client), b"");
}

#[test]
fn a_bad_head_is_answered_without_anybody_hearing_of_it() {
    let server = Server::start(&config());
    let mut client = server.connect();
    client.write_all(b"nonsense\r\n\r\n").unwrap();
    assert_eq!(read_to_end(&mut client), BAD);
    assert!(server.notes.try_recv().is_err());
}

#[test]
fn a_head_that_does_not_end_is_answered_408() {
    let timeout = Some(Duration::from_millis(50));
    let server = Server::start(&drover_io::ListenerConfig {
        request_timeout: timeout,
        ..config()
    });
    let (mut silent, mut slow) = (server.connect(), server.connect());
    slow.write_all(&GET[..10]).unwrap();
    assert_eq!(&read_to_end(&mut slow)[..12], b"HTTP/1.1 408");
    assert_eq!(read_to_end(&mut silent), b"");
}

#[test]
fn connections_beyond_the_limit_wait_until_one_is_done_with_http() {
    let server = Server::start(&drover_io::ListenerConfig {
        max_connections: 1,
        ..config()
    });
    let (_client, conn) = {
        let mut client = server.connect();
        client.write_all(GET).unwrap();
        let (conn, _) = server.request();
        (client, conn)
    };
    let mut second = server.connect();
    second.write_all(GET).unwrap();
    assert!(
        server
            .notes
            .recv_timeout(Duration::from_millis(100))
            .is_err()
    );
    assert_eq!(server.listener.occupancy().connections, 1);
    conn.upgrade(upgrade());
    let _ = server.request();
    assert_eq!(server.listener.occupancy().all_connections, 2);
}

#[test]
fn a_closed_listener_accepts_no_more_and_its_connections_live() {
    let server = Server::start(&config());
    let (mut client, _conn) = server.websocket();
    server.listener.close();
    server.listener.close();
    client.write_all(&text("still here")).unwrap();
    assert_eq!(server.events(), vec![Got::Text(b"still here".into())]);
}
