//! The local system as a process that tests can kill: `killable <folder> <port>`. The data is kept in the folder, whose file
//! `clock` says what time it is. Once it works, it prints its address and the operator's key. It ends when its input does,
//! so that none outlives its test.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use local::Options;
use tests::FileClock;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
    let _working = local.work().await?;
    writeln!(std::io::stdout(), "{} {}", local.base_url(), local.operator_key().expose_secret())?;
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}
