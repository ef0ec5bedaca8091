//! The local table.

use platform::aws::{Credentials, Service};
use platform::config::Config;
use platform::secrets::MasterKeys;

pub const TABLE: &str = "multipartner";

/// The configuration for a table in an engine that checks no signatures.
pub fn table_config(endpoint: Option<String>) -> Config {
    Config {
        table: TABLE.to_owned(),
        dynamodb: Service {
            region: "us-east-1".to_owned(),
            endpoint,
            credentials: Credentials { id: "local".to_owned(), secret: "local".into(), token: None },
        },
        master_keys: MasterKeys::default(),
        operator_key_hash: None,
        public_base_url: None,
        queue: None,
        loopback_endpoints: false,
    }
}
