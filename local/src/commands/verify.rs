//! `verify`: checks the events of a data folder.

use std::error::Error;
use std::path::PathBuf;

use crate::output::Output;

#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Data folder of `serve --data-dir`.
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

pub async fn run(args: Verify) -> Result<(), Box<dyn Error>> {
    let audited = local::verify::verify(&args.data_dir).await?;
    let mut out = Output::stdout();
    out.line(&format!("{} records, {} events: every hash chain is valid.", audited.aggregates, audited.events))?;
    Ok(out.flush()?)
}
