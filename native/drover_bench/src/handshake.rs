//! Opening a connection.

use crate::frame::fault;
use crate::options::Options;
use crate::stream::Stream;
use mio::net::TcpStream;
use rustls::ClientConfig;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tungstenite::handshake::derive_accept_key;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections from one address, which has ports for about 28,000.
const PER_SOURCE: usize = 10_000;

pub(crate) fn request(options: &Options) -> String {
    let extensions = if options.deflate {
        "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    } else {
        ""
    };
    format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n",
        options.path, options.addr
    )
}

/// The length of the response's head, once all of it is there, if it is the right one.
pub(crate) fn check_head(bytes: &[u8], options: &Options) -> io::Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 101") {
        return Err(fault(format!("the handshake was answered: {status}")));
    }
    let header = |name: &str| {
        let mut pairs = head.lines().filter_map(|line| line.split_once(':'));
        pairs
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    };
    if header("sec-websocket-accept") != Some(&derive_accept_key(KEY.as_bytes())) {
        return Err(fault(
            "the handshake was answered with a wrong Sec-WebSocket-Accept",
        ));
    }
    let compressed = header("sec-websocket-extensions")
        .is_some_and(|value| value.starts_with("permessage-deflate"));
    if compressed != options.deflate {
        return Err(fault("the server does not compress as asked"));
    }
    Ok(Some(end + 4))
}

/// A socket that has begun, or already managed, to connect. `number` counts the connections that are open at a time.
pub(crate) fn socket(addr: SocketAddr, number: usize, blocking: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(!blocking)?;
    socket.set_tcp_nodelay(true)?;
    if number >= PER_SOURCE && addr.ip() == Ipv4Addr::LOCALHOST {
        let source = Ipv4Addr::new(127, 0, 0, 1 + (number / PER_SOURCE) as u8);
        socket.bind(&SocketAddr::from((source, 0)).into())?;
    }
    match socket.connect(&addr.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(socket),
    }
}

/// An open connection, and the bytes that came with the response.
pub(crate) fn open(
    options: &Options,
    number: usize,
    tls: Option<&Arc<ClientConfig>>,
) -> io::Result<(Stream, Vec<u8>)> {
    let socket = socket(options.addr, number, true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut stream = Stream::new(TcpStream::from_std(socket.into()), tls)?;
    let mut bytes = Vec::new();
    if !options.raw {
        stream.write_short(request(options).as_bytes())?;
        let length = read_head(&mut stream, &mut bytes, options)?;
        bytes.drain(..length);
    }
    SockRef::from(&stream.socket).set_nonblocking(true)?;
    Ok((stream, bytes))
}

fn read_head(stream: &mut Stream, bytes: &mut Vec<u8>, options: &Options) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    loop {
        if let Some(length) = check_head(bytes, options)? {
            return Ok(length);
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(fault("the server closed during the handshake")),
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(fault("the server does not answer the handshake"));
            }
            Err(error) => return Err(error),
        }
    }
}
