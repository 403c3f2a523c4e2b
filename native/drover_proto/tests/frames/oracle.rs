//! tungstenite's client as an independent judge of what we read and write.

use std::io::{self, Read, Write};

use crate::support::*;
use drover_proto::{OpCode, Sender};
use proptest::prelude::*;
use tungstenite::{
    Message, WebSocket,
    protocol::{
        Role,
        frame::{
            CloseFrame, Frame, FrameHeader, coding,
            coding::{CloseCode, Data},
        },
    },
};

/// What one side wrote and what it can read, in memory.
#[derive(Debug, Default)]
struct Pipe {
    incoming: io::Cursor<Vec<u8>>,
    outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.incoming.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            n => Ok(n),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.outgoing.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn client(incoming: Vec<u8>) -> WebSocket<Pipe> {
    let pipe = Pipe {
        incoming: io::Cursor::new(incoming),
        ..Pipe::default()
    };
    WebSocket::from_raw_socket(pipe, Role::Client, None)
}

fn data_frame(opcode: Data, fin: bool, payload: Vec<u8>) -> Message {
    Message::Frame(Frame::message(payload, coding::OpCode::Data(opcode), fin))
}

/// What a client may want to send, and what we should see of it.
#[derive(Clone, Debug)]
enum Item {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// A text in two frames, cut anywhere.
    Fragmented(String, prop::sample::Index),
}

impl Item {
    fn messages(&self) -> Vec<Message> {
        match self.clone() {
            Self::Text(text) => vec![Message::text(text)],
            Self::Binary(bytes) => vec![Message::binary(bytes)],
            Self::Ping(bytes) => vec![Message::Ping(bytes.into())],
            Self::Pong(bytes) => vec![Message::Pong(bytes.into())],
            Self::Fragmented(text, cut) => {
                let mut head = text.into_bytes();
                let tail = head.split_off(cut.index(head.len() + 1));
                vec![
                    data_frame(Data::Text, false, head),
                    data_frame(Data::Continue, true, tail),
                ]
            }
        }
    }

    fn seen(&self) -> Seen {
        match self.clone() {
            Self::Text(payload) | Self::Fragmented(payload, _) => text(payload),
            Self::Binary(bytes) => binary(bytes),
            Self::Ping(bytes) => Seen::Ping(bytes),
            Self::Pong(bytes) => Seen::Pong(bytes),
        }
    }
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..=max)
}

fn any_item() -> impl Strategy<Value = Item> {
    prop_oneof![
        "\\PC{0,100}".prop_map(Item::Text),
        bytes(300).prop_map(Item::Binary),
        bytes(125).prop_map(Item::Ping),
        bytes(125).prop_map(Item::Pong),
        ("\\PC{0,100}", any::<prop::sample::Index>())
            .prop_map(|(text, cut)| Item::Fragmented(text, cut)),
    ]
}

fn encode(items: &[Item], close: Option<CloseFrame>) -> Vec<u8> {
    let mut client = client(Vec::new());
    for message in items.iter().flat_map(Item::messages) {
        client.send(message).expect("memory takes everything");
    }
    client.close(close).expect("memory takes everything");
    client.flush().expect("memory takes everything");
    client.get_ref().outgoing.clone()
}

