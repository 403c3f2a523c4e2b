//! Connect: opening handshake, closing handshake, the socket closed, and again.

use crate::frame::{self, Reader, Sink, fault};
use crate::handshake;
use crate::options::Options;
use crate::report::{Report, Tally, Window};
use crate::stream::{Stream, tls_config};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustls::ClientConfig;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs as many at a time as there are connections to be; each message of the report is one connection, and its latency
/// the time from the first packet to the head of the response.
pub(crate) fn run(options: &Options) -> io::Result<Report> {
    let mut churn = Churn {
        options,
        tls: options.tls.then(tls_config),
        request: handshake::request(options),
        close: frame::encode(frame::CLOSE, false, [1, 2, 3, 4], &1000u16.to_be_bytes()),
        poll: Poll::new()?,
        attempts: Vec::new(),
        tally: Tally::new(),
    };
    for number in 0..options.connections {
        let attempt = churn.attempt(number)?;
        churn.attempts.push(attempt);
    }
    churn.until(options.warmup)?;
    let window = Window::begin(options.pid, &mut churn.tally)?;
    churn.until(options.seconds)?;
    window.end(&churn.tally, options.connections)
}

struct Churn<'a> {
    options: &'a Options,
    tls: Option<Arc<ClientConfig>>,
    request: String,
    close: Vec<u8>,
    poll: Poll,
    attempts: Vec<Attempt>,
    tally: Tally,
}

struct Attempt {
    stream: Stream,
    began: Instant,
    stage: Stage,
    head: Vec<u8>,
    reader: Reader,
    latency: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Connecting,
    Head,
    Close,
    End,
}

impl Churn<'_> {
    fn attempt(&self, number: usize) -> io::Result<Attempt> {
        let socket = handshake::socket(self.options.addr, number, false)?;
        let mut stream = TcpStream::from_std(socket.into());
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream, Token(number), interest)?;
        Ok(Attempt {
            stream: Stream::new(stream, self.tls.as_ref())?,
            began: Instant::now(),
            stage: Stage::Connecting,
            head: Vec::new(),
            reader: Reader::default(),
            latency: Duration::ZERO,
        })
    }

    fn until(&mut self, duration: Duration) -> io::Result<()> {
        let end = Instant::now() + duration;
        let mut events = Events::with_capacity(1024);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            match self.poll.poll(&mut events, Some(left)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => events
                    .iter()
                    .try_for_each(|event| self.ready(event.token().0))?,
            }
        }
    }

    fn ready(&mut self, number: usize) -> io::Result<()> {
        if !self.step(number)? {
            return Ok(());
        }
        let latency = self.attempts[number].latency;
        self.tally
            .message(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
        self.attempts[number] = self.attempt(number)?;
        Ok(())
    }

    /// Goes as far as it can. Says whether the connection has come to its end.
    fn step(&mut self, number: usize) -> io::Result<bool> {
        let attempt = &mut self.attempts[number];
        if attempt.stage == Stage::Connecting {
            if let Some(error) = attempt.stream.socket.take_error()? {
                return Err(error);
            }
            if attempt.stream.socket.peer_addr().is_err() {
                return Ok(false);
            }
            attempt.stream.write_short(self.request.as_bytes())?;
            attempt.stage = Stage::Head;
        }
        attempt.stream.push()?;
        let mut buffer = [0; 4096];
        loop {
            match attempt.stream.read(&mut buffer) {
                Ok(0) if attempt.stage == Stage::End => return Ok(true),
                Ok(0) => return Err(fault("the server closed before the handshakes were done")),
                Ok(length) => attempt.take(&buffer[..length], self.options, &self.close)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Attempt {
    fn take(&mut self, bytes: &[u8], options: &Options, close: &[u8]) -> io::Result<()> {
        if self.stage != Stage::Head {
            return self.take_frames(bytes);
        }
        self.head.extend_from_slice(bytes);
        let Some(length) = handshake::check_head(&self.head, options)? else {
            return Ok(());
        };
        self.latency = self.began.elapsed();
        self.stream.write_short(close)?;
        self.stage = Stage::Close;
        let rest = self.head.split_off(length);
        self.take_frames(&rest)
    }

    fn take_frames(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut closing = Closing(false);
        self.reader.feed(bytes, &mut closing)?;
        if closing.0 {
            self.stage = Stage::End;
        }
        Ok(())
    }
}

struct Closing(bool);

impl Sink for Closing {
    fn begin(&mut self, _opcode: u8, _compressed: bool) -> io::Result<()> {
        Ok(())
    }

    fn chunk(&mut self, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.0 = true;
        Ok(())
    }
}
