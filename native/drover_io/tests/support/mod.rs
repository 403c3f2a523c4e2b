//! A listener whose events go to a channel instead of an Erlang process.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test binary includes this and uses a part"
)]

use drover_io::{
    Address, Body, Conn, Item, Listener, ListenerConfig, Mode, Patience, Reason, Request,
    SendOutcome, Sink, Upgrade,
};
use drover_proto::OpCode;
use drover_proto::http::HeadLimits;
use drover_proto::idle::IdlePolicy;
use drover_proto::receive::{Event, Payload, ProtocolError};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Time for a close in these tests.
pub const PATIENT: Patience = Patience {
    flush_ms: Some(200),
    linger_ms: 200,
};

#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, Vec<u8>)>),
    Error(ProtocolError),
    Ended(Reason),
}

#[derive(Debug)]
pub enum Note {
    Request(Arc<Conn>, String),
    Next(String),
    Events(Vec<Got>),
    Body(Vec<u8>, bool),
    Closed,
    Sent(Result<(), Reason>),
    Idle,
    Parked,
}

pub struct ChannelSink(pub Sender<Note>);

thread_local! {
    static BATCH: RefCell<Vec<Got>> = const { RefCell::new(Vec::new()) };
}

fn owned(payload: Payload<'_>) -> Vec<u8> {
    match payload {
        Payload::Slice(slice) => slice.to_vec(),
        Payload::Owned(vec) => vec,
    }
}

impl Sink for ChannelSink {
    fn event(&self, event: Event<'_>) {
        let got = match event {
            Event::Text(data) => Got::Text(owned(data)),
            Event::Binary(data) => Got::Binary(owned(data)),
            Event::Ping(data) => Got::Ping(data.to_vec()),
            Event::Pong(data) => Got::Pong(data.to_vec()),
            Event::Close(close) => Got::Close(close.map(|(code, reason)| (code, reason.to_vec()))),
            Event::Error(error) => Got::Error(error),
        };
        assert_ne!(got, Got::Text(b"panic".to_vec()), "asked for");
        BATCH.with_borrow_mut(|batch| batch.push(got));
    }

    fn ended(&self, reason: Reason) {
        BATCH.with_borrow_mut(|batch| batch.push(Got::Ended(reason)));
    }

    fn deliver(&self, _id: u64) -> bool {
        self.0.send(Note::Events(BATCH.take())).is_ok()
    }

    fn idle(&self, _id: u64) {
        let _ = self.0.send(Note::Idle);
    }

    fn parked(&self, _id: u64) {
        let _ = self.0.send(Note::Parked);
    }

    fn request(&self, conn: &Arc<Conn>, request: &Request<'_>) -> bool {
        assert!(matches!(request.peer, Address::Inet(_)));
        let path = request.head.path.clone();
        let note = if request.first {
            Note::Request(Arc::clone(conn), path)
        } else {
            Note::Next(path)
        };
        self.0.send(note).is_ok()
    }

    fn body(&self, _id: u64, body: Body<'_>) {
        let note = match body {
            Body::More(data) => Note::Body(data.to_vec(), false),
            Body::Last(data) => Note::Body(data.to_vec(), true),
            Body::Closed | Body::Malformed => Note::Closed,
        };
        let _ = self.0.send(note);
    }

    fn closed(&self, _id: u64) {
        let _ = self.0.send(Note::Closed);
    }

    fn sent(&self, _id: u64, result: Result<(), Reason>) {
        let _ = self.0.send(Note::Sent(result));
    }
}

pub fn config() -> ListenerConfig {
    ListenerConfig {
        io_threads: 1,
        max_connections: usize::MAX,
        request_timeout: Some(PATIENCE),
        limits: HeadLimits::default(),
        max_skip_body: 1000,
        patience: PATIENT,
        nodelay: true,
    }
}

pub struct Server {
    pub listener: Listener,
    pub notes: Receiver<Note>,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(config: &ListenerConfig) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let (sender, notes) = channel();
        let sink = Box::new(move || Box::new(ChannelSink(sender.clone())) as _);
        let listener = Listener::start(socket.as_raw_fd(), config, sink).unwrap();
        Self {
            listener,
            notes,
            address: socket.local_addr().unwrap(),
        }
    }

    pub fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_nodelay(true).unwrap();
        client
    }

    pub fn note(&self) -> Note {
        self.notes.recv_timeout(PATIENCE).expect("a note in time")
    }

    pub fn request(&self) -> (Arc<Conn>, String) {
        match self.note() {
            Note::Request(conn, path) => (conn, path),
            other => panic!("no request but {other:?}"),
        }
    }

    pub fn events(&self) -> Vec<Got> {
        match self.note() {
            Note::Events(events) => events,
            other => panic!("no events but {other:?}"),
        }
    }

    /// A client and its connection, which speaks WebSocket already.
    pub fn websocket(&self) -> (TcpStream, Arc<Conn>) {
        let mut client = self.connect();
        client.write_all(GET).unwrap();
        let (conn, _) = self.request();
        conn.upgrade(upgrade());
        conn.start();
        (client, conn)
    }
}

pub const GET: &[u8] = b"GET /path HTTP/1.1\r\nhost: localhost\r\n\r\n";

pub fn upgrade() -> Upgrade {
    Upgrade {
        max_frame_size: Some(1 << 26),
        validate_utf8: true,
        deflate: None,
        keep_early_data: true,
        idle_timeout: None,
        idle_policy: IdlePolicy::Exact,
    }
}

/// A masked frame with mask zero.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        n @ 0..=125 => bytes.push(0x80 | n as u8),
        n @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

pub fn text(payload: &str) -> Vec<u8> {
    frame(1, payload.as_bytes())
}

pub fn send_text(conn: &Arc<Conn>, payload: &str, mode: Mode) -> SendOutcome {
    conn.send(
        &[Item::Frame(OpCode::Text, payload.as_bytes())],
        mode,
        false,
    )
}

pub fn read_exact(client: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    client.read_exact(&mut bytes).unwrap();
    bytes
}

pub fn read_to_end(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.read_to_end(&mut bytes).unwrap();
    bytes
}
