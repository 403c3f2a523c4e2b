//! A connection that speaks WebSocket, from the client's socket to the sink and back.

mod support;

use drover_io::{Item, Mode, Reason, SendOutcome};
use drover_proto::OpCode;
use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;
use support::*;

#[test]
fn events_of_one_read_are_one_batch() {
    let server = Server::start(&config());
    let (mut client, _conn) = server.websocket();
    client
        .write_all(&[text("a"), frame(9, b"p"), frame(2, b"")].concat())
        .unwrap();
    let expected = vec![
        Got::Text(b"a".into()),
        Got::Ping(b"p".into()),
        Got::Binary(vec![]),
    ];
    assert_eq!(server.events(), expected);
}

#[test]
fn bytes_that_came_with_the_handshake_are_the_first_batch() {
    let server = Server::start(&config());
    let mut client = server.connect();
    client
        .write_all(&[GET, &text("early"), &text("cut")[..3]].concat())
        .unwrap();
    let (conn, _) = server.request();
    conn.upgrade(upgrade());
    assert_eq!(conn.start(), drover_io::Started::Early);
    assert_eq!(server.events(), vec![Got::Text(b"early".into())]);
    client.write_all(&text("cut")[3..]).unwrap();
    assert_eq!(server.events(), vec![Got::Text(b"cut".into())]);
}

#[test]
fn early_bytes_can_be_dropped() {
    let server = Server::start(&config());
    let mut client = server.connect();
    client.write_all(&[GET, &text("early")].concat()).unwrap();
    let (conn, _) = server.request();
    conn.upgrade(drover_io::Upgrade {
        keep_early_data: false,
        ..upgrade()
    });
    assert_eq!(conn.start(), drover_io::Started::Reading);
    client.write_all(&text("late")).unwrap();
    assert_eq!(server.events(), vec![Got::Text(b"late".into())]);
}

#[test]
fn no_third_batch_comes_before_one_is_taken() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    for n in 0..2 {
        client.write_all(&text(&n.to_string())).unwrap();
        assert_eq!(server.events().len(), 1);
    }
    client.write_all(&text("2")).unwrap();
    assert!(
        server
            .notes
            .recv_timeout(Duration::from_millis(100))
            .is_err()
    );
    conn.taken();
    assert_eq!(server.events(), vec![Got::Text(b"2".into())]);
}

#[test]
fn a_passive_connection_is_not_read() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    conn.set_active(false);
    client.write_all(&text("later")).unwrap();
    assert!(
        server
            .notes
            .recv_timeout(Duration::from_millis(100))
            .is_err()
    );
    conn.set_active(true);
    assert_eq!(server.events(), vec![Got::Text(b"later".into())]);
}

#[test]
fn corked_replies_leave_together_and_do_not_wait_for_a_slow_callback() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    client.write_all(&[text("a"), text("b")].concat()).unwrap();
    assert_eq!(server.events().len(), 2);
    assert_eq!(send_text(&conn, "1", Mode::Cork), SendOutcome::Done);
    // The second callback does not come to an end, and the reply arrives all the same.
    assert_eq!(read_exact(&mut client, 3), b"\x81\x011");
    assert_eq!(send_text(&conn, "2", Mode::Cork), SendOutcome::Done);
    assert_eq!(read_exact(&mut client, 3), b"\x81\x012");
    assert_eq!(conn.taken(), SendOutcome::Done);
}

#[test]
fn a_message_of_many_reads_arrives_whole() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    let payload: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    let bytes = frame(2, &payload);
    let writer = std::thread::spawn(move || client.write_all(&bytes).map(|()| client));
    assert_eq!(server.events(), vec![Got::Binary(payload)]);
    conn.close();
    writer.join().unwrap().unwrap();
}

#[test]
fn a_sender_waits_for_a_peer_that_does_not_read_and_is_told_when_it_does() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    let payload = vec![b'x'; 400_000];
    let item = [Item::Frame(OpCode::Binary, &payload)];
    let mut sent = 1;
    while conn.send(&item, Mode::Flush, false) == SendOutcome::Done {
        sent += 1;
        assert!(sent < 1000, "a peer that reads nothing takes it all");
    }
    let all = read_exact(&mut client, sent * (payload.len() + 10));
    assert_eq!(&all[..2], b"\x82\x7f");
    assert!(matches!(server.note(), Note::Sent(Ok(()))));
    assert_eq!(send_text(&conn, "on", Mode::Flush), SendOutcome::Done);
    assert_eq!(read_exact(&mut client, 4), b"\x81\x02on");
}

