//! Reading a body, with limits on time and memory.

use std::ops::Deref;
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a client may take to send a body.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest body of a valid request, in bytes. Only a few larger ones are in memory at once, because the
/// caller is not known yet.
const LARGE: usize = 256 * 1024;
const LARGE_AT_ONCE: usize = 2;

static LARGE_PLACES: Semaphore = Semaphore::const_new(LARGE_AT_ONCE);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    TooSlow,
    /// The client closed the connection or sent a malformed body.
    Incomplete,
}

/// A whole body. A large one holds its place until it is dropped.
#[derive(Debug)]
pub struct ReadBody {
    bytes: Vec<u8>,
    _place: Option<SemaphorePermit<'static>>,
}

impl Deref for ReadBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a whole body of at most `max` bytes.
///
/// # Errors
/// [`BodyError`] if it is larger, late or incomplete.
pub async fn read_body<B>(body: B, max: usize) -> Result<ReadBody, BodyError>
where
    B: HttpBody<Data = Bytes>,
{
    // A body whose announced length is too large is not read at all.
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLarge);
    }
    tokio::time::timeout(TIMEOUT, collect(body, max, &LARGE_PLACES)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect<B>(body: B, max: usize, places: &'static Semaphore) -> Result<ReadBody, BodyError>
where
    B: HttpBody<Data = Bytes>,
{
    let mut body = std::pin::pin!(body);
    let (mut bytes, mut place) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Incomplete)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > max {
            return Err(BodyError::TooLarge);
        }
        if length > LARGE && place.is_none() {
            place = places.acquire().await.ok();
        }
        bytes.extend_from_slice(&data);
    }
    Ok(ReadBody { bytes, _place: place })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::Body;
    use http_body_util::Full;
    use hyper::body::Frame;

    use super::*;

    static PLACES: Semaphore = Semaphore::const_new(1);

    /// A body that never comes.
    struct Pending;

    impl HttpBody for Pending {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    fn body(length: usize) -> Full<Bytes> {
        Full::from(vec![b'a'; length])
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_takes_too_long_is_given_up() {
        assert_eq!(read_body(Pending, 10).await.unwrap_err(), BodyError::TooSlow);
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit() {
        assert_eq!(read_body(body(10), 10).await.unwrap().len(), 10);
        assert_eq!(read_body(body(11), 10).await.unwrap_err(), BodyError::TooLarge);
        assert_eq!(&*read_body(Body::from("a"), 10).await.unwrap(), b"a");
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_body_waits_for_its_place_and_a_small_one_does_not() {
        let first = collect(body(LARGE + 1), usize::MAX, &PLACES).await.unwrap();
        let small = collect(body(LARGE), usize::MAX, &PLACES).await.unwrap();
        let wait = tokio::time::timeout(TIMEOUT, collect(body(LARGE + 1), usize::MAX, &PLACES)).await;
        assert!(wait.is_err(), "the place is taken");
        drop((first, small));
        assert_eq!(collect(body(LARGE + 1), usize::MAX, &PLACES).await.unwrap().len(), LARGE + 1);
    }
}
