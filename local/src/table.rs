//! The local table.

use platform::aws::{Credentials, Service};
use platform::config::Config;
use platform::identity::Settings;
use platform::secrets::MasterKeys;

pub const TABLE: &str = "multipartner";

/// The configuration for a table in the embedded engine, which checks no signatures.
pub fn table_config() -> Config {
    Config {
        table: TABLE.to_owned(),
        dynamodb: Service {
            region: "us-east-1".to_owned(),
            // Requests to the engine leave no process. If one ever did, this name leads nowhere.
            endpoint: Some("http://engine.invalid".to_owned()),
            fips: false,
            credentials: Credentials { id: "local".to_owned(), secret: "local".into(), token: None },
        },
        master_keys: MasterKeys::default(),
        operator_key_hash: None,
        public_base_url: None,
        queue: None,
        loopback_endpoints: false,
        sign_in: Settings::default(),
    }
}