#[test]
fn a_waiting_sender_hears_of_the_end() {
    let server = Server::start(&config());
    let (client, conn) = server.websocket();
    let payload = vec![b'x'; 400_000];
    let item = [Item::Frame(OpCode::Binary, &payload)];
    let fill = || loop {
        match conn.send(&item, Mode::Flush, false) {
            SendOutcome::Done => {}
            outcome => return outcome,
        }
    };
    assert_eq!(fill(), SendOutcome::Wait);
    drop(client);
    loop {
        match server.note() {
            Note::Sent(Err(Reason::Closed)) => break,
            // The kernel took it all before it heard of the end.
            Note::Sent(Ok(())) if fill() == SendOutcome::Failed(Reason::Closed) => break,
            Note::Sent(Ok(())) => {}
            Note::Events(events) => assert_eq!(events, vec![Got::Ended(Reason::Closed)]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn heavy_work_is_refused_on_a_scheduler() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    let payload = vec![b'x'; 600_000];
    let item = [Item::Frame(OpCode::Binary, &payload)];
    assert_eq!(conn.send(&item, Mode::Flush, false), SendOutcome::Busy);
    let reader = std::thread::spawn(move || read_exact(&mut client, 600_010));
    assert_ne!(conn.send(&item, Mode::Flush, true), SendOutcome::Busy);
    assert_eq!(reader.join().unwrap()[10..], payload);
}

#[test]
fn the_end_of_the_stream_is_an_event() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    client.write_all(&text("last")).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.events(), vec![Got::Text(b"last".into())]);
    assert_eq!(server.events(), vec![Got::Ended(Reason::Closed)]);
    conn.close();
    assert_eq!(read_to_end(&mut client), b"");
}

#[test]
fn what_was_sent_before_a_close_arrives_although_the_peer_goes_on_sending() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    client.write_all(&text("hello")).unwrap();
    assert_eq!(server.events().len(), 1);
    client.write_all(&frame(2, &[0; 5000])).unwrap();
    conn.send(&[Item::Close(Some((1000, b"bye")))], Mode::Taken, false);
    conn.close();
    assert_eq!(read_exact(&mut client, 7), b"\x88\x05\x03\xe8bye");
}

#[test]
fn a_panic_in_a_task_reaches_the_owner_and_nobody_else() {
    let server = Server::start(&config());
    let (mut client, _conn) = server.websocket();
    let (mut bystander, _other) = server.websocket();
    client.write_all(&text("panic")).unwrap();
    assert_eq!(server.events(), vec![Got::Ended(Reason::Internal)]);
    assert_eq!(read_to_end(&mut client), b"");
    bystander.write_all(&text("alive")).unwrap();
    assert_eq!(server.events(), vec![Got::Text(b"alive".into())]);
}

#[test]
fn calls_after_the_end_do_no_harm() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    conn.close();
    conn.close();
    assert_eq!(read_to_end(&mut client), b"");
    assert_eq!(
        send_text(&conn, "x", Mode::Flush),
        SendOutcome::Failed(Reason::Closed)
    );
    assert_eq!(conn.taken(), SendOutcome::Done);
    conn.set_active(true);
    conn.set_max_frame_size(None);
    assert_eq!(conn.idle_left(), None);
}

#[test]
fn a_limit_raised_for_an_earlier_frame_holds_for_the_next_of_the_same_read() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    conn.set_max_frame_size(Some(3));
    client
        .write_all(&[text("abc"), text("abcd")].concat())
        .unwrap();
    assert_eq!(server.events(), vec![Got::Text(b"abc".into())]);
    conn.set_max_frame_size(Some(4));
    conn.taken();
    assert_eq!(server.events(), vec![Got::Text(b"abcd".into())]);
    client.write_all(&text("abcde")).unwrap();
    conn.taken();
    assert_eq!(
        server.events(),
        vec![Got::Error(drover_proto::receive::ProtocolError::BadSize)]
    );
}

#[test]
fn a_client_that_goes_on_sending_still_gets_the_close_frame() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    client.write_all(b"\x81\x00").unwrap();
    let error = drover_proto::receive::ProtocolError::BadFrame;
    assert_eq!(server.events(), vec![Got::Error(error)]);
    conn.send(&[Item::Close(Some((1002, b"")))], Mode::Taken, false);
    conn.close();
    for _ in 0..100 {
        client.write_all(&[0; 10_000]).unwrap();
    }
    assert_eq!(read_to_end(&mut client), b"\x88\x02\x03\xea");
}

#[test]
fn the_body_of_a_handshake_is_no_frame() {
    let server = Server::start(&config());
    let mut client = server.connect();
    let head = b"GET / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbo";
    client.write_all(head).unwrap();
    let (conn, _) = server.request();
    conn.upgrade(upgrade());
    assert_eq!(conn.start(), drover_io::Started::Early);
    client
        .write_all(&[b"dy", &text("frame")[..]].concat())
        .unwrap();
    let frame = Got::Text(b"frame".into());
    let mut events = server.events();
    if events.is_empty() {
        events = server.events();
    }
    assert_eq!(events, vec![frame]);
}

#[test]
fn a_close_gives_a_slow_reader_time_for_what_was_accepted() {
    let patience = drover_io::Patience {
        flush_ms: Some(20_000),
        linger_ms: 0,
    };
    let server = Server::start(&drover_io::ListenerConfig {
        patience,
        ..config()
    });
    let (mut client, conn) = server.websocket();
    let payload = vec![b'x'; 400_000];
    let item = [Item::Frame(OpCode::Binary, &payload)];
    let mut sent = 1;
    while conn.send(&item, Mode::Flush, false) == SendOutcome::Done {
        sent += 1;
    }
    conn.close();
    assert_eq!(read_to_end(&mut client).len(), sent * (payload.len() + 10));
}

#[test]
fn an_idle_connection_is_told_once_until_its_owner_has_looked() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    assert!(conn.set_idle_timeout(Some(30)).is_some());
    client.write_all(&text("x")).unwrap();
    assert_eq!(server.events().len(), 1);
    assert!(matches!(server.note(), Note::Idle));
    assert!(
        server
            .notes
            .recv_timeout(Duration::from_millis(100))
            .is_err()
    );
    assert_eq!(conn.idle_left(), Some(0));
    assert!(matches!(server.note(), Note::Idle));
    assert_eq!(conn.set_idle_timeout(None), None);
    assert_eq!(conn.idle_left(), None);
    assert!(
        server
            .notes
            .recv_timeout(Duration::from_millis(100))
            .is_err()
    );
}
