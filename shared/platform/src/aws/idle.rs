//! Open connections that wait for the next request. Nothing reads from them meanwhile, so they are looked at before they are
//! used.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::yield_now;

use super::link::Link;
use super::message::Target;

/// A connection that was not used for longer is not used again.
const MOST_IDLE: Duration = Duration::from_secs(90);

/// The most connections to one target that wait. A function sends few requests at once.
const MOST_LINKS: usize = 8;

#[derive(Default)]
pub(super) struct IdleLinks(Mutex<Vec<Link>>);

impl IdleLinks {
    /// The connection to a target that was used last, if it is still open. The others to this target stay.
    pub(super) async fn take(&self, target: &Target) -> Option<Link> {
        while let Some(mut link) = self.pop(target) {
            // The runtime now looks at its sockets. Otherwise what happened to them since it last waited would be unknown.
            yield_now().await;
            if link.is_usable().await && link.idle_for() <= MOST_IDLE {
                return Some(link);
            }
        }
        None
    }

    /// Keeps a connection, if it can have another request. Those that waited too long are closed, and of too many to one target
    /// the oldest.
    pub(super) async fn put(&self, mut link: Link) {
        if link.is_usable().await {
            link.rest();
            let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            links.retain(|link| link.idle_for() <= MOST_IDLE);
            let same = links.iter().enumerate().filter(|(_, other)| other.target() == link.target());
            let same: Vec<usize> = same.map(|(at, _)| at).collect();
            if let Some(oldest) = same.first().filter(|_| same.len() >= MOST_LINKS) {
                links.remove(*oldest);
            }
            links.push(link);
        }
    }

    fn pop(&self, target: &Target) -> Option<Link> {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = links.iter().rposition(|link| link.target() == target)?;
        Some(links.remove(at))
    }
}
