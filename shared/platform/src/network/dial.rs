//! Trying the addresses of a name.

use std::net::IpAddr;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

/// Opens a connection to the first address that accepts it. Each address gets an equal share of the remaining time, so an
/// address that never responds does not use up the time of the others. The failure is that of the last address, or `none` if
/// there is no address.
///
/// # Errors
/// What `open` fails with, or the time limit.
pub async fn first<T, E: From<Elapsed>, F: Future<Output = Result<T, E>>>(
    addresses: &[IpAddr],
    deadline: Instant,
    none: E,
    open: impl Fn(IpAddr) -> F,
) -> Result<T, E> {
    let mut failure = none;
    for (left, address) in (1..=addresses.len()).rev().zip(addresses) {
        let rest = deadline.saturating_duration_since(Instant::now());
        let share = rest / u32::try_from(left).unwrap_or(u32::MAX);
        match timeout(share, open(*address)).await.unwrap_or_else(|elapsed| Err(elapsed.into())) {
            Ok(opened) => return Ok(opened),
            Err(reason) => failure = reason,
        }
    }
    Err(failure)
}
