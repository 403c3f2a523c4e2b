//! When a client that sends nothing is to be dropped. Times are milliseconds of any one monotonic clock.

/// How precisely the timeout is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdlePolicy {
    /// To the millisecond: Cowboy 2.0's previews.
    Exact,
    /// By a clock that ticks ten times in the timeout; the connection ends at the eleventh tick after the last
    /// byte, so between once and 1.1 times the timeout: Cowboy since 2.13.
    Ticks,
}

/// The tick at which it ends, counted from the last byte.
const LAST_TICK: u64 = 11;

/// The rule for one connection, until its timeout is set anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleRule {
    policy: IdlePolicy,
    timeout: u64,
    start: u64,
}

impl IdleRule {
    /// The timeout counts, and ticks, from `start_ms`.
    pub fn new(policy: IdlePolicy, timeout_ms: u64, start_ms: u64) -> Self {
        Self {
            policy,
            timeout: timeout_ms,
            start: start_ms,
        }
    }

    /// How it counts.
    pub fn policy(&self) -> IdlePolicy {
        self.policy
    }

    /// Milliseconds from `now_ms` to the end when nothing came after `last_rx_ms`; 0 = it is over.
    pub fn left(&self, last_rx_ms: u64, now_ms: u64) -> u64 {
        let last = last_rx_ms.max(self.start);
        let end = match self.policy {
            IdlePolicy::Exact => last.saturating_add(self.timeout),
            IdlePolicy::Ticks => self.last_tick(last),
        };
        end.saturating_sub(now_ms)
    }

    fn last_tick(&self, last: u64) -> u64 {
        // Below ten milliseconds the clock ticks without a pause and is over at once.
        let Some(tick @ 1..) = self.timeout.checked_div(10) else {
            return self.start;
        };
        let seen = (last - self.start) / tick;
        tick.saturating_mul(seen + LAST_TICK)
            .saturating_add(self.start)
    }
}
