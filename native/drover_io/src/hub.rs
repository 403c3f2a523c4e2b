//! The WebSockets of one I/O thread.
//!
//! They wait in a poll of the hub's own, which in turn is registered with the thread's tokio runtime. A runtime's task and
//! registration cost an idle connection more memory than all that the connection itself holds.

use crate::clock::now_ms;
use crate::descriptor::register_poll;
use crate::websocket::{Driver, Turn};
use mio::unix::SourceFd;
use mio::{Events, Interest, Token};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// Time to the next look at a connection that is idle, in milliseconds: its owner may be busy with another matter.
const IDLE_PERIOD: u64 = 20;

/// Ready sockets looked at in one turn.
const EVENTS: usize = 256;

pub(crate) struct Hub {
    poll: AsyncFd<mio::Poll>,
    events: Events,
    seats: Vec<Option<Box<Driver>>>,
    free: Vec<usize>,
    /// Those that have more to do and let others go first.
    again: VecDeque<usize>,
    /// When to look whether a connection is idle, the earliest first. Most of it is outdated when its time comes.
    idle: BinaryHeap<Reverse<IdleWatch>>,
}

/// When to look at which seat. It counts only while the connection there says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct IdleWatch {
    deadline: u64,
    seat: usize,
}

impl IdleWatch {
    fn counts(self, seats: &[Option<Box<Driver>>]) -> bool {
        let driver = seats.get(self.seat).and_then(Option::as_ref);
        driver.is_some_and(|driver| driver.idle_watch == Some(self.deadline))
    }
}

impl Hub {
    /// A hub of the runtime that runs this thread.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            poll: register_poll(mio::Poll::new()?)?,
            events: Events::with_capacity(EVENTS),
            seats: Vec::new(),
            free: Vec::new(),
            again: VecDeque::new(),
            idle: BinaryHeap::new(),
        })
    }

    /// Take over a connection.
    pub(crate) fn adopt(&mut self, mut driver: Box<Driver>) {
        let seat = self.free.pop().unwrap_or(self.seats.len());
        let fd = driver.socket().as_raw_fd();
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.get_ref().registry();
        let registered = registry.register(&mut SourceFd(&fd), Token(seat), interest);
        if let Err(error) = registered {
            driver.fail(&error);
        }
        driver.take_seat(seat);
        if seat == self.seats.len() {
            self.seats.push(Some(driver));
        } else {
            self.seats[seat] = Some(driver);
        }
        self.watch_idle(seat);
        self.run(seat);
    }

    /// Look whether the connection in this seat is idle, tell its owner, and see when to look again.
    pub(crate) fn watch_idle(&mut self, seat: usize) {
        let Some(driver) = self.seats.get_mut(seat).and_then(Option::as_mut) else {
            return;
        };
        driver.idle_watch = driver
            .look_for_idle()
            .map(|left| now_ms() + if left == 0 { IDLE_PERIOD } else { left });
        if let Some(deadline) = driver.idle_watch {
            self.idle.push(Reverse(IdleWatch { deadline, seat }));
        }
        if self.idle.len() > 2 * self.seats.len() + EVENTS {
            let seats = &self.seats;
            self.idle.retain(|Reverse(watch)| watch.counts(seats));
        }
    }

    /// When to look for idle connections, in the clock's milliseconds.
    pub(crate) fn idle_deadline(&self) -> Option<u64> {
        self.idle.peek().map(|Reverse(watch)| watch.deadline)
    }

    /// Look at the connections whose time may be over.
    pub(crate) fn look_for_idle(&mut self) {
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
        let Some(driver) = self.seats.get_mut(seat).and_then(Option::as_mut) else {
            return;
        };
        // A panic ends its connection, which tells its owner, and nothing else.
        match catch_unwind(AssertUnwindSafe(|| driver.run())) {
            Ok(Turn::Idle) => {}
            Ok(Turn::Again) => self.again.push_back(seat),
            Ok(Turn::Done) | Err(_) => {
                self.seats[seat] = None;
                self.free.push(seat);
            }
        }
    }

    /// Whether some connection has more to do without any event.
    pub(crate) fn is_busy(&self) -> bool {
        !self.again.is_empty()
    }

    /// Let those go on that let others go first.
    pub(crate) fn run_again(&mut self) {
        for seat in std::mem::take(&mut self.again) {
            self.run(seat);
        }
    }

    /// Wait until sockets are ready, and look at them once.
    pub(crate) async fn turn(&mut self) {
        let Ok(mut guard) = self.poll.readable_mut().await else {
            return;
        };
        // An error is an interruption; what is ready shows at the next turn.
        let polled = guard
            .get_inner_mut()
            .poll(&mut self.events, Some(Duration::ZERO));
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        if polled.is_ok() && events.iter().count() < EVENTS {
            // What becomes ready from here on is a new event of the poll.
            guard.clear_ready();
        }
        for event in &events {
            let seat = event.token().0;
            if let Some(driver) = self.seats.get_mut(seat).and_then(Option::as_mut) {
                driver.note(event);
                self.run(seat);
            }
        }
        events.clear();
        self.events = events;
    }
}