proptest! {
    #[test]
    fn what_its_client_sends_is_what_we_see(
        items in prop::collection::vec(any_item(), 0..10),
        reason in "\\PC{0,30}",
        sizes in prop::collection::vec(1_usize..100, 0..50),
    ) {
        let close = CloseFrame { code: CloseCode::Away, reason: reason.clone().into() };
        let sent = encode(&items, Some(close));
        let mut want: Vec<Seen> = items.iter().map(Item::seen).collect();
        want.push(Seen::Close(Some((1001, reason.into_bytes()))));
        prop_assert_eq!(&decode(&plain(), &sent), &want);
        prop_assert_eq!(&decode_split(&plain(), &sent, &sizes), &want);
    }

    #[test]
    fn what_we_send_is_what_its_client_sees(items in prop::collection::vec(any_item(), 0..10)) {
        let mut sender = Sender::new(None);
        let mut out = Vec::new();
        for item in &items {
            let (opcode, payload) = match item {
                Item::Text(text) | Item::Fragmented(text, _) => (OpCode::Text, text.as_bytes()),
                Item::Binary(bytes) => (OpCode::Binary, &bytes[..]),
                Item::Ping(bytes) => (OpCode::Ping, &bytes[..]),
                Item::Pong(bytes) => (OpCode::Pong, &bytes[..]),
            };
            let (a, b) = payload.split_at(payload.len() / 3);
            sender.encode(opcode, &[a, b], &mut out);
        }
        Sender::encode_close(Some((1000, b"bye")), &mut out);
        let mut client = client(out);
        for item in &items {
            prop_assert_eq!(&seen_by(&mut client), &item.seen());
        }
        prop_assert_eq!(seen_by(&mut client), Seen::Close(Some((1000, b"bye".to_vec()))));
    }

    /// The header alone, for lengths that no test can hold.
    #[test]
    fn headers_are_what_it_parses(
        opcode in prop::sample::select(vec![OpCode::Text, OpCode::Binary, OpCode::Close, OpCode::Ping, OpCode::Pong]),
        rsv1: bool,
        len in prop_oneof![0_usize..200, 65_000_usize..66_000, any::<usize>()],
    ) {
        let header = Sender::header(opcode, rsv1, len);
        let mut cursor = io::Cursor::new(header.as_ref());
        let (parsed, parsed_len) = FrameHeader::parse(&mut cursor)?.expect("complete");
        prop_assert_eq!(cursor.position(), header.as_ref().len() as u64);
        prop_assert_eq!(parsed_len, len as u64);
        prop_assert_eq!(parsed.opcode, coding::OpCode::from(opcode));
        prop_assert!(parsed.is_final && parsed.rsv1 == rsv1 && !parsed.rsv2 && !parsed.rsv3);
        prop_assert_eq!(parsed.mask, None);
    }

    /// Whatever its server takes without complaint, we take and see the same.
    #[test]
    fn damaged_streams_are_judged_alike(
        items in prop::collection::vec(any_item(), 1..6),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let mut sent = encode(&items, None);
        let at = at.index(sent.len());
        sent[at] ^= 1 << bit;
        let (theirs, their_error) = server_sees(sent.clone());
        let ours = decode(&plain(), &sent);
        let (messages, end) = match ours.split_last() {
            Some((Seen::Error(_), before)) => (before, true),
            _ => (&ours[..], false),
        };
        if their_error {
            prop_assert!(end, "tungstenite refuses it, we see {:?}", ours);
        } else if !end {
            prop_assert_eq!(messages, &theirs[..]);
        }
    }
}

/// What tungstenite's server makes of the bytes, and whether it refuses them.
fn server_sees(bytes: Vec<u8>) -> (Vec<Seen>, bool) {
    let pipe = Pipe {
        incoming: io::Cursor::new(bytes),
        ..Pipe::default()
    };
    let mut server = WebSocket::from_raw_socket(pipe, Role::Server, None);
    let mut seen = Vec::new();
    loop {
        match server.read() {
            Ok(message) => {
                seen.push(seen_of(message));
                if seen.last().is_some_and(Seen::is_final) {
                    return (seen, false);
                }
            }
            Err(tungstenite::Error::Io(_)) => return (seen, false),
            Err(_) => return (seen, true),
        }
    }
}

fn seen_by(client: &mut WebSocket<Pipe>) -> Seen {
    seen_of(client.read().expect("a message"))
}

fn seen_of(message: Message) -> Seen {
    match message {
        Message::Text(payload) => text(payload),
        Message::Binary(payload) => binary(payload),
        Message::Ping(payload) => Seen::Ping(payload.to_vec()),
        Message::Pong(payload) => Seen::Pong(payload.to_vec()),
        Message::Close(None) => Seen::Close(None),
        Message::Close(Some(frame)) => {
            let reason = frame.reason.as_bytes().to_vec();
            Seen::Close(Some((frame.code.into(), reason)))
        }
        Message::Frame(_) => unreachable!("never read"),
    }
}

#[test]
fn large_messages_pass_both_ways() {
    for len in [65_535, 65_536, 1_000_000] {
        let payload = vec![7; len];
        let sent = encode(&[Item::Binary(payload.clone())], None);
        assert_eq!(
            decode(&plain(), &sent),
            [binary(&payload), Seen::Close(None)]
        );
        let mut out = Vec::new();
        Sender::new(None).encode(OpCode::Binary, &[&payload], &mut out);
        assert_eq!(seen_by(&mut client(out)), binary(&payload));
    }
}

#[test]
fn an_empty_close_is_an_empty_close() {
    let mut out = Vec::new();
    Sender::encode_close(None, &mut out);
    assert_eq!(out, [FIN | CLOSE, 0]);
    assert_eq!(seen_by(&mut client(out)), Seen::Close(None));
}

#[test]
fn a_close_code_is_sent_unchecked() {
    let mut out = Vec::new();
    Sender::encode_close(Some((1005, b"")), &mut out);
    assert_eq!(out, [FIN | CLOSE, 2, 0x03, 0xED]);
}
