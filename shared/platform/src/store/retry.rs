use super::error::StoreError;

/// Each change is the success of another caller, so this many callers can write to one item at once. The age of the write ends
/// the tries earlier.
const TRIES: usize = 20;

/// How one try to read, decide and write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    Done(T),
    /// The item changed between reading and writing.
    Changed,
}

/// Reads, decides and writes. Starts again if the item changed in between.
///
/// # Errors
/// The error of a try, or [`StoreError::Contention`] if the item changed each time.
pub async fn retry_on_change<T, E, F>(mut step: impl FnMut() -> F) -> Result<T, E>
where
    E: From<StoreError>,
    // Not an `AsyncFnMut`: the compiler cannot tell that its future is `Send`.
    F: Future<Output = Result<Step<T>, E>>,
{
    for _ in 0..TRIES {
        if let Step::Done(done) = step().await? {
            return Ok(done);
        }
    }
    Err(StoreError::Contention.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_is_retried_up_to_a_limit() {
        for changes in 0..TRIES + 2 {
            let mut tries = 0;
            let result: Result<usize, StoreError> = retry_on_change(|| {
                tries += 1;
                std::future::ready(Ok(if tries > changes { Step::Done(tries) } else { Step::Changed }))
            })
            .await;
            match result {
                Ok(tries) => assert_eq!(tries, changes + 1),
                Err(error) => assert!(changes >= TRIES && matches!(error, StoreError::Contention)),
            }
            assert_eq!(tries, (changes + 1).min(TRIES));
        }
    }
}
