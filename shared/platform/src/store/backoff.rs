use std::time::Duration;

use super::table::Store;

/// The waits between tries, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Backoff {
    pub(super) first: u64,
    pub(super) longest: u64,
}

impl Store {
    /// Full jitter: up to a bound that doubles with every try.
    pub(super) fn pause(&self, backoff: Backoff, tries: u32) -> Duration {
        let bound = backoff.first.saturating_mul(1 << tries.min(10)).min(backoff.longest);
        let [a, b, c, d, e, f, ..] = self.random.bytes();
        Duration::from_millis(u64::from_be_bytes([0, 0, a, b, c, d, e, f]) % bound + 1)
    }
}
