//! `serve`: runs the API.

mod samples;
mod sign_in;
mod welcome;

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;

use local::{Options, start};

use self::samples::{Seeded, seed};
use self::sign_in::SignIn;
use self::welcome::Welcome;
use super::host::THIS_MACHINE;
use crate::{secret_source, signal};

#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Address to listen on; 0.0.0.0 listens on every address of this machine.
    #[arg(long, default_value_t = THIS_MACHINE)]
    host: IpAddr,
    /// Port to listen on; 0 takes a free port.
    #[arg(long, default_value_t = Self::PORT)]
    port: u16,
    /// Folder for data and master key, created if it does not exist; without it, data is kept in memory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// File with the operator key; default: the environment variable MULTIPARTNER_OPERATOR_KEY, or a generated key that is
    /// kept as long as the data.
    #[arg(long, value_name = "FILE")]
    operator_key_file: Option<PathBuf>,
    /// Allow http://127.0.0.1:PORT endpoints (local testing only).
    #[arg(long)]
    allow_loopback_endpoints: bool,
    /// Do not create sample tenants. A data folder with data of its own never gets any.
    #[arg(long)]
    no_samples: bool,
}

impl Serve {
    const PORT: u16 = 3000;
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            host: THIS_MACHINE,
            port: Self::PORT,
            data_dir: None,
            operator_key_file: None,
            allow_loopback_endpoints: false,
            no_samples: false,
        }
    }
}

/// Serves until a signal to stop.
pub async fn run(args: Serve) -> Result<(), Box<dyn Error>> {
    let operator_key = secret_source::operator_key(args.operator_key_file.as_deref())?;
    let generated_key = operator_key.is_none();
    let sign_in = SignIn::prepare(args.host).await?;
    let local = start(Options {
        sign_in: sign_in.settings()?,
        host: args.host,
        port: args.port,
        data_dir: args.data_dir,
        operator_key,
        loopback_endpoints: args.allow_loopback_endpoints,
        ..Options::default()
    })
    .await?;
    let seeded = if args.no_samples { Seeded::Disabled } else { seed(&local).await? };
    let operator_changed = match local.data_dir() {
        Some(dir) => dir.operator_changed(&local.operator_key().hash())?,
        None => false,
    };
    let stopped = signal::stop()?;
    let working = local.work().await?;
    let loopback_endpoints = args.allow_loopback_endpoints;
    let welcome = Welcome {
        local: &local,
        seeded: &seeded,
        sign_in: &sign_in,
        generated_key,
        loopback_endpoints,
        operator_changed,
    };
    welcome.print()?;
    stopped.await;
    drop(working);
    local.stop().await;
    sign_in.stop().await;
    Ok(())
}
