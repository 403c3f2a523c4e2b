//! Whose shift it is to poll the WebSockets of an I/O thread: its own, or a scheduler's.
//!
//! Sparse traffic is the I/O thread's, which sleeps until there is some. When traffic is dense the sockets are polled by
//! a *helper*, an Erlang process that does so in short calls: connection processes then run on the thread that read for
//! them, and no thread has to be woken for a message. A scheduler that has other work loses its shift, so that sockets
//! are never left alone.

use crate::clock::now_us;
use once_cell::sync::Lazy;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Ready sockets within each of so many periods in a row make traffic dense. A burst is none: its end would come before
/// the helper has repaid what calling it costs.
const DENSE: usize = 10;
const PERIODS: u32 = 2;

/// Microseconds of a period.
const PERIOD: u64 = 1000;

/// Microseconds for which a helper goes on polling when there is nothing. A client on this machine that waits for each
/// answer is back within this; a longer time would keep a processor busy at moderate rates, for others to wait for.
const LINGER: u64 = 30;

/// Microseconds after which a helper lets other threads of its processor run. Where every processor is busy the kernel
/// would have them wait for a whole tick, milliseconds, and with them the connections of another scheduler.
const YIELD_AFTER: u64 = 200;

/// How often an I/O thread looks after its helper, which may not leave the sockets alone for longer.
pub(crate) const LOOK_AFTER: Duration = Duration::from_millis(1);

/// Microseconds for which a helper that was too slow is not called again.
const DISTRUST: u64 = 2000;

/// A shift in which fewer sockets were ready was not worth calling the helper: messages came often enough, but not one after the
/// other. The next one then has to wait, twice as long each time, in microseconds.
const WORTH: usize = 8;
const SHORTEST_PAUSE: u64 = 4000;
const LONGEST_PAUSE: u64 = 128_000;

/// Calls a helper to its shift. `false`: it is no more.
pub type Bell = Box<dyn Fn() -> bool + Send>;

/// The helper of each I/O thread that has one.
static BELLS: Lazy<Mutex<HashMap<usize, Bell>>> = Lazy::new(Mutex::default);

/// Offer help to the I/O thread `index`, in place of any earlier helper.
pub fn offer_help(index: usize, bell: Bell) {
    let mut bells = BELLS.lock().unwrap_or_else(PoisonError::into_inner);
    bells.insert(index, bell);
}

/// What a helper is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// Let others run, and poll again.
    Again,
    /// Wait for the bell: its shift is over.
    Rest,
}

/// The state that the I/O thread and its helper share.
#[derive(Default)]
pub(crate) struct Shift {
    index: usize,
    helps: AtomicBool,
    /// When it polled last, and when it last found something.
    polled: AtomicU64,
    found: AtomicU64,
    /// How many ready sockets it found in this shift.
    served: AtomicUsize,
    /// When it let other threads run.
    yielded: AtomicU64,
}

impl Shift {
    pub(crate) fn new(index: usize) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }

    /// Whether it is the helper's.
    pub(crate) fn is_helpers(&self) -> bool {
        self.helps.load(Ordering::Acquire)
    }

    /// Give it to the helper, if there is one.
    fn call_helper(&self) {
        let mut bells = BELLS.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ring) = bells.get(&self.index) else {
            return;
        };
        let now = now_us();
        self.served.store(0, Ordering::Relaxed);
        self.polled.store(now, Ordering::Relaxed);
        self.found.store(now, Ordering::Relaxed);
        self.helps.store(true, Ordering::Release);
        if !ring() {
            bells.remove(&self.index);
            self.end();
        }
    }

    /// Give it back to the I/O thread.
    pub(crate) fn end(&self) {
        self.helps.store(false, Ordering::Release);
    }

    /// Whether the helper has not polled for too long.
    fn is_neglected(&self) -> bool {
        let limit = u64::try_from(LOOK_AFTER.as_micros()).unwrap_or(u64::MAX);
        now_us().saturating_sub(self.polled.load(Ordering::Relaxed)) >= limit
    }

    /// The helper is about to poll.
    pub(crate) fn polls(&self) {
        self.polled.store(now_us(), Ordering::Relaxed);
    }

    /// The helper has polled, and holds no lock. Whether its shift goes on: it ends when there was nothing for some time.
    pub(crate) fn goes_on(&self, found: usize) -> bool {
        let now = now_us();
        if found > 0 {
            self.found.store(now, Ordering::Relaxed);
            self.served.fetch_add(found, Ordering::Relaxed);
        }
        let goes_on = now.saturating_sub(self.found.load(Ordering::Relaxed)) < LINGER;
        if goes_on && now.saturating_sub(self.yielded.load(Ordering::Relaxed)) >= YIELD_AFTER {
            self.yielded.store(now, Ordering::Relaxed);
            thread::yield_now();
        }
        goes_on
    }
}

