//! Retries, for calls that may be sent twice.

use std::future::Future;
use std::time::{Duration, Instant};

use super::{Client, ClientError};
use crate::api::{Answer, Call};

/// How often to try, and how long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Tries, with the first one.
    pub tries: u32,
    /// The wait before the second try, without `Retry-After`. It doubles with each further one.
    pub first_wait: Duration,
    /// The limit of a wait that doubles.
    pub longest_wait: Duration,
    /// The limit of all tries together. A `Retry-After` that goes beyond it ends the retries.
    pub longest_total: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            tries: 6,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(30),
            longest_total: Duration::from_secs(120),
        }
    }
}

/// The wait before the next try; `None` if the error is final. `tried` counts from 1. `jitter` is from 0 to 1: between half and
/// the whole wait is taken, and after `Retry-After` up to a quarter more. `spent` is the time since the first try.
pub fn wait_before(retry: &Retry, tried: u32, spent: Duration, error: &ClientError, jitter: f64) -> Option<Duration> {
    if !error.is_retryable() || tried >= retry.tries {
        return None;
    }
    let jitter = jitter.clamp(0.0, 1.0);
    let left = retry.longest_total.saturating_sub(spent);
    match error.retry_after() {
        Some(wait) if wait > left => None,
        Some(wait) => Some(wait.mul_f64(1.0 + jitter / 4.0).min(left)),
        None if left.is_zero() => None,
        None => {
            let doubled = retry.first_wait.saturating_mul(2_u32.saturating_pow(tried - 1)).min(retry.longest_wait);
            Some(doubled.mul_f64(0.5 + jitter / 2.0).min(left))
        }
    }
}

impl Client {
    /// Sends a call that may take effect twice without harm until it has a final answer. `wait` sleeps, and may tell the error.
    ///
    /// # Errors
    /// The last error.
    pub async fn call_retrying<F: Future<Output = ()>>(
        &self,
        call: &Call,
        retry: &Retry,
        mut jitter: impl FnMut() -> f64,
        mut wait: impl FnMut(Duration, &ClientError) -> F,
    ) -> Result<Answer, ClientError> {
        let (mut tried, mut waited, started) = (0, Duration::ZERO, Instant::now());
        loop {
            tried += 1;
            let error = match self.call(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match wait_before(retry, tried, started.elapsed().max(waited), &error, jitter()) {
                Some(time) => {
                    waited += time;
                    wait(time, &error).await;
                }
                None => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Rejection;

    const RETRY: Retry = Retry {
        tries: 4,
        first_wait: Duration::from_secs(1),
        longest_wait: Duration::from_secs(3),
        longest_total: Duration::from_secs(300),
    };

    fn wait_before(retry: &Retry, tried: u32, error: &ClientError, jitter: f64) -> Option<Duration> {
        super::wait_before(retry, tried, Duration::ZERO, error, jitter)
    }

    fn unreachable() -> ClientError {
        ClientError::Unreachable { address: String::new(), cause: String::new(), is_sent_change: false }
    }

    fn rejection() -> Box<Rejection> {
        Box::new(Rejection {
            status: 429,
            title: String::new(),
            detail: String::new(),
            code: None,
            request_id: None,
            retryable: true,
            errors: Vec::new(),
            document: serde_json::Value::Null,
        })
    }

    #[test]
    fn waits_double_up_to_a_limit_and_then_end() {
        let waits = |jitter| {
            (1..=4)
                .map(|tried| wait_before(&RETRY, tried, &unreachable(), jitter).map(|wait| wait.as_millis()))
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(1.0), [Some(1000), Some(2000), Some(3000), None]);
        assert_eq!(waits(0.0), [Some(500), Some(1000), Some(1500), None]);
    }

    #[test]
    fn retry_after_is_respected_unless_it_is_too_long() {
        let asked = |seconds| ClientError::Retryable(rejection(), Some(Duration::from_secs(seconds)));
        assert_eq!(wait_before(&RETRY, 1, &asked(2), 0.0), Some(Duration::from_secs(2)));
        assert_eq!(wait_before(&RETRY, 1, &asked(2), 1.0), Some(Duration::from_millis(2500)));
        assert_eq!(wait_before(&RETRY, 1, &asked(31), 0.0), Some(Duration::from_secs(31)));
        assert_eq!(wait_before(&RETRY, 1, &asked(300), 1.0), Some(Duration::from_secs(300)));
        assert_eq!(wait_before(&RETRY, 1, &asked(301), 0.0), None);
        let late = |spent, seconds| super::wait_before(&RETRY, 1, Duration::from_secs(spent), &asked(seconds), 0.0);
        assert_eq!((late(269, 31), late(270, 31)), (Some(Duration::from_secs(31)), None));
        let late = super::wait_before(&RETRY, 1, Duration::from_secs(300), &unreachable(), 0.0);
        assert_eq!(late, None);
    }

    #[test]
    fn a_final_error_is_not_retried() {
        for error in [ClientError::Rejected(rejection()), ClientError::Key(rejection())] {
            assert_eq!(wait_before(&RETRY, 1, &error, 0.5), None);
        }
    }
}
