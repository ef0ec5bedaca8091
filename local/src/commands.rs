//! What the commands do.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use data_encoding::HEXLOWER;
use local::engine::Engine;
use local::listen::{Heard, Listener};
use local::samples::{self, Samples, SeedError};
use local::{DataDir, Local, Options, TABLE, start, table_config};
use platform::aws;
use platform::random::{Random, SystemRandom};
use platform::secrets::AccessKeyText;
use platform::store::{client, schema};

use crate::cli::{Dynamodb, Listen, Serve, Verify};
use crate::output::Output;
use crate::signal;

/// Serves until it is told to stop.
pub async fn serve(given: Serve) -> Result<(), Box<dyn Error>> {
    let kept = given.data_dir.is_some();
    let local = start(Options {
        host: given.host,
        port: given.port,
        data_dir: given.data_dir,
        operator_key: given.operator_key,
        loopback_endpoints: given.allow_loopback_endpoints,
        ..Options::default()
    })
    .await?;
    let samples = samples::seed(local.base_url(), local.operator_key()).await;
    let working = local.work().await?;
    welcome(&local, &samples, kept)?;
    signal::stop().await;
    drop(working);
    local.stop().await;
    Ok(())
}

fn welcome(local: &Local, samples: &Result<Samples, SeedError>, kept: bool) -> io::Result<()> {
    let mut out = Output::stdout();
    let url = local.base_url();
    out.heading(&format!("Multipartner is ready at {url}"))?;
    out.note(if kept {
        "Ctrl-C stops it."
    } else {
        "Ctrl-C stops it and forgets everything; `cargo run -- serve --data-dir data` would keep it."
    })?;
    out.line("")?;
    out.entry("Operator", local.operator_key().expose_secret(), "registers, enrols, issues keys")?;
    match samples {
        Ok(samples) => {
            for (member, note) in
                [(&samples.contoso, "customer"), (&samples.fabrikam, "partner"), (&samples.northwind, "partner")]
            {
                out.entry(member.name, &member.key, &format!("{}  {note}", member.id))?;
            }
            if let Some(open) = &samples.invitation {
                out.entry("Northwind's link", &open.link, "")?;
            }
            out.line("")?;
            out.heading("To try, one by one:")?;
            for step in samples.story(url) {
                out.note(&format!("# {}", step.about))?;
                out.line(&step.to_string())?;
            }
        }
        Err(error) => out.line(&format!("The sample tenants could not be made: {error}"))?,
    }
    out.flush()
}

/// Checks the events of a data folder.
pub async fn verify(given: Verify) -> Result<(), Box<dyn Error>> {
    let audited = local::verify::verify(&given.data_dir).await?;
    let mut out = Output::stdout();
    out.line(&format!("{} aggregates, {} events: every hash chain holds.", audited.aggregates, audited.events))?;
    Ok(out.flush()?)
}

/// Runs the engine until it is told to stop.
pub async fn dynamodb(given: Dynamodb) -> Result<(), Box<dyn Error>> {
    let folder = given.data_dir.as_deref().map(DataDir::open).transpose()?;
    let file = folder.as_ref().map(DataDir::database);
    let engine = Engine::start(SocketAddr::new(given.host, given.port), file.as_deref()).await?;
    let table = client::connect(&table_config(Some(engine.endpoint().to_owned())).dynamodb, aws::http_client());
    schema::create_table(&table, TABLE).await.map_err(local::StartError::from)?;
    drop(table);
    engine_ready(&engine)?;
    signal::stop().await;
    engine.stop().await;
    Ok(())
}

fn engine_ready(engine: &Engine) -> io::Result<()> {
    let mut out = Output::stdout();
    out.heading(&format!("The table `{TABLE}` is ready at {}", engine.endpoint()))?;
    out.note("Any credentials and Region will do. Ctrl-C stops it.")?;
    out.flush()
}

/// Receives webhooks until it is told to stop.
pub async fn listen(given: Listen) -> Result<(), Box<dyn Error>> {
    let unchecked = given.secret.is_empty();
    // Nobody is told when the output is closed; the receiver goes on.
    let hear = |heard: &Heard| drop(show(heard));
    let listener = Listener::start(Ipv4Addr::LOCALHOST.into(), given.port, given.secret, hear).await?;
    let mut out = Output::stdout();
    out.heading(&format!("Listening for webhooks at {}", listener.url()))?;
    if unchecked {
        out.note("Without `--secret` no signature is checked.")?;
    }
    out.note("Ctrl-C stops it.")?;
    out.flush()?;
    drop(out);
    signal::stop().await;
    Ok(())
}

fn show(heard: &Heard) -> io::Result<()> {
    let mut out = Output::stdout();
    match heard {
        Heard::Message { id, kind, body, verified, again } => {
            let checked = if *verified { "signature holds" } else { "not checked" };
            let again = if *again { ", again" } else { "" };
            out.heading(&format!("{kind}  {id}  ({checked}{again})"))?;
            out.line(body)?;
        }
        Heard::Refused(reason) => out.heading(&format!("refused: {reason}"))?,
    }
    out.flush()
}

/// Makes an operator key.
pub fn keygen() -> io::Result<()> {
    let key = AccessKeyText::from_bytes(&SystemRandom.bytes());
    let mut out = Output::stdout();
    out.entry("Operator key", key.expose_secret(), "")?;
    out.entry("OPERATOR_KEY_HASH", &HEXLOWER.encode(&key.hash()), "")?;
    out.flush()
}
