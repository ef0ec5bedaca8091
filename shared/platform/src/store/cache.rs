//! Every request needs partners and keys, which rarely change, so they are cached for 30 s. Absence is never cached, so a new
//! key or partner works at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;

const KEEP_MS: i64 = 30_000;
/// When a cache has this many entries it is cleared, to bound the memory.
const MOST: usize = 1_000;

/// Values by key, each for at most 30 s.
#[derive(Debug)]
pub struct Cache<K, V>(Mutex<HashMap<K, (Timestamp, V)>>);

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// `None` if the value was put 30 s ago or earlier.
    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = map.get(key)?;
        (0..KEEP_MS).contains(&(now.millis() - at.millis())).then(|| value.clone())
    }

    pub fn put(&self, key: K, value: V, now: Timestamp) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MOST {
            map.clear();
        }
        map.insert(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cached_for_less_than_thirty_seconds() {
        let cache = Cache::default();
        let then = Timestamp::from_millis(1_000_000);
        cache.put("k", 1, then);
        assert_eq!(cache.get(&"k", then.plus_millis(29_999)), Some(1));
        assert_eq!(cache.get(&"k", then.plus_millis(30_000)), None);
        assert_eq!(cache.get(&"k", then.plus_millis(-1)), None);
    }
}
