//! Measures the release binaries of the functions: how they start, their first and their warm requests, CPU time and memory. The
//! same run measures a hello world and peers that do the same, on the same engine. See README.md in this folder.

mod certificate;
mod contender;
mod engine;
mod error;
mod events;
mod http1;
mod measure;
mod options;
mod process;
mod proxy;
mod quota;
mod report;
mod runtime_api;
mod sections;
mod stats;
mod supply;
mod usage;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match sections::run(&options::Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("benches: {error}\n"));
            ExitCode::FAILURE
        }
    }
}
