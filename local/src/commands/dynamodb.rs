//! `dynamodb`: runs only the engine.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use local::engine::{Engine, server};
use local::{Bound, DataDir, StartError, TABLE};
use platform::store::schema;

use super::host::THIS_MACHINE;
use crate::output::Output;
use crate::signal;

#[derive(Debug, clap::Args)]
pub struct Dynamodb {
    /// Address to listen on. Use 0.0.0.0 for containers; then every machine that reaches this one has access without
    /// credentials.
    #[arg(long, default_value_t = THIS_MACHINE)]
    host: IpAddr,
    /// Port to listen on; 0 takes a free port.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Data folder, created if it does not exist; without it, data is kept in memory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Runs the engine until a signal to stop.
pub async fn run(args: Dynamodb) -> Result<(), Box<dyn Error>> {
    let folder = args.data_dir.as_deref().map(DataDir::open).transpose()?;
    let engine = match &folder {
        Some(folder) => Engine::open(&folder.database()?)?,
        None => Engine::memory()?,
    };
    let bound = Bound::to(SocketAddr::new(args.host, args.port)).await?;
    schema::create_table(&engine.client(), TABLE).await.map_err(StartError::from)?;
    let stopped = signal::stop()?;
    let mut out = Output::stdout();
    out.heading(&format!("The table `{TABLE}` is available at {}", bound.url()))?;
    out.line("Warning: for local use only. Every program that reaches this address can read and change the table.")?;
    out.note("Any credentials and Region are accepted. Requests from web pages are rejected. Press Ctrl-C to stop.")?;
    out.flush()?;
    drop(out);
    let server = server::serve(engine, bound);
    stopped.await;
    server.stop().await;
    Ok(())
}
