//! One open connection: what is to be written, and what is expected back.

use crate::check::Check;
use crate::frame::{Reader, Sink, fault};
use crate::messages::Messages;
use crate::report::Tally;
use crate::stream::Stream;
use std::collections::VecDeque;
use std::io::{self, IoSlice};

/// Frames written with one call, at most.
const CORK: usize = 64;

pub(crate) struct Connection {
    stream: Stream,
    reader: Reader,
    inbox: Inbox,
    outbox: Outbox,
}

/// Replies: how many came, and since when the others are under way.
struct Inbox {
    first: u64,
    received: u64,
    times: VecDeque<u64>,
    check: Check,
}

/// Frames are prepared, so what waits to be written is a range of numbers and a place in the first.
struct Outbox {
    first: u64,
    written: u64,
    due: u64,
    offset: usize,
}

/// What all connections share while they read.
pub(crate) struct Context<'a> {
    pub(crate) messages: &'a Messages,
    pub(crate) tally: &'a mut Tally,
    /// Compare replies.
    pub(crate) verify: bool,
    /// Bytes come back as they are.
    pub(crate) raw: bool,
    /// Messages of the server itself, not replies.
    pub(crate) push: bool,
}

impl Connection {
    /// `number` decides with which message it begins.
    pub(crate) fn new(stream: Stream, number: usize) -> Self {
        let first = number as u64;
        Self {
            stream,
            reader: Reader::default(),
            inbox: Inbox {
                first,
                received: 0,
                times: VecDeque::new(),
                check: Check::default(),
            },
            outbox: Outbox {
                first,
                written: 0,
                due: 0,
                offset: 0,
            },
        }
    }

    /// Messages under way.
    pub(crate) fn outstanding(&self) -> usize {
        self.inbox.times.len()
    }

    /// One more message is due, since `time`, in nanoseconds.
    pub(crate) fn queue(&mut self, time: u64) {
        self.outbox.due += 1;
        self.inbox.times.push_back(time);
    }

    pub(crate) fn stop_inflating(&mut self) {
        self.inbox.check.stop_inflating();
    }

    /// Writes what is due, as far as the kernel takes it.
    pub(crate) fn flush(&mut self, messages: &Messages) -> io::Result<()> {
        while self.outbox.written < self.outbox.due {
            let mut slices = [IoSlice::new(&[]); CORK];
            let count = self.outbox.gather(messages, &mut slices);
            match self.stream.write_vectored(&slices[..count]) {
                Ok(written) => self.outbox.advance(written, messages),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.stream.push()
    }

    /// Reads once. Says whether there may be more.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        now: impl Fn() -> u64,
        context: &mut Context<'_>,
    ) -> io::Result<bool> {
        match self.stream.read(buffer) {
            Ok(0) => Err(fault("the server closed the connection")),
            Ok(length) => {
                self.take(&buffer[..length], now(), context)?;
                Ok(length == buffer.len() || !self.stream.reads_all())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes bytes that have come.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        now: u64,
        context: &mut Context<'_>,
    ) -> io::Result<()> {
        if context.push {
            return self.reader.feed(
                bytes,
                &mut Pushes {
                    tally: context.tally,
                    stamp: Vec::new(),
                },
            );
        }
        let mut replies = Replies {
            inbox: &mut self.inbox,
            context,
            now,
        };
        if replies.context.raw {
            replies.raw(bytes)
        } else {
            self.reader.feed(bytes, &mut replies)
        }
    }
}

impl Outbox {
    fn gather<'a>(&self, messages: &'a Messages, slices: &mut [IoSlice<'a>; CORK]) -> usize {
        let count = (self.due - self.written).min(CORK as u64) as usize;
        for (slice, number) in slices.iter_mut().zip(self.written..self.due) {
            *slice = IoSlice::new(&messages.get(self.first + number).frame);
        }
        slices[0] = IoSlice::new(&messages.get(self.first + self.written).frame[self.offset..]);
        count
    }

    fn advance(&mut self, mut bytes: usize, messages: &Messages) {
        while bytes > 0 {
            let left = messages.get(self.first + self.written).frame.len() - self.offset;
            if bytes < left {
                self.offset += bytes;
                return;
            }
            bytes -= left;
            (self.written, self.offset) = (self.written + 1, 0);
        }
    }
}

/// Messages that must be what was sent, in order.
struct Replies<'a, 'b> {
    inbox: &'a mut Inbox,
    context: &'a mut Context<'b>,
    now: u64,
}

impl Replies<'_, '_> {
    fn expected(&self) -> &[u8] {
        &self
            .context
            .messages
            .get(self.inbox.first + self.inbox.received)
            .payload
    }

    fn raw(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let left = self.expected().len() - self.inbox.check.at();
            let (chunk, rest) = bytes.split_at(bytes.len().min(left));
            self.chunk(chunk)?;
            if chunk.len() == left {
                self.end()?;
                self.inbox.check.begin(false, self.context.verify);
            }
            bytes = rest;
        }
        Ok(())
    }
}

impl Sink for Replies<'_, '_> {
    fn begin(&mut self, opcode: u8, compressed: bool) -> io::Result<()> {
        if opcode != self.context.messages.opcode {
            return Err(fault("a reply is of another kind than what was sent"));
        }
        self.inbox.check.begin(compressed, self.context.verify);
        Ok(())
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let expected = &self
            .context
            .messages
            .get(self.inbox.first + self.inbox.received)
            .payload;
        self.inbox.check.chunk(bytes, expected)
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(sent) = self.inbox.times.pop_front() else {
            return Err(fault("the server sent a message that nobody asked for"));
        };
        let expected = &self
            .context
            .messages
            .get(self.inbox.first + self.inbox.received)
            .payload;
        self.inbox.check.end(expected)?;
        self.inbox.received += 1;
        self.context.tally.message(self.now.saturating_sub(sent));
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        Err(fault("the server closed the WebSocket"))
    }
}

/// Messages of the server's own. Where they begin with the time of day, in nanoseconds and twenty digits, latency is known.
struct Pushes<'a> {
    tally: &'a mut Tally,
    stamp: Vec<u8>,
}

const STAMP: usize = 20;

impl Sink for Pushes<'_> {
    fn begin(&mut self, _opcode: u8, _compressed: bool) -> io::Result<()> {
        self.stamp.clear();
        Ok(())
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let missing = STAMP - self.stamp.len();
        self.stamp
            .extend_from_slice(&bytes[..missing.min(bytes.len())]);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let sent = str::from_utf8(&self.stamp)
            .ok()
            .and_then(|digits| digits.parse::<u64>().ok());
        match sent {
            Some(sent) if self.stamp.len() == STAMP => {
                self.tally.message(time_of_day().saturating_sub(sent));
            }
            _ => self.tally.count(),
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        Err(fault("the server closed the WebSocket"))
    }
}

fn time_of_day() -> u64 {
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}
