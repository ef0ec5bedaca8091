//! What providers publish, kept per issuer for a while. A key of one issuer is never looked up for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;

use super::discovery::Discovery;
use super::keys::KeySet;

/// How long documents are used. A key that its provider has withdrawn is refused after this time.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// An unknown key id makes the keys be read again, but not more often than this. So forged tokens cause no load.
const FETCH_INTERVAL: Duration = Duration::from_secs(60);

/// Every tenant has an issuer of its own, so the number of issuers is limited. The oldest is dropped.
const MAX_ISSUERS: usize = 100;

#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<String, Entry>>);

struct Entry {
    discovery: Arc<Discovery>,
    discovered_at: Timestamp,
    keys: Option<Arc<KeySet>>,
    /// When the keys were last read.
    keys_at: Timestamp,
    /// When the keys were last read, or when someone began to read them again.
    tried_at: Timestamp,
}

impl Cache {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn discovery(&self, issuer: &str, now: Timestamp) -> Option<Arc<Discovery>> {
        let entries = self.entries();
        let entry = entries.get(issuer).filter(|entry| is_fresh(entry.discovered_at, now))?;
        Some(Arc::clone(&entry.discovery))
    }

    pub(super) fn keep_discovery(&self, issuer: &str, discovery: Arc<Discovery>, now: Timestamp) {
        let mut entries = self.entries();
        let known = entries.remove(issuer);
        if entries.len() >= MAX_ISSUERS {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.discovered_at).map(|(issuer, _)| issuer.clone());
            oldest.map(|oldest| entries.remove(&oldest));
        }
        let entry = match known {
            Some(known) => Entry { discovery, discovered_at: now, ..known },
            None => Entry { discovery, discovered_at: now, keys: None, keys_at: now, tried_at: now },
        };
        entries.insert(issuer.to_owned(), entry);
    }

    pub(super) fn keys(&self, issuer: &str, now: Timestamp) -> Option<Arc<KeySet>> {
        self.entries().get(issuer).filter(|entry| is_fresh(entry.keys_at, now))?.keys.clone()
    }

    pub(super) fn keep_keys(&self, issuer: &str, keys: Arc<KeySet>, now: Timestamp) {
        if let Some(entry) = self.entries().get_mut(issuer) {
            (entry.keys, entry.keys_at, entry.tried_at) = (Some(keys), now, now);
        }
    }

    /// Whether the keys may be read again because of an unknown key id. Only one caller gets `true` per interval.
    pub(super) fn may_fetch_again(&self, issuer: &str, now: Timestamp) -> bool {
        let mut entries = self.entries();
        let due = entries.get_mut(issuer).filter(|entry| now.since(entry.tried_at) >= FETCH_INTERVAL);
        due.map(|entry| entry.tried_at = now).is_some()
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) < MAX_AGE
}
