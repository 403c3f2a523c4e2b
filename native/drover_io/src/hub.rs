//! The WebSockets of one I/O thread.
//!
//! They wait in a poll of the hub's own, which in turn is watched by the thread's tokio runtime. A runtime's task and
//! registration cost an idle connection more memory than all that the connection itself holds. Whoever has the shift
//! (`shift.rs`) looks at those that are ready, from whatever thread.

use crate::clock::now_ms;
use crate::rest::{RestWatch, Sleeper};
use crate::seats::Seats;
use crate::websocket::{Driver, Turn};
use drover_proto::buffers;
use mio::unix::SourceFd;
use mio::{Events, Interest, Token};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Time to the next look at a connection that is idle, in milliseconds: its owner may be busy with another matter.
const IDLE_PERIOD: u64 = 20;

/// Milliseconds after which the buffers of large messages that nobody needed are freed.
const TRIM_PERIOD: u64 = 1000;

/// Ready sockets that one poll shows.
const EVENTS: usize = 256;

/// Time after which a turn leaves the rest for the next, so that those which were read for come to run.
const SLICE: Duration = Duration::from_micros(50);

pub(crate) struct Hub {
    poll: mio::Poll,
    events: Events,
    seats: Seats<Driver>,
    /// Those that have something to do, in the order in which they shall.
    ready: VecDeque<usize>,
    /// When to look whether a connection is idle, the earliest first. Most of it is outdated when its time comes.
    idle: BinaryHeap<Reverse<IdleWatch>>,
    rest: RestWatch,
    /// When to free buffers, if there are any.
    trim: u64,
}

/// When to look at which seat. It counts only while the connection there says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct IdleWatch {
    deadline: u64,
    seat: usize,
}

impl IdleWatch {
    fn counts(self, seats: &Seats<Driver>) -> bool {
        let driver = seats.get(self.seat);
        driver.is_some_and(|driver| driver.idle_watch == Some(self.deadline))
    }
}

impl Hub {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            poll: mio::Poll::new()?,
            events: Events::with_capacity(EVENTS),
            seats: Seats::default(),
            ready: VecDeque::new(),
            idle: BinaryHeap::new(),
            rest: RestWatch::default(),
            trim: 0,
        })
    }

    /// Take over a connection.
    pub(crate) fn adopt(&mut self, mut driver: Driver) {
        let seat = self.seats.next();
        let fd = driver.socket().as_raw_fd();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        let registered = registry.register(&mut SourceFd(&fd), Token(seat), interest);
        if let Err(error) = registered {
            driver.fail(&error);
        }
        driver.take_seat(seat);
        let sleeper = driver.begin_rest_watch(seat, driver.sends_with_context());
        self.seats.take(seat, driver);
        self.watch_idle(seat);
        if let Some(sleeper) = sleeper {
            self.watch_rest(sleeper);
        }
        self.run(seat);
    }

    /// Look whether the connection in this seat is idle, tell its owner, and see when to look again.
    pub(crate) fn watch_idle(&mut self, seat: usize) {
        let Some(driver) = self.seats.get_mut(seat) else {
            return;
        };
        driver.idle_watch = driver
            .look_for_idle()
            .map(|left| now_ms() + if left == 0 { IDLE_PERIOD } else { left });
        if let Some(deadline) = driver.idle_watch {
            self.idle.push(Reverse(IdleWatch { deadline, seat }));
        }
        if self.idle.len() > 2 * self.seats.taken() + EVENTS {
            let seats = &self.seats;
            self.idle.retain(|Reverse(watch)| watch.counts(seats));
        }
    }

    /// When to look for connections that are idle or at rest, and for buffers, in the clock's milliseconds.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let idle = self.idle.peek().map(|Reverse(watch)| watch.deadline);
        let trim = (buffers::kept() > 0).then_some(self.trim);
        [idle, self.rest.deadline(), trim]
            .into_iter()
            .flatten()
            .min()
    }

    /// Look at the connections whose time has come. On the I/O thread only.
    pub(crate) fn look(&mut self) {
        self.look_for_idle();
        self.rest.look(&mut self.seats);
        self.look_for_buffers();
    }

    /// Whoever frees a buffer does not wake this thread: the next time that it is awake is soon enough.
    fn look_for_buffers(&mut self) {
        let now = now_ms();
        if self.trim <= now {
            buffers::trim();
            self.trim = now + TRIM_PERIOD;
        }
    }

    /// Watch a connection that holds a compression context.
    pub(crate) fn watch_rest(&mut self, sleeper: Sleeper) {
        self.rest.watch(sleeper, &mut self.seats);
    }

    fn look_for_idle(&mut self) {
        let now = now_ms();
        while let Some(Reverse(watch)) = self.idle.peek().copied().filter(|w| w.0.deadline <= now) {
            self.idle.pop();
            if watch.counts(&self.seats) {
                self.watch_idle(watch.seat);
            }
        }
    }

    /// Something about the connection in this seat has changed.
    pub(crate) fn run(&mut self, seat: usize) {
        let Some(driver) = self.seats.get_mut(seat) else {
            return;
        };
        // A panic ends its connection, which tells its owner, and nothing else.
        match catch_unwind(AssertUnwindSafe(|| driver.run())) {
            Ok(turn @ (Turn::Idle | Turn::Again)) => {
                let holds = driver.receives_with_context();
                if let Some(sleeper) = driver.begin_rest_watch(seat, holds) {
                    self.watch_rest(sleeper);
                }
                if turn == Turn::Again {
                    self.queue(seat);
                }
            }
            Ok(Turn::Done) | Err(_) => {
                self.seats.leave(seat);
            }
        }
    }

    fn queue(&mut self, seat: usize) {
        let Some(driver) = self.seats.get_mut(seat) else {
            return;
        };
        if !driver.queued {
            driver.queued = true;
            self.ready.push_back(seat);
        }
    }

    /// What becomes readable when a socket is ready. It is the hub's, and open as long as that.
    pub(crate) fn poll_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Whether some connection has more to do without any event.
    pub(crate) fn is_busy(&self) -> bool {
        !self.ready.is_empty()
    }

    /// See which sockets are ready. `true`: there may be more of them.
    pub(crate) fn poll(&mut self) -> bool {
        // An error is an interruption; what is ready shows next time.
        let polled = self.poll.poll(&mut self.events, Some(Duration::ZERO));
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let mut count = 0;
        for event in &events {
            count += 1;
            let seat = event.token().0;
            if let Some(driver) = self.seats.get_mut(seat) {
                driver.note(event);
                self.queue(seat);
            }
        }
        events.clear();
        self.events = events;
        polled.is_err() || count == EVENTS
    }

    /// Give those that are ready a turn each, as far as time allows. Gives how many had one.
    pub(crate) fn turn(&mut self) -> usize {
        let most = self.ready.len();
        let begin = Instant::now();
        for done in 1..=most {
            let Some(seat) = self.ready.pop_front() else {
                return done - 1;
            };
            if let Some(driver) = self.seats.get_mut(seat) {
                driver.queued = false;
            }
            self.run(seat);
            if begin.elapsed() >= SLICE {
                return done;
            }
        }
        most
    }
}
