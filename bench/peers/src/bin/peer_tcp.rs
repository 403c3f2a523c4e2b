//! Echoes bytes, not messages: one thread, one epoll, one buffer. No WebSocket server can do with less.

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io::{self, ErrorKind::WouldBlock, Read, Write};

const LISTENER: Token = Token(0);

fn main() -> io::Result<()> {
    let mut listener = TcpListener::from_std(drover_bench_peers::listen()?);
    let poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        poll,
        connections: HashMap::new(),
        next: 1,
        buffer: vec![0; 256 * 1024],
    };
    let mut events = Events::with_capacity(1024);
    loop {
        match server.poll.poll(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => (),
        }
        for event in &events {
            match event.token() {
                LISTENER => server.accept(&listener)?,
                _ => server.serve(event),
            }
        }
    }
}

struct Server {
    poll: Poll,
    connections: HashMap<Token, Connection>,
    next: usize,
    buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// What the kernel did not take. Nothing is read before it has.
    rest: Vec<u8>,
}

impl Server {
    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => self.add(stream)?,
                Err(error) if error.kind() == WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn add(&mut self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let token = Token(self.next);
        self.next += 1;
        self.poll.registry().register(
            &mut stream,
            token,
            Interest::READABLE | Interest::WRITABLE,
        )?;
        self.connections.insert(
            token,
            Connection {
                stream,
                rest: Vec::new(),
            },
        );
        Ok(())
    }

    fn serve(&mut self, event: &Event) {
        let Some(connection) = self.connections.get_mut(&event.token()) else {
            return;
        };
        if connection.serve(&mut self.buffer).is_err() {
            self.connections.remove(&event.token());
        }
    }
}

impl Connection {
    fn serve(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let rest = std::mem::take(&mut self.rest);
        self.write(&rest)?;
        while self.rest.is_empty() {
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    self.write(&buffer[..length])?;
                    if length < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.rest = bytes.to_vec();
        Ok(())
    }
}
