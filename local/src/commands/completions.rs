//! `completions`: prints a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Done;
use crate::cli::Cli;
use crate::output::Output;

#[derive(Debug, clap::Args)]
pub struct Completions {
    shell: Shell,
}

pub fn run(Completions { shell }: Completions) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "multipartner", &mut script);
    let mut out = Output::stdout();
    out.text(&script)?;
    Ok(out.flush()?)
}
