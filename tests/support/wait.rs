//! Waiting for a condition. Tests never wait for a fixed time, because a busy machine may need any amount of it.

use std::time::{Duration, Instant};

/// Only guards against a test that hangs.
pub const LIMIT: Duration = Duration::from_secs(120);
/// Between two looks at a condition that nothing announces.
const PAUSE: Duration = Duration::from_millis(10);

/// Calls `look` until it returns something.
///
/// # Panics
/// After [`LIMIT`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = Wait::start(what);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        wait.pause().await;
    }
}

/// A wait in a loop of the caller's.
pub struct Wait<'a> {
    what: &'a str,
    began: Instant,
}

impl<'a> Wait<'a> {
    pub fn start(what: &'a str) -> Self {
        Self { what, began: Instant::now() }
    }

    /// Pauses before the next look.
    ///
    /// # Panics
    /// After [`LIMIT`].
    pub async fn pause(&self) {
        assert!(self.began.elapsed() < LIMIT, "waited {LIMIT:?} for {}", self.what);
        tokio::time::sleep(PAUSE).await;
    }
}
