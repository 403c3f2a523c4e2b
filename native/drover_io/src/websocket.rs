//! A connection once it speaks WebSocket: bytes in, batches of events out.

use crate::conn::Conn;
use crate::hold::{Drained, Flushed, Hold, Phase};
use crate::rest::{Restful, Sleeper, Watched};
use crate::sink::Reason;
use drover_proto::deflate::{Rest, Rested};
use drover_proto::receive::{Event, Receiver, RecvConfig, Step};
use mio::event::Event as Readiness;
use socket2::Socket;
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Instant;

/// Bytes read at once into the thread's buffer.
const READ_BUFFER: usize = 64 * 1024;

/// Bytes of payload in one batch, after which it goes to its owner. Few compressed bytes can hold many.
const BATCH: usize = 256 * 1024;

thread_local! {
    /// Read into by all connections of this thread: one that waits holds no buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// What a connection wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// To be run when its socket is ready, or when it is woken.
    Idle,
    /// To be run again when others had their turn.
    Again,
    /// Nothing: it is over.
    Done,
}

/// What may take time in a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    Flushing,
    Lingering,
}

/// A connection's receiving side: all that it holds while it waits.
pub(crate) struct Driver {
    hold: Hold,
    receiver: Receiver,
    /// Bytes that were read but not decoded when the budget ran out.
    rest: Vec<u8>,
    /// There may be something to read.
    readable: bool,
    /// The peer is done: there is something to read until a read says so.
    hung_up: bool,
    /// The budget ran out: decode on, with or without more bytes.
    resume: bool,
    /// The next frame is over the limit. A callback for an event before it may still raise that.
    too_large: bool,
    /// A close or an error was given: nothing more is read.
    ended: bool,
    /// It broke a rule, and may not have heard yet that nobody listens any more.
    broken: bool,
    /// The part of a close that is going on, and when it has to end.
    closing: Option<(Closing, Option<Instant>)>,
    /// When the hub looks whether the connection is idle.
    pub(crate) idle_watch: Option<u64>,
    /// The hub is going to run it.
    pub(crate) queued: bool,
}

/// A connection that is about to speak WebSocket.
pub(crate) struct Begin {
    pub(crate) hold: Hold,
    pub(crate) config: RecvConfig,
    /// Bytes that came with the handshake, if they count.
    pub(crate) early: Option<Vec<u8>>,
}

impl Begin {
    /// On the connection's I/O thread: the events of early bytes are delivered at once, even if there are none.
    pub(crate) fn into_driver(self) -> Driver {
        let mut driver = Driver::new(self.hold, &self.config);
        if let Some(mut bytes) = self.early {
            let events = driver.decode(&mut bytes);
            driver.conn().deliver(events);
        }
        driver
    }
}

impl Driver {
    fn new(mut hold: Hold, config: &RecvConfig) -> Self {
        hold.phase = Phase::WebSocket;
        Self {
            hold,
            receiver: Receiver::new(config),
            rest: Vec::new(),
            readable: false,
            hung_up: false,
            resume: false,
            too_large: false,
            ended: false,
            broken: false,
            closing: None,
            idle_watch: None,
            queued: false,
        }
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.hold.socket
    }

    pub(crate) fn take_seat(&self, seat: usize) {
        self.conn().set_seat(seat);
    }

    /// The time to the idle deadline, of whose end the owner is told.
    pub(crate) fn look_for_idle(&self) -> Option<u64> {
        let left = self
            .conn()
            .time_left()
            .filter(|_| !self.conn().is_closing());
        if left == Some(0) {
            self.conn().tell_idle();
        }
        left
    }

    pub(crate) fn id(&self) -> u64 {
        self.conn().id
    }

    pub(crate) fn receives_with_context(&self) -> bool {
        self.receiver.holds_context()
    }

    /// Its owner may have sent before it had a seat.
    pub(crate) fn sends_with_context(&self) -> bool {
        self.conn().out().holds_context()
    }

    /// `Some`: it holds a compression context, and is not watched yet.
    pub(crate) fn begin_rest_watch(&self, seat: usize, holds_context: bool) -> Option<Sleeper> {
        (holds_context && self.conn().watched_rest().begin()).then(|| Sleeper::Seat {
            seat,
            id: self.id(),
        })
    }

    /// The socket cannot be waited for.
    pub(crate) fn fail(&mut self, error: &io::Error) {
        let events = self.end(error.into());
        self.conn().deliver(events);
    }

    /// What the kernel says of the socket.
    pub(crate) fn note(&mut self, readiness: &Readiness) {
        self.hung_up |= readiness.is_read_closed() || readiness.is_error();
        self.readable |= readiness.is_readable() || self.hung_up;
    }

    /// Do what there is to do.
    pub(crate) fn run(&mut self) -> Turn {
        let flushed = !self.conn().is_blocked() || self.hold.flush() == Flushed::All;
        if self.conn().is_closing() {
            return self.close(flushed);
        }
        if !self.may_go_on() {
            return Turn::Idle;
        }
        let events = self.receive();
        if events > 0 {
            self.conn().deliver(events);
        }
        if self.conn().is_closing() || self.may_go_on() {
            Turn::Again
        } else {
            Turn::Idle
        }
    }

