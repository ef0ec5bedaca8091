//! What the courier knows about the shards of waiting items from earlier looks, so that it reads only those that may have changed.
//! Without any write, and with nothing due, it reads nothing.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use platform::store::{Marked, Waiting};

use crate::engine::Engine;

/// What earlier looks found. The default knows nothing.
#[derive(Default)]
pub struct Known {
    /// The last write of the engine that is taken into account.
    seen: u64,
    /// The shards of the outbox that may have items.
    outbox: BTreeSet<u8>,
    /// The shards of unfinished deliveries that may have an earlier time than in `later`.
    unread: BTreeSet<u8>,
    /// The time of the first unfinished delivery in each shard, or an earlier one.
    later: BTreeMap<u8, Timestamp>,
    /// A shard whose time in `later` was just read.
    confirmed: Option<u8>,
    /// The keys of the items that the last look at the outbox found.
    found: Vec<(String, String)>,
}

impl Known {
    /// Takes all writes until now into account. Shards stay in the lists until they have been read, so a look that is cancelled
    /// or fails loses nothing.
    pub(super) fn refresh(&mut self, engine: &Engine) {
        let (seen, shards) = engine.marked_since(self.seen);
        self.seen = seen;
        self.confirmed = None;
        for shard in shards {
            match shard {
                Waiting::Outbox(number) => self.outbox.insert(number),
                Waiting::Later(number) => self.unread.insert(number),
            };
        }
    }

    /// The shards of the outbox that may have items.
    pub(super) fn outbox(&self) -> Vec<Waiting> {
        self.outbox.iter().copied().map(Waiting::Outbox).collect()
    }

    /// The shard has no items.
    pub(super) fn emptied(&mut self, shard: Waiting) {
        if let Waiting::Outbox(number) = shard {
            self.outbox.remove(&number);
        }
    }

    /// Whether these are other items than at the last look. An event for an endpoint that only newer code can read stays in the
    /// outbox, so publishing it again is no progress.
    pub(super) fn are_new(&mut self, waiting: &[Marked]) -> bool {
        let key = |marked: &Marked| (marked.key().0.to_owned(), marked.key().1.to_owned());
        let keys: Vec<(String, String)> = waiting.iter().map(key).collect();
        let are_new = self.found != keys;
        self.found = keys;
        are_new
    }

    /// A shard to read next, until the first time that is not after `until` is confirmed. Removed marks are not noticed, so a first
    /// time that comes due is read again. Times after `until` are not confirmed: the real one may be later.
    pub(super) fn unread(&self, until: Timestamp) -> Option<Waiting> {
        let first = || self.first().filter(|(at, number)| *at <= until && self.confirmed != Some(*number));
        self.unread.first().copied().or_else(|| first().map(|(_, number)| number)).map(Waiting::Later)
    }

    /// The shard was read: its first time.
    pub(super) fn has_read(&mut self, shard: Waiting, first: Option<Timestamp>) {
        let Waiting::Later(number) = shard else { return };
        self.unread.remove(&number);
        self.confirmed = Some(number);
        match first {
            Some(first) => self.later.insert(number, first),
            None => self.later.remove(&number),
        };
    }

    /// The time of the first unfinished delivery.
    pub(super) fn first_later(&self) -> Option<Timestamp> {
        self.first().map(|(at, _)| at)
    }

    fn first(&self) -> Option<(Timestamp, u8)> {
        self.later.iter().map(|(number, at)| (*at, *number)).min()
    }
}
