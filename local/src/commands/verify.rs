//! `verify`: compares a data folder with the events in it.

use std::error::Error;
use std::path::PathBuf;

use local::verify;

use crate::output::Output;

#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Data folder of `serve --data-dir`. Nothing is written into it.
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Earlier output of this command: every record in it must still exist, with the same events.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

pub async fn run(args: Verify) -> Result<(), Box<dyn Error>> {
    let in_use = verify::is_in_use(&args.data_dir);
    let audited = verify::verify(&args.data_dir).await?;
    let compared = args.against.as_ref().map(|file| verify::compare(&audited, file)).transpose()?;
    let mut out = Output::stdout();
    for line in verify::lines(&audited) {
        out.line(&line)?;
    }
    out.line("Every record is as its events left it.")?;
    if let Some(records) = compared {
        out.line(&format!("The {records} records of the earlier output exist, with the same events."))?;
    }
    if in_use {
        out.line("The folder is in use. This is its state at one moment.")?;
    }
    Ok(out.flush()?)
}
