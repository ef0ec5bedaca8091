//! The command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use platform::secrets::AccessKeyText;
use platform::secrets::signature::SigningSecret;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};

const THIS_MACHINE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Multipartner on one machine: the functions of the deployment behind a stand-in for API Gateway, on an embedded DynamoDB
/// engine.
#[derive(Debug, Parser)]
#[command(name = "multipartner", version)]
pub struct Cli {
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to log: off, error, warn, info (a line per request), debug, trace; by module, too: `warn,shared=debug`.
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL", value_parser = log)]
    pub log: Targets,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the whole API, with sample tenants to try it on.
    Serve(Serve),
    /// Play the story of a second partner, and check every guarantee in it.
    Demo,
    /// Check that the events in a data folder are those that were written. It is only read, and may be in use.
    Verify(Verify),
    /// Run only the embedded engine with the table, for `sam local` and `cargo lambda`.
    Dynamodb(Dynamodb),
    /// Receive webhooks: check each and show it.
    Listen(Listen),
    /// Make an operator key, and its hash for the deployment.
    Keygen,
}

/// How to serve.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// The address to listen on; 0.0.0.0 is every one of this machine.
    #[arg(long, default_value_t = THIS_MACHINE)]
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = Self::PORT)]
    pub port: u16,
    /// Keep data and master key in this folder; without it nothing is kept.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The operator's key; without it a new one, kept like the data.
    #[arg(long, value_name = "KEY", value_parser = operator_key)]
    pub operator_key: Option<AccessKeyText>,
    /// Let webhook endpoints be at `http://127.0.0.1:<port>`, where `listen` is, and nowhere else that is not public.
    #[arg(long)]
    pub allow_loopback_endpoints: bool,
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
            operator_key: None,
            allow_loopback_endpoints: false,
        }
    }
}

/// What to check.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The folder that `serve --data-dir` kept its data in.
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
}

/// How to run the engine.
#[derive(Debug, clap::Args)]
pub struct Dynamodb {
    /// The address to listen on. Containers reach 0.0.0.0, and so does whoever reaches this machine: the engine asks nobody
    /// who they are.
    #[arg(long, default_value_t = THIS_MACHINE)]
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8000)]
    pub port: u16,
    /// Keep the data in this folder; without it nothing is kept.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// How to receive webhooks.
#[derive(Debug, clap::Args)]
pub struct Listen {
    /// The port to listen on, on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 4000)]
    pub port: u16,
    /// The endpoint's signing secret; given twice while it is rotated. Without one no signature is checked.
    #[arg(long, value_name = "SECRET", value_parser = signing_secret)]
    pub secret: Vec<SigningSecret>,
}

/// The engine warns of every refused transaction, but those are how rules are kept: only its errors are news, unless somebody
/// asks for more.
fn log(text: &str) -> Result<Targets, String> {
    // The parser takes a lone word for the name of a module, and a mistyped level would silence everything.
    if let Some(word) = text.split(',').find(|part| !part.contains('=') && part.parse::<LevelFilter>().is_err()) {
        return Err(format!("`{word}` is no level: off, error, warn, info, debug or trace is expected"));
    }
    format!("dynoxide=error,{text}").parse().map_err(|error: ParseError| error.to_string())
}

fn signing_secret(text: &str) -> Result<SigningSecret, &'static str> {
    SigningSecret::parse(text)
        .map_err(|_| "a signing secret is `whsec_` and base64; an endpoint's is shown when it is created")
}

fn operator_key(text: &str) -> Result<AccessKeyText, &'static str> {
    AccessKeyText::parse(text).ok_or("a key is `mpk_` and 43 base64url characters; `cargo run -- keygen` makes one")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, String> {
        Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_the_default_and_has_the_same_defaults() {
        assert!(parse("multipartner").unwrap().command.is_none());
        let Some(Command::Serve(parsed)) = parse("multipartner serve").unwrap().command else { panic!("not serve") };
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Serve::default()));
    }

    #[test]
    fn a_malformed_operator_key_is_explained() {
        let error = parse("multipartner serve --operator-key secret").unwrap_err();
        assert!(error.contains("keygen"), "{error}");
    }

    #[test]
    fn refused_transactions_are_no_warnings_unless_asked_for() {
        let warns = |log: &str| {
            let cli = parse(&format!("multipartner --log {log}")).unwrap();
            cli.log.would_enable("dynoxide::server", &tracing::Level::WARN)
        };
        assert!(!warns("warn") && !warns("debug") && warns("warn,dynoxide=warn"));
    }

    #[test]
    fn logging_is_an_option_of_every_command() {
        assert!(parse("multipartner serve --log warn,shared=debug").is_ok());
        assert!(parse("multipartner --log info dynamodb --host 0.0.0.0").is_ok());
        assert!(parse("multipartner --log loud").is_err());
    }
}
