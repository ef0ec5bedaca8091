//! The places of a listener's open connections.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A limited number of places. If none is free, the place that was not renewed for longest is taken back.
pub struct Places {
    free: Arc<Semaphore>,
    taken: Arc<Mutex<Taken>>,
}

/// How to tell each holder that its place is lost, by the order of the last renewals.
#[derive(Default)]
struct Taken {
    last: u64,
    holders: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Taken {
    fn add(&mut self, holder: oneshot::Sender<()>) -> u64 {
        self.last += 1;
        self.holders.insert(self.last, holder);
        self.last
    }
}

impl Places {
    pub fn new(max: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(max)), taken: Arc::default() }
    }

    /// Takes a free place, or the oldest one as soon as its holder gives it up.
    pub async fn take(&self) -> Place {
        let free = Arc::clone(&self.free);
        if free.available_permits() == 0
            && let Some((_, oldest)) = lock(&self.taken).holders.pop_first()
        {
            let _ = oldest.send(());
        }
        let (holder, lost) = oneshot::channel();
        let permit = free.acquire_owned().await.ok();
        let number = lock(&self.taken).add(holder);
        Place { number, lost: Some(lost), taken: Arc::clone(&self.taken), _permit: permit }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place. Dropping it frees it.
pub struct Place {
    number: u64,
    /// `None` after it was lost.
    lost: Option<oneshot::Receiver<()>>,
    taken: Arc<Mutex<Taken>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Makes this the newest place.
    pub fn renew(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(holder) = taken.holders.remove(&self.number) {
            self.number = taken.add(holder);
        }
    }

    /// Ready when the holder must give the place up.
    pub fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(lost) = &mut self.lost else { return Poll::Ready(()) };
        if Pin::new(lost).poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.lost = None;
        Poll::Ready(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.taken).holders.remove(&self.number);
    }
}
