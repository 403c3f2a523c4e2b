//! Connections that came in another way: an adopted socket, or bytes by somebody else's transport.

mod support;

use drover_io::{Codec, Decoded, Item, Mode, SendOutcome, adopt};
use drover_proto::OpCode;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::mpsc::channel;
use support::*;

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    (client, listener.accept().unwrap().0)
}

#[test]
fn an_adopted_socket_goes_on_where_its_first_reader_stopped() {
    let (mut client, accepted) = pair();
    let (sender, notes) = channel();
    let early = text("split");
    let sink = Box::new(ChannelSink(sender));
    let conn = adopt(accepted.as_raw_fd(), early[..4].to_vec(), 1, PATIENT, sink).unwrap();
    drop(accepted);
    conn.upgrade(upgrade());
    assert_eq!(conn.start(), drover_io::Started::Early);
    assert!(matches!(notes.recv_timeout(PATIENCE), Ok(Note::Events(events)) if events.is_empty()));
    client.write_all(&early[4..]).unwrap();
    let Ok(Note::Events(events)) = notes.recv_timeout(PATIENCE) else {
        panic!("no events")
    };
    assert_eq!(events, vec![Got::Text(b"split".into())]);
    assert_eq!(send_text(&conn, "ok", Mode::Taken), SendOutcome::Done);
    assert_eq!(read_exact(&mut client, 4), b"\x81\x02ok");
    conn.close();
    assert_eq!(read_to_end(&mut client), b"");
}

#[test]
fn an_adopted_socket_that_never_starts_is_closed() {
    let (mut client, accepted) = pair();
    let sink = Box::new(ChannelSink(channel().0));
    let conn = adopt(accepted.as_raw_fd(), Vec::new(), 1, PATIENT, sink).unwrap();
    drop(accepted);
    conn.close();
    assert_eq!(read_to_end(&mut client), b"");
}

fn decode(codec: &Codec, bytes: &[u8]) -> (usize, Decoded) {
    let mut events = 0;
    let decoded = codec.lock().decode(bytes, |_| events += 1);
    (events, decoded)
}

#[test]
fn a_codec_decodes_in_any_pieces_and_encodes_up_to_a_close() {
    let codec = Codec::new(upgrade(), 1);
    let bytes = [text("one"), text("two")].concat();
    assert_eq!(decode(&codec, &bytes[..10]), (1, Decoded::All));
    assert_eq!(decode(&codec, &bytes[10..]), (1, Decoded::All));
    let items = [
        Item::Frame(OpCode::Text, b"a"),
        Item::Close(None),
        Item::Frame(OpCode::Text, b"b"),
    ];
    assert_eq!(codec.lock().encode(&items), b"\x81\x01a\x88\x00");
}

#[test]
fn a_codec_lets_the_events_before_a_large_frame_raise_the_limit() {
    let options = drover_io::Upgrade {
        max_frame_size: Some(3),
        ..upgrade()
    };
    let codec = Codec::new(options, 1);
    let bytes = [text("abc"), text("abcd"), text("abcde")].concat();
    assert_eq!(decode(&codec, &bytes), (1, Decoded::Part));
    codec.lock().set_max_frame_size(Some(4));
    assert_eq!(decode(&codec, &[]), (1, Decoded::Part));
    // Not raised again: the error is the last event.
    assert_eq!(decode(&codec, &[]), (1, Decoded::All));
    assert_eq!(decode(&codec, &text("x")), (0, Decoded::All));
}
