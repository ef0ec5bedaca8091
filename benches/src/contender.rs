//! What is measured: our functions in one or more builds, the hello world, and the peers.

use std::path::{Path, PathBuf};

use crate::process::Launch;

/// The commands that every contender except the hello world carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Create,
    Accept,
    Register,
}

impl Command {
    pub const ALL: [Self; 3] = [Self::Create, Self::Accept, Self::Register];

    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Accept => "accept",
            Self::Register => "register",
        }
    }

    /// Our function that carries it out.
    pub fn function(self) -> &'static str {
        match self {
            Self::Create => "create-invitation",
            Self::Accept => "accept-invitation",
            Self::Register => "register-subscription",
        }
    }
}

/// A folder of our binaries.
#[derive(Clone, Debug)]
pub struct Build {
    pub label: String,
    pub folder: PathBuf,
}

impl Build {
    /// `LABEL=FOLDER` or `FOLDER`.
    pub fn parse(text: &str) -> Self {
        let (label, folder) = text.split_once('=').unwrap_or(("functions", text));
        Self { label: label.to_owned(), folder: folder.into() }
    }

    /// The binary of a function, as `cargo lambda build` or as `cargo build` places it; `None` if it is not built.
    pub fn program(&self, function: &str) -> Option<PathBuf> {
        let folder = self.folder.join(function);
        [folder.join("bootstrap"), folder].into_iter().find(|file| file.is_file())
    }

    pub fn launch(&self, function: &str) -> Option<Launch> {
        self.program(function).map(|program| Launch { program, arguments: Vec::new(), variables: Vec::new() })
    }
}

/// Something that is measured.
#[derive(Clone, Debug)]
pub struct Contender {
    pub name: String,
    /// How each command is started, in the order of [`Command::ALL`]; `None` if it does not carry it out.
    pub launches: [Option<Launch>; 3],
}

impl Contender {
    pub fn ours(build: &Build) -> Self {
        Self { name: build.label.clone(), launches: Command::ALL.map(|command| build.launch(command.function())) }
    }

    pub fn launch(&self, command: Command) -> Option<&Launch> {
        self.launches[command as usize].as_ref()
    }
}

const RUST_PEER: &str = "Rust + lambda_http";
/// Our create with the SDK's client as usually set up.
const USUAL_CLIENT: &str = "ours, usual SDK client";

/// The peers that are built in this folder, and why others are left out.
pub fn peers(folder: &Path) -> (Vec<Contender>, Vec<String>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let python = folder.join("python");
    let interpreted = |program: PathBuf, file: PathBuf| Launch {
        program,
        arguments: vec![file.display().to_string()],
        variables: Vec::new(),
    };
    let program = |file: &str| Launch { program: folder.join(file), arguments: vec![], variables: vec![] };
    let all = [
        ("Python + boto3", interpreted(python.join("bin/python"), python.join("app.py"))),
        ("TypeScript + SDK v3", interpreted(folder.join("typescript/node"), folder.join("typescript/app.js"))),
        (RUST_PEER, program("rust/peer")),
        (USUAL_CLIENT, program("rust/usual-client")),
    ];
    for (name, launch) in all {
        let files = std::iter::once(launch.program.clone()).chain(launch.arguments.iter().map(PathBuf::from));
        match files.into_iter().find(|file| !file.exists()) {
            None => found.push(Contender {
                name: name.to_owned(),
                // The usual client is tried with one command.
                launches: [true, name != USUAL_CLIENT, name != USUAL_CLIENT].map(|does| does.then(|| launch.clone())),
            }),
            Some(file) => missing.push(format!("{name}: {} does not exist", file.display())),
        }
    }
    (found, missing)
}
