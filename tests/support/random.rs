use std::sync::atomic::{AtomicU64, Ordering};

use domain::digest;
use platform::random::Random;

/// Random bytes that follow from a seed.
#[derive(Debug, Default)]
pub struct SeededRandom {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Random for SeededRandom {
    fn bytes(&self) -> [u8; 32] {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        digest("seeded random", &[&self.seed.to_be_bytes(), &drawn.to_be_bytes()])
    }
}
