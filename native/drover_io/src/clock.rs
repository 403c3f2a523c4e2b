//! Time of the monotonic clock, counted from the first look at it.

use once_cell::sync::Lazy;
use std::time::{Duration, Instant};

static ORIGIN: Lazy<Instant> = Lazy::new(Instant::now);

/// Milliseconds since the library first asked for the time.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(ORIGIN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The same in microseconds.
pub(crate) fn now_us() -> u64 {
    u64::try_from(ORIGIN.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// The instant of such a time, and a little more, because what is shown in milliseconds is rounded down.
pub(crate) fn instant(ms: u64) -> tokio::time::Instant {
    (*ORIGIN + Duration::from_millis(ms + 1)).into()
}
