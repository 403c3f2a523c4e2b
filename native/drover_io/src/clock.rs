//! Milliseconds of the monotonic clock, counted from the first look at it.

use once_cell::sync::Lazy;
use std::time::Instant;

static ORIGIN: Lazy<Instant> = Lazy::new(Instant::now);

/// Milliseconds since the library first asked for the time.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(ORIGIN.elapsed().as_millis()).unwrap_or(u64::MAX)
}
