//! `profile`: names deployments, so that commands need neither `--url` nor `--key-file`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use local::client::{self, Address, Profiles};

use super::Done;
use crate::exit::UsageError;
use crate::output::{self, Output};

#[derive(Debug, clap::Args)]
pub struct Profile {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add or replace a profile. The first one becomes the default.
    Set(Set),
    /// List the profiles.
    List,
    /// Remove a profile. Its key file stays.
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Set {
    name: String,
    /// Address of the deployment.
    #[arg(long)]
    url: String,
    /// File with the access key, which only you can read.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Make it the default profile.
    #[arg(long)]
    default: bool,
}

#[derive(Debug, clap::Args)]
struct Remove {
    name: String,
}

pub fn run(Profile { command }: Profile) -> Done {
    let mut profiles = Profiles::read(Profiles::default_path()?)?;
    match command {
        Command::Set(Set { name, url, key_file, default }) => {
            let url = Address::parse(&url).map_err(|error| UsageError(format!("--url: {error}")))?;
            if key_file.as_deref() == Some(Path::new("-")) {
                return Err(UsageError("--key-file: a profile needs a file, not standard input".to_owned()).into());
            }
            // Commands run in other folders.
            let key_file = key_file.map(std::path::absolute).transpose()?;
            profiles.set(&name, client::Profile { url: url.to_string(), key_file }, default)?;
            profiles.save()?;
            output::warn(&format!("Saved in {}.", profiles.path().display()));
            Ok(())
        }
        Command::List => list(&profiles),
        Command::Remove(Remove { name }) => {
            profiles.remove(&name)?;
            Ok(profiles.save()?)
        }
    }
}

fn list(profiles: &Profiles) -> Done {
    let row = |(name, profile): (&str, &client::Profile)| {
        let is_default = if profiles.default_name() == Some(name) { "default" } else { "" };
        let key_file = profile.key_file.as_ref().map_or_else(|| "-".to_owned(), |file| file.display().to_string());
        vec![name.to_owned(), profile.url.clone(), key_file, is_default.to_owned()]
    };
    let rows: Vec<_> = profiles.all().map(row).collect();
    let mut out = Output::stdout();
    out.rows(&["name", "url", "key_file", ""], &rows)?;
    Ok(out.flush()?)
}