/// How an I/O thread decides.
#[derive(Default)]
pub(crate) struct Plan {
    /// When the period began, what has been counted since, and the dense periods before it.
    since: u64,
    ready: usize,
    dense: u32,
    /// The helper was called, and its shift may go on.
    called: bool,
    /// The helper is not called before this, and for how long it was not called last.
    not_before: u64,
    pause: u64,
}

impl Plan {
    /// So many sockets were ready: call the helper if traffic is dense.
    pub(crate) fn found(&mut self, ready: usize, shift: &Shift) {
        let now = now_us();
        if std::mem::take(&mut self.called) {
            self.assess(shift, now);
        }
        self.ready += ready;
        let time = now.saturating_sub(self.since);
        if time < PERIOD {
            return;
        }
        let dense = time < 2 * PERIOD && self.ready >= DENSE;
        self.dense = if dense { self.dense + 1 } else { 0 };
        (self.since, self.ready) = (now, 0);
        if self.dense >= PERIODS && now >= self.not_before {
            self.dense = 0;
            self.called = true;
            shift.call_helper();
        }
    }

    /// A shift is over: was it worth it?
    fn assess(&mut self, shift: &Shift, now: u64) {
        self.pause = if shift.served.load(Ordering::Relaxed) >= WORTH {
            0
        } else {
            (2 * self.pause).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
        };
        self.not_before = self.not_before.max(now + self.pause);
    }

    /// Take the shift from a helper that leaves the sockets alone.
    pub(crate) fn look_after(&mut self, shift: &Shift) {
        if shift.is_helpers() && shift.is_neglected() {
            shift.end();
            self.not_before = now_us() + DISTRUST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PAUSE, Plan, SHORTEST_PAUSE, Shift, WORTH};
    use std::sync::atomic::Ordering;

    fn shift(served: usize) -> Shift {
        let shift = Shift::new(0);
        shift.served.store(served, Ordering::Relaxed);
        shift
    }

    #[test]
    fn shifts_for_little_become_rare_and_one_for_much_is_followed_by_the_next() {
        let mut plan = Plan::default();
        let mut expected = SHORTEST_PAUSE;
        for now in (0..20).map(|turn| turn * 1_000_000) {
            plan.assess(&shift(WORTH - 1), now);
            assert_eq!(plan.not_before, now + expected);
            expected = (2 * expected).min(LONGEST_PAUSE);
        }
        for served in [WORTH, WORTH + 1] {
            plan.assess(&shift(served), 50_000_000);
            assert_eq!(plan.not_before, 50_000_000);
        }
        plan.assess(&shift(0), 60_000_000);
        assert_eq!(plan.not_before, 60_000_000 + SHORTEST_PAUSE);
    }

    #[test]
    fn a_pause_does_not_end_because_of_another() {
        let mut plan = Plan {
            not_before: 100,
            ..Plan::default()
        };
        plan.assess(&shift(WORTH), 50);
        assert_eq!(plan.not_before, 100);
    }
}
