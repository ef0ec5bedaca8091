//! Starts the API on this machine.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use domain::Policy;
use platform::config::{Config, sign_in};
use platform::outbound::SystemResolver;
use platform::secrets::{AccessKeyText, MasterKey, MasterKeys};
use platform::store::{client, schema};

use crate::apps::Apps;
use crate::courier::Courier;
use crate::data_dir::DataDir;
use crate::engine::Engine;
use crate::error::StartError;
use crate::gateway::{self, Gateway, Site};
use crate::net::Bound;
use crate::options::Options;
use crate::running::Local;
use crate::start_page::start_page;
use crate::table::{TABLE, table_config};
use crate::template::Template;

/// The local run has one master key, the first.
const MASTER_KEY_NUMBER: u32 = 1;

/// Starts the API.
///
/// # Errors
/// [`StartError`], in words for the person who started it.
pub async fn start(options: Options) -> Result<Local, StartError> {
    let template = Template::built_in()?;
    let bound = Bound::to(SocketAddr::new(options.host, options.port)).await?;
    let public_url = public_url(&options, &bound)?;
    let data_dir = options.data_dir.as_deref().map(DataDir::open).transpose()?;
    let master_keys = master_keys(&options, data_dir.as_ref())?;
    // It derives from the master key, so that a kept folder keeps its operator key.
    let operator_key = match options.operator_key.clone() {
        Some(key) => key,
        None => master_keys.access_key(MASTER_KEY_NUMBER, b"local operator")?,
    };
    let engine = engine(&options, data_dir.as_ref())?;
    let base_url = bound.url();
    let config = Config {
        master_keys,
        operator_key_hash: Some(operator_key.hash()),
        public_base_url: Some(public_url.clone()),
        loopback_endpoints: options.loopback_endpoints,
        sign_in: options.sign_in.clone(),
        ..table_config()
    };
    // This client creates the table, and tests read the table with it, so it has no injected faults.
    let client = engine.client();
    schema::create_table(&client, TABLE).await?;
    let apps = apps(options, config, &client, engine)?;
    let courier = Arc::new(apps.courier());
    let gateway = gateway(&apps, &courier, &template, bound.port())?;
    let site = Site { gateway, start_page: start_page(), base_url: public_url };
    let server = bound.serve(gateway::respond, Arc::new(site));
    let app = Arc::new(apps.with_master_keys());
    let announcer = Arc::new(apps.announcer());
    Ok(Local { base_url, operator_key, client, app, announcer, courier, server, data_dir })
}

/// The beginning of links.
fn public_url(options: &Options, bound: &Bound) -> Result<String, StartError> {
    let url = options.public_base_url.clone().unwrap_or_else(|| bound.url());
    if sign_in::is_allowed_at(&options.sign_in, &url) { Ok(url) } else { Err(StartError::SignInAddress(url)) }
}

fn master_keys(options: &Options, data_dir: Option<&DataDir>) -> Result<MasterKeys, StartError> {
    let random = options.random.as_ref();
    let key = match data_dir {
        Some(dir) => dir.master_key(random)?,
        None => MasterKey::new(random.bytes()),
    };
    let keys = MasterKeys::new([(MASTER_KEY_NUMBER, key)].into());
    if let Some(dir) = data_dir {
        // The hash of a derived value identifies the key without revealing it.
        let derived: AccessKeyText = keys.access_key(MASTER_KEY_NUMBER, b"local check value")?;
        dir.confirm_master_key(&derived.hash())?;
    }
    Ok(keys)
}

fn engine(options: &Options, data_dir: Option<&DataDir>) -> Result<Engine, StartError> {
    Ok(match (&options.engine, data_dir) {
        (Some(engine), _) => engine.clone(),
        (None, Some(dir)) => Engine::open(&dir.database()?)?,
        (None, None) => Engine::memory()?,
    })
}

fn apps(options: Options, config: Config, client: &Client, engine: Engine) -> Result<Apps, StartError> {
    let faulty = options.http_client.map(|http| client::connect(&config.dynamodb, http));
    Ok(Apps {
        config,
        client: faulty.unwrap_or_else(|| client.clone()),
        engine,
        policy: options.policy.map_or_else(Policy::built_in, Ok)?,
        clock: options.clock,
        random: options.random,
        resolver: options.resolver.unwrap_or_else(|| Arc::new(SystemResolver)),
    })
}

fn gateway(apps: &Apps, courier: &Courier, template: &Template, port: u16) -> Result<Gateway, StartError> {
    Ok(Gateway {
        router: apps.router(template)?,
        port,
        function_timeout: template.timeout,
        clock: Arc::clone(&apps.clock),
        random: Arc::clone(&apps.random),
        committed: Arc::clone(&courier.committed),
    })
}

#[cfg(test)]
mod tests;
