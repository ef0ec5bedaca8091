//! `dynamodb`: runs only the engine.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use local::engine::Engine;
use local::{DataDir, StartError, TABLE, table_config};
use platform::aws;
use platform::store::{client, schema};

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
    let file = folder.as_ref().map(DataDir::database);
    let engine = Engine::start(SocketAddr::new(args.host, args.port), file.as_deref()).await?;
    let table = client::connect(&table_config(Some(engine.endpoint().to_owned())).dynamodb, aws::http_client());
    schema::create_table(&table, TABLE).await.map_err(StartError::from)?;
    drop(table);
    let mut out = Output::stdout();
    out.heading(&format!("The table `{TABLE}` is available at {}", engine.endpoint()))?;
    out.note("Any credentials and Region are accepted. Press Ctrl-C to stop.")?;
    out.flush()?;
    drop(out);
    signal::stop().await;
    engine.stop().await;
    Ok(())
}
