//! How to start the API on this machine.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_dynamodb::config::SharedHttpClient;
use domain::Policy;
use platform::clock::{Clock, SystemClock};
use platform::identity::Settings;
use platform::outbound::Resolver;
use platform::random::{Random, SystemRandom};
use platform::secrets::AccessKeyText;

use crate::engine::Engine;

/// How to start. The defaults fit tests: a free port, data in memory, the system's clock and randomness.
pub struct Options {
    pub host: IpAddr,
    /// 0 takes a free port.
    pub port: u16,
    /// `None` keeps the data in memory.
    pub data_dir: Option<PathBuf>,
    /// `None` takes a key that derives from the master key: it is random, and kept as long as the data.
    pub operator_key: Option<AccessKeyText>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// `None` takes the built-in policy.
    pub policy: Option<Policy>,
    /// The beginning of links; `None` takes the gateway's own address.
    pub public_base_url: Option<String>,
    /// The HTTP client below the functions' DynamoDB client, where tests inject faults. It leads to `engine`. `None` takes that of
    /// the engine.
    pub http_client: Option<SharedHttpClient>,
    /// Whether webhooks may go to `http://127.0.0.1:PORT`.
    pub loopback_endpoints: bool,
    /// How the names of webhook endpoints are resolved; `None` asks the system.
    pub resolver: Option<Arc<dyn Resolver>>,
    /// The identity providers of customers. The default has none, so there is no sign-in.
    pub sign_in: Settings,
    /// An engine that others use too. `None` opens one in the data folder or in memory.
    pub engine: Option<Engine>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            data_dir: None,
            operator_key: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            policy: None,
            public_base_url: None,
            http_client: None,
            loopback_endpoints: false,
            resolver: None,
            sign_in: Settings::default(),
            engine: None,
        }
    }
}
