//! The local system as a process that tests can kill: `killable <folder> <port>`.
//!
//! Data is kept in the folder. Its file `clock` contains the current time. Once the system works, the process prints its
//! address and the operator's key. For each line on standard input it stops working in the background, publishes and
//! delivers everything that is due, and prints when something is due next, in milliseconds since 1970, or `-`. It exits
//! at the end of the input, so that it does not outlive its test.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use local::Options;
use local::courier::Courier;
use tests::FileClock;
use tokio::sync::mpsc;

type Failure = Box<dyn std::error::Error>;

/// Batches delivered at the same time.
const DELIVERING: usize = 8;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().ok_or("a folder is expected")?);
    let port = args.next().ok_or("a port is expected")?.parse()?;
    let local = local::start(Options {
        port,
        clock: Arc::new(FileClock::of(&folder.join("clock"))),
        data_dir: Some(folder.join("data")),
        loopback_endpoints: true,
        ..Options::default()
    })
    .await?;
    let mut working = local.work().await?;
    writeln!(std::io::stdout(), "{} {}", local.base_url(), local.operator_key().expose_secret())?;
    let mut lines = lines();
    while lines.recv().await.is_some() {
        working.shutdown().await;
        let next = settle(local.courier()).await?;
        writeln!(std::io::stdout(), "{next}")?;
    }
    Ok(())
}

/// Publishes and delivers until nothing is due; when something is due next.
async fn settle(courier: &Courier) -> Result<String, Failure> {
    loop {
        let published = courier.publish().await?;
        let delivered: usize = join_all((0..DELIVERING).map(|_| courier.deliver())).await.into_iter().sum();
        if published + delivered == 0 {
            break;
        }
    }
    let next = courier.next_later().await?.into_iter().chain(courier.queue.next_visible()).min();
    Ok(next.map_or_else(|| "-".to_owned(), |next| next.millis().to_string()))
}

/// The lines of standard input, until it ends.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (send, receive) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}