    fn may_go_on(&mut self) -> bool {
        if self.too_large && self.conn().all_taken() {
            self.too_large = false;
            self.resume = true;
        }
        !self.ended && !self.too_large && (self.readable || self.resume) && self.conn().may_read()
    }

    fn conn(&self) -> &Arc<Conn> {
        &self.hold.conn
    }

    /// Write out the rest and say FIN, and hear out a peer that is still sending; each within the time for it.
    fn close(&mut self, flushed: bool) -> Turn {
        if !flushed && !self.is_over(Closing::Flushing) {
            return Turn::Idle;
        }
        self.hold.finish();
        let quiet = self.is_between_frames() && !self.is_lingering();
        match self.hold.drain() {
            Drained::End => Turn::Done,
            Drained::None if quiet => Turn::Done,
            Drained::More => Turn::Again,
            _ if self.is_over(Closing::Lingering) => Turn::Done,
            _ => Turn::Idle,
        }
    }

    fn is_lingering(&self) -> bool {
        matches!(self.closing, Some((Closing::Lingering, _)))
    }

    /// Whether the time for this part of a close is over. It begins when this is asked first.
    fn is_over(&mut self, part: Closing) -> bool {
        if let Some((running, end)) = self.closing
            && running == part
        {
            return end.is_some_and(|end| Instant::now() >= end);
        }
        let patience = self.conn().patience();
        let time = match part {
            Closing::Flushing => patience.flush(),
            Closing::Lingering => Some(patience.linger()),
        };
        self.closing = Some((part, time.map(|time| Instant::now() + time)));
        if let Some(time) = time {
            Arc::clone(self.conn()).wake_in(time);
        }
        false
    }

    /// Whether the client, as far as one can see, is not in the middle of sending.
    fn is_between_frames(&self) -> bool {
        !self.broken && !self.receiver.mid_frame()
    }

    /// Read once and decode it all, within the budget; gives the number of events that were put into the batch.
    fn receive(&mut self) -> usize {
        self.receiver.set_max_frame_size(self.conn().frame_limit());
        if self.resume {
            let mut rest = std::mem::take(&mut self.rest);
            return self.decode(&mut rest);
        }
        if let Some(room) = self.receiver.fill_buffer() {
            let (result, whole) = (self.hold.recv(room), room.len());
            return self.received(result, whole, Self::filled);
        }
        BUFFER.with_borrow_mut(|buffer| {
            let (result, whole) = (self.hold.recv(buffer), buffer.len());
            self.received(result, whole, |driver, n| driver.decode(&mut buffer[..n]))
        })
    }

    /// A read that leaves room has taken everything, so that no second one has to meet `EAGAIN`.
    fn received(
        &mut self,
        result: io::Result<usize>,
        whole: usize,
        decode: impl FnOnce(&mut Self, usize) -> usize,
    ) -> usize {
        match result {
            Ok(0) => self.end(Reason::Closed),
            Ok(n) => {
                self.readable = n == whole || self.hung_up;
                self.conn().received();
                decode(self, n)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                0
            }
            Err(error) => self.end(Reason::from(&error)),
        }
    }

    fn end(&mut self, reason: Reason) -> usize {
        self.ended = true;
        self.conn().sink().ended(reason);
        1
    }

    /// Decode `input`; gives the number of events that were put into the batch.
    fn decode(&mut self, input: &mut [u8]) -> usize {
        let (mut events, mut position, mut size) = (0, 0, 0);
        self.resume = false;
        loop {
            if size > BATCH {
                self.resume = true;
                self.rest = input[position..].to_vec();
                return events;
            }
            let (consumed, step) = self.receiver.next(&mut input[position..]);
            position += consumed;
            match step {
                Step::Event(event) => {
                    events += 1;
                    size += event.size();
                    (self.ended, self.broken) = ends(&event);
                    self.hold.conn.sink().event(event);
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
                Step::TooLarge if events == 0 && self.hold.conn.all_taken() => {
                    return self.refuse();
                }
                Step::TooLarge => {
                    self.too_large = true;
                    self.rest = input[position..].to_vec();
                    return events;
                }
            }
        }
    }

    fn refuse(&mut self) -> usize {
        (self.ended, self.broken) = (true, true);
        match self.receiver.refuse() {
            Step::Event(event) => {
                self.hold.conn.sink().event(event);
                1
            }
            _ => 0,
        }
    }

    /// `n` bytes were read straight into the message that is being assembled.
    fn filled(&mut self, n: usize) -> usize {
        match self.receiver.filled(n) {
            Step::Event(event) => {
                (self.ended, self.broken) = ends(&event);
                self.hold.conn.sink().event(event);
                1
            }
            Step::Yield => {
                self.resume = true;
                0
            }
            Step::NeedMore | Step::TooLarge | Step::Ended => 0,
        }
    }
}

impl Restful for Driver {
    fn watched(&self) -> &Watched {
        self.conn().watched_rest()
    }

    fn rest(&mut self, rest: Rest) -> Rested {
        self.receiver.rest(rest).and(self.conn().rest(rest))
    }

    fn parked(&self) {
        self.conn().sink().parked(self.id());
    }
}

/// Whether nothing follows the event, and whether that is because a rule was broken.
fn ends(event: &Event<'_>) -> (bool, bool) {
    let broken = matches!(event, Event::Error(_));
    (broken || matches!(event, Event::Close(_)), broken)
}
