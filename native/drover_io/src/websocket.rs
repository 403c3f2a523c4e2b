//! The task of a connection once it speaks WebSocket: bytes in, batches of events out.

use crate::link::Link;
use crate::sink::Reason;
use drover_proto::receive::{Event, Receiver, RecvConfig, Step};
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Bytes read at once into the thread's buffer.
const READ_BUFFER: usize = 64 * 1024;

thread_local! {
    /// Read into by all connections of this thread: one that waits holds no buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// A connection's receiving side: all that it holds while it waits. As a future it runs the connection to its end.
pub(crate) struct Driver {
    link: Link,
    receiver: Receiver,
    /// Bytes that were read but not decoded when the budget ran out.
    rest: Vec<u8>,
    /// The budget ran out: decode on, with or without more bytes.
    resume: bool,
    /// A close or an error was given: nothing more is read.
    ended: bool,
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = self.get_mut();
        if !driver.link.conn.is_closing() {
            ready!(driver.poll_open(cx));
        }
        driver.link.poll_close(cx)
    }
}

impl Driver {
    pub(crate) fn new(link: Link, config: &RecvConfig) -> Self {
        Self {
            link,
            receiver: Receiver::new(config),
            rest: Vec::new(),
            resume: false,
            ended: false,
        }
    }

    /// Decode bytes that came with the handshake and deliver their events, even if there are none.
    pub(crate) fn begin_with(&mut self, mut bytes: Vec<u8>) {
        let events = self.decode(&mut bytes);
        self.link.conn.deliver(events);
    }

    /// Ready when the connection is to be closed.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.link.conn.set_waker(cx.waker());
            if self.link.conn.is_closing() {
                return Poll::Ready(());
            }
            let _ = self.link.poll_flush(cx);
            if self.ended || !self.link.conn.may_read() {
                return Poll::Pending;
            }
            let events = ready!(self.poll_events(cx));
            if events > 0 {
                self.link.conn.deliver(events);
            }
            if self.resume {
                // Others have a turn first.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Read once and decode it all, within the budget.
    fn poll_events(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        self.receiver
            .set_max_frame_size(self.link.conn.frame_limit());
        if self.resume {
            let mut rest = std::mem::take(&mut self.rest);
            return Poll::Ready(self.decode(&mut rest));
        }
        if let Some(room) = self.receiver.fill_buffer() {
            let result = ready!(self.link.poll_recv(cx, room));
            return Poll::Ready(self.received(result, Self::filled));
        }
        BUFFER.with_borrow_mut(|buffer| {
            let result = ready!(self.link.poll_recv(cx, buffer));
            Poll::Ready(self.received(result, |driver, n| driver.decode(&mut buffer[..n])))
        })
    }

    fn received(
        &mut self,
        result: io::Result<usize>,
        decode: impl FnOnce(&mut Self, usize) -> usize,
    ) -> usize {
        match result {
            Ok(0) => self.end(Reason::Closed),
            Ok(n) => {
                self.link.conn.received();
                decode(self, n)
            }
            Err(error) => self.end(Reason::from(&error)),
        }
    }

    fn end(&mut self, reason: Reason) -> usize {
        self.ended = true;
        self.link.conn.sink().ended(reason);
        1
    }

    /// Decode `input`; gives the number of events that were put into the batch.
    fn decode(&mut self, input: &mut [u8]) -> usize {
        let (mut events, mut position) = (0, 0);
        self.resume = false;
        loop {
            let (consumed, step) = self.receiver.next(&mut input[position..]);
            position += consumed;
            match step {
                Step::Event(event) => {
                    events += 1;
                    self.ended = is_last(&event);
                    self.link.conn.sink().event(event);
                    if self.ended {
                        return events;
                    }
                }
                Step::NeedMore | Step::Ended => return events,
                Step::Yield => {
                    self.resume = true;
                    self.rest = input[position..].to_vec();
                    return events;
                }
            }
        }
    }

    /// `n` bytes were read straight into the message that is being assembled.
    fn filled(&mut self, n: usize) -> usize {
        match self.receiver.filled(n) {
            Step::Event(event) => {
                self.ended = is_last(&event);
                self.link.conn.sink().event(event);
                1
            }
            Step::Yield => {
                self.resume = true;
                0
            }
            Step::NeedMore | Step::Ended => 0,
        }
    }
}

fn is_last(event: &Event<'_>) -> bool {
    matches!(event, Event::Close(_) | Event::Error(_))
}
