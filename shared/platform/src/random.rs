//! Randomness is an argument, so that a test repeats exactly from its seed.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::digest;

/// Where random bytes come from.
pub trait Random: Send + Sync {
    /// 32 bytes nobody can guess (or, in tests, that the seed tells).
    fn bytes(&self) -> [u8; 32];
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        // The generator fails only where the platform has none; a process without one must not go on.
        if getrandom::fill(&mut bytes).is_err() {
            std::process::abort();
        }
        bytes
    }
}

/// A repeatable sequence from a seed. For tests only: whoever knows the seed knows every byte.
#[derive(Debug, Default)]
pub struct SeededRandom {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededRandom {
    /// The sequence of this seed.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        let (a, b) = (SeededRandom::new(7), SeededRandom::new(7));
        assert_eq!([a.bytes(), a.bytes()], [b.bytes(), b.bytes()]);
        assert_ne!(a.bytes(), SeededRandom::new(8).bytes());
        assert_ne!(SystemRandom.bytes(), SystemRandom.bytes());
    }
}
