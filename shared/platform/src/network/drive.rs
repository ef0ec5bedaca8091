//! HTTP without spawned tasks: a connection is polled only together with the request that uses it. So nothing runs when a call
//! has returned, since a function may be frozen between calls.

use std::future::poll_fn;
use std::pin::{Pin, pin};

use futures_util::future::Fuse;

/// Polls a connection until the work is done.
pub async fn run_with<C: Future, F: Future>(mut connection: Pin<&mut Fuse<C>>, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        // The work is first, so that the connection finds its request.
        let done = work.as_mut().poll(context);
        if done.is_pending() {
            // When a connection ends, the request reports how. hyper tells it when the connection is dropped, and `Fuse` drops
            // it as soon as it ends.
            let _ = connection.as_mut().poll(context).is_ready();
        }
        done
    })
    .await
}
