//! Compression contexts of connections on which nothing is said.
//!
//! Each I/O thread watches those of its connections that hold a context, and nobody else. One that was not used for a
//! while is parked: what stays is its history, compressed. If too many are in use at once, the one that is watched for
//! the longest time gives its context up at once, and keeps its history as it is until it is parked.

use crate::clock::now_ms;
use crate::codec::Shared;
use crate::seats::Seats;
use crate::websocket::Driver;
use drover_proto::deflate::{Rest, Rested};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

/// Milliseconds between two looks at a context. It is parked when it was not used between them.
const PERIOD: u64 = 250;

/// Milliseconds between two batches, and how many are parked in one: it takes about 0.1 ms each, in which the thread's
/// other connections wait, and at worst a tenth of the thread's time.
const PACE: u64 = 5;
const BATCH: usize = 5;

/// Connections looked at in one batch.
const LOOKS: usize = 256;

/// Connections of a thread that may hold contexts at once; one holds about 300 KiB.
const MOST: usize = 1024;

/// Whether a connection is watched. Whoever gives it a context and finds that it is not has it watched.
#[derive(Debug, Default)]
pub(crate) struct Watched(AtomicU8);

const NO: u8 = 0;
const HOLDING: u8 = 1;
const RELEASED: u8 = 2;

impl Watched {
    /// It holds a context. `true`: it has to be watched from now on.
    pub(crate) fn begin(&self) -> bool {
        self.0.load(SeqCst) != HOLDING && self.0.swap(HOLDING, SeqCst) != HOLDING
    }

    /// Nobody watches it after all.
    pub(crate) fn end(&self) {
        self.set(NO);
    }

    fn set(&self, state: u8) {
        self.0.store(state, SeqCst);
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(SeqCst) == state
    }
}

/// Who is watched.
#[derive(Debug)]
pub(crate) enum Sleeper {
    /// The connection in a seat of the hub.
    Seat { seat: usize, id: u64 },
    /// One whose bytes travel by somebody else's transport.
    Codec(Weak<Shared>),
}

/// What has to be known of a watched connection.
pub(crate) trait Restful {
    fn watched(&self) -> &Watched;
    /// Let both directions rest.
    fn rest(&mut self, rest: Rest) -> Rested;
    /// Both do.
    fn parked(&self);
}

impl Sleeper {
    fn with<R>(
        &self,
        seats: &mut Seats<Driver>,
        f: impl FnOnce(&mut dyn Restful) -> R,
    ) -> Option<R> {
        // After a panic, the connection has lost its history, and ends when it needs that.
        let f = |it: &mut dyn Restful| catch_unwind(AssertUnwindSafe(|| f(it))).ok();
        match self {
            Self::Seat { seat, id } => {
                let driver = seats.get_mut(*seat)?;
                (driver.id() == *id).then(|| f(driver))?
            }
            Self::Codec(shared) => f(&mut shared.upgrade()?),
        }
    }
}

type Queue = VecDeque<(u64, Sleeper)>;

/// The watched connections of one I/O thread, those that are looked at next first.
#[derive(Debug, Default)]
pub(crate) struct RestWatch {
    holding: Queue,
    released: Queue,
    /// Not before this is there time for another batch.
    next: u64,
}

impl RestWatch {
    /// Watch a connection that was not.
    pub(crate) fn watch(&mut self, sleeper: Sleeper, seats: &mut Seats<Driver>) {
        self.holding.push_back((now_ms() + PERIOD, sleeper));
        if self.holding.len() > MOST
            && let Some((_, oldest)) = self.holding.pop_front()
        {
            self.release(oldest, seats);
        }
    }

    fn release(&mut self, sleeper: Sleeper, seats: &mut Seats<Driver>) {
        let rested = sleeper.with(seats, |it| {
            it.watched().set(RELEASED);
            let rested = it.rest(Rest::Release);
            if rested == Rested::Busy {
                it.watched().set(HOLDING);
            }
            rested
        });
        let due = now_ms() + PERIOD;
        match rested {
            Some(Rested::Done) => self.released.push_back((due, sleeper)),
            Some(Rested::Busy) => self.holding.push_back((due, sleeper)),
            None => {}
        }
    }

    /// When to look, in the clock's milliseconds.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let due = |queue: &Queue| queue.front().map(|(due, _)| *due);
        let first = due(&self.holding).into_iter().chain(due(&self.released));
        first.min().map(|due| due.max(self.next))
    }

    /// Look at those whose time has come, and park a few.
    pub(crate) fn look(&mut self, seats: &mut Seats<Driver>) {
        let now = now_ms();
        if now < self.next {
            return;
        }
        let mut parked = 0;
        for _ in 0..LOOKS {
            let Some((state, sleeper)) = self.pop(now) else {
                break;
            };
            match park(state, &sleeper, seats) {
                Some(Rested::Done) => parked += 1,
                Some(Rested::Busy) => self.holding.push_back((now + PERIOD, sleeper)),
                None => {}
            }
            if parked == BATCH {
                break;
            }
        }
        self.next = now + PACE;
    }

    fn pop(&mut self, now: u64) -> Option<(u8, Sleeper)> {
        for (state, queue) in [(HOLDING, &mut self.holding), (RELEASED, &mut self.released)] {
            if queue.front().is_some_and(|(due, _)| *due <= now) {
                return queue.pop_front().map(|(_, sleeper)| (state, sleeper));
            }
        }
        None
    }
}

/// `None`: it is gone, or watched elsewhere.
fn park(state: u8, sleeper: &Sleeper, seats: &mut Seats<Driver>) -> Option<Rested> {
    sleeper
        .with(seats, |it| {
            if !it.watched().is(state) {
                return None;
            }
            // From here on, a use of it makes its user have it watched again.
            it.watched().set(NO);
            let rested = it.rest(Rest::Park);
            if rested == Rested::Done {
                it.parked();
            }
            (rested == Rested::Done || it.watched().begin()).then_some(rested)
        })
        .flatten()
}
