//! Trying the addresses of a name.

use std::net::IpAddr;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

/// Opens a connection to the first address that accepts it and can then be secured. For the connection each address gets an
/// equal share of the remaining time, so an address that never responds does not use up the time of the others. Securing it,
/// which takes a slow processor long, has all the time that is left. The failure is that of the last address, or `none` if there
/// is no address.
///
/// # Errors
/// What `connect` or `secure` fails with, or the time limit.
pub async fn first<C, T, E: From<Elapsed>, F, G>(
    addresses: &[IpAddr],
    deadline: Instant,
    none: E,
    connect: impl Fn(IpAddr) -> F,
    secure: impl Fn(C) -> G,
) -> Result<T, E>
where
    F: Future<Output = Result<C, E>>,
    G: Future<Output = Result<T, E>>,
{
    let mut failure = none;
    for (left, address) in (1..=addresses.len()).rev().zip(addresses) {
        let rest = deadline.saturating_duration_since(Instant::now());
        let share = rest / u32::try_from(left).unwrap_or(u32::MAX);
        let opened = async { timeout_at(deadline, secure(timeout(share, connect(*address)).await??)).await? };
        match opened.await {
            Ok(opened) => return Ok(opened),
            Err(reason) => failure = reason,
        }
        if deadline <= Instant::now() {
            break;
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::io;
    use std::net::Ipv4Addr;
    use std::sync::Mutex;
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(3);

    /// Dials eight addresses. Those before `accepts` never respond, and securing takes this long. Returns the result, the time
    /// that it took and the addresses that were tried.
    async fn dial(accepts: u8, securing: Duration) -> (io::Result<u8>, Duration, Vec<u8>) {
        let addresses: Vec<IpAddr> = (0..8).map(|last| Ipv4Addr::new(192, 0, 2, last).into()).collect();
        let (began, tried) = (Instant::now(), Mutex::new(Vec::new()));
        let connect = |address: IpAddr| {
            let IpAddr::V4(address) = address else { unreachable!() };
            let [.., last] = address.octets();
            tried.lock().unwrap().push(last);
            async move { if last < accepts { pending().await } else { Ok(last) } }
        };
        let secure = |last| async move {
            sleep(securing).await;
            Ok(last)
        };
        let dialled = first(&addresses, began + LIMIT, io::ErrorKind::NotFound.into(), connect, secure).await;
        (dialled, began.elapsed(), tried.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn securing_a_connection_may_take_longer_than_the_share_of_an_address() {
        let share = LIMIT / 8;
        for (accepts, securing) in [(0, share * 7), (1, share * 6), (6, share + share / 2)] {
            let (dialled, took, tried) = dial(accepts, securing).await;
            assert_eq!((dialled.unwrap(), tried.len()), (accepts, usize::from(accepts) + 1));
            assert!(took < LIMIT, "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_ends_everything() {
        let (dialled, took, tried) = dial(0, LIMIT * 2).await;
        assert_eq!(dialled.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!((took.as_secs(), tried), (3, vec![0]), "no other address is tried");
        let (dialled, took, tried) = dial(8, Duration::ZERO).await;
        assert_eq!(dialled.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!((took.as_secs(), tried.len()), (3, 8));
    }
}
