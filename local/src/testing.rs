//! Helpers of several unit tests.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use platform::random::{Random, SystemRandom};

/// A path for a folder that no other test has; removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let name = format!("multipartner-{}", HEXLOWER.encode(&SystemRandom.bytes()[..8]));
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// "Random" bytes that are always the same.
pub struct FixedRandom(pub u8);

impl Random for FixedRandom {
    fn bytes(&self) -> [u8; 32] {
        [self.0; 32]
    }
}
