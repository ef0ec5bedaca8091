//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Section {
    /// Whether the peers write the same items and reject the same requests; fails if not
    Parity,
    /// Every function with its first sample, next to the hello world
    Starts,
    /// Create, accept and register, next to the peers
    Commands,
    /// Create with the CPU share that Lambda gives to 128, 512 and 1 769 MB
    Quota,
    /// The ratios that the design bounds
    Ratios,
    /// Resident memory after many requests
    Memory,
}

/// Measure the release binaries of the functions next to a hello world and peers
#[derive(Debug, Parser)]
pub struct Options {
    /// Folder with built functions, optionally with a label (LABEL=DIR). Repeat it to compare builds in the same rounds; the
    /// first one prepares the data
    #[arg(long, value_name = "DIR", default_value = "target/lambda")]
    pub functions: Vec<String>,
    /// The `multipartner` program whose engine is used
    #[arg(long, value_name = "FILE", default_value = "target/bench/build/release/multipartner")]
    pub engine: PathBuf,
    /// The hello world
    #[arg(long, value_name = "FILE", default_value = "target/bench/hello")]
    pub hello: PathBuf,
    /// Folder with the built peers
    #[arg(long, value_name = "DIR", default_value = "target/bench/peers")]
    pub peers: PathBuf,
    /// Folder for logs and the result as JSON
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub output: PathBuf,
    /// Folder of the repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub root: PathBuf,
    /// Processes of each contender
    #[arg(long, default_value_t = 20)]
    pub rounds: usize,
    /// Warm requests of each process
    #[arg(long, default_value_t = 100)]
    pub warm: usize,
    /// Requests after which memory is measured
    #[arg(long, default_value_t = 10_000)]
    pub memory_requests: usize,
    /// Sections to run, separated by commas; without it, all
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Section>,
}

impl Options {
    pub fn runs(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }
}
