//! What a function is told by its environment. Read once at start; an error names the variable and never its value.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::config::SharedHttpClient;
use data_encoding::HEXLOWER;

use crate::aws::{Credentials, Service};
use crate::queue::sqs::Sqs;
use crate::secrets::{MasterKeys, Secret};

/// The most master keys a deployment can have at once.
const MASTER_KEYS_MAX: u32 = 9;

/// What a function works with, beyond what all do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// It derives secrets, and so must be given the master keys.
    pub master_key: bool,
    /// It reads the table for every request, and so connects to it while it starts.
    pub open_table: bool,
    /// It puts messages into the queue, or back into it.
    pub queue: bool,
    /// It decides where messages may go.
    pub endpoints: bool,
}

impl Needs {
    /// The table.
    pub const TABLE: Self = Self { master_key: false, open_table: true, queue: false, endpoints: false };
    /// The table, and secrets to derive.
    pub const TABLE_AND_KEYS: Self = Self { master_key: true, ..Self::TABLE };
    /// None of it.
    pub const NOTHING: Self = Self { open_table: false, ..Self::TABLE };
}

/// Everything the environment says.
#[derive(Clone, Debug)]
pub struct Config {
    /// `TABLE_NAME`.
    pub table: String,
    /// DynamoDB: `AWS_REGION`, `AWS_ENDPOINT_URL_DYNAMODB` (empty means unset) and the credentials.
    pub dynamodb: Service,
    /// `MASTER_KEY_1` … `MASTER_KEY_9`; empty means unset.
    pub master_keys: MasterKeys,
    /// `OPERATOR_KEY_HASH`: SHA-256 of the first operator's key, 64 hexadecimal digits; empty means none.
    pub operator_key_hash: Option<[u8; 32]>,
    /// `PUBLIC_BASE_URL`; empty means the gateway's own domain name.
    pub public_base_url: Option<String>,
    /// The queue, for functions that use it.
    pub queue: Option<QueueConfig>,
    /// `ALLOW_LOOPBACK_ENDPOINTS`: whether webhooks may go to `http://127.0.0.1:<port>`, for emulators only.
    pub loopback_endpoints: bool,
}

/// The queue of webhook deliveries.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// SQS: `AWS_REGION`, `AWS_ENDPOINT_URL_SQS` (empty means unset) and the credentials.
    pub sqs: Service,
    /// `WEBHOOK_QUEUE_URL`.
    pub url: String,
}

impl QueueConfig {
    /// A client for the queue.
    pub fn connect(&self, http: SharedHttpClient) -> Sqs {
        Sqs::new(&self.sqs, self.url.clone(), http)
    }
}

/// A variable is missing or malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {variable} {problem}")]
pub struct ConfigError {
    /// Its name.
    pub variable: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Config {
    /// Reads the environment through `variable`.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is missing or malformed.
    pub fn read(variable: impl Fn(&str) -> Option<String>, needs: Needs) -> Result<Self, ConfigError> {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        let need = |name: &str| get(name).ok_or_else(|| error(name, "is not set"));
        let url = |name: &str| match get(name) {
            Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
                Ok(Some(url.trim_end_matches('/').to_owned()))
            }
            Some(_) => Err(error(name, "is not an http or https URL")),
            None => Ok(None),
        };
        let service = |endpoint: &str| {
            Ok(Service {
                region: need("AWS_REGION")?,
                endpoint: url(endpoint)?,
                credentials: Credentials {
                    id: need("AWS_ACCESS_KEY_ID")?,
                    secret: need("AWS_SECRET_ACCESS_KEY")?,
                    token: get("AWS_SESSION_TOKEN"),
                },
            })
        };
        let queue = || Ok(QueueConfig { url: need("WEBHOOK_QUEUE_URL")?, sqs: service("AWS_ENDPOINT_URL_SQS")? });
        Ok(Self {
            table: need("TABLE_NAME")?,
            dynamodb: service("AWS_ENDPOINT_URL_DYNAMODB")?,
            master_keys: master_keys(&get, needs.master_key)?,
            operator_key_hash: get("OPERATOR_KEY_HASH").map(|hex| parse_hash("OPERATOR_KEY_HASH", &hex)).transpose()?,
            public_base_url: url("PUBLIC_BASE_URL")?,
            queue: needs.queue.then(queue).transpose()?,
            loopback_endpoints: needs.endpoints
                && yes_or_no("ALLOW_LOOPBACK_ENDPOINTS", get("ALLOW_LOOPBACK_ENDPOINTS"))?,
        })
    }
}

fn master_keys(get: &impl Fn(&str) -> Option<String>, needed: bool) -> Result<MasterKeys, ConfigError> {
    let mut keys = BTreeMap::new();
    for number in 1..=MASTER_KEYS_MAX {
        let name = format!("MASTER_KEY_{number}");
        if let Some(text) = get(&name) {
            // A tool that does not resolve the template's reference would hand over one that everybody can read.
            if text.starts_with("{{") {
                return Err(error(&name, "is a reference that nobody resolved"));
            }
            let key = Secret::parse_master(&text).ok_or_else(|| error(&name, "is shorter than 32 characters"))?;
            keys.insert(number, key);
        }
    }
    if needed && keys.is_empty() {
        return Err(error("MASTER_KEY_1", "is not set"));
    }
    Ok(MasterKeys::new(keys))
}

fn yes_or_no(name: &str, value: Option<String>) -> Result<bool, ConfigError> {
    match value.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(error(name, "is neither true nor false")),
    }
}

fn parse_hash(name: &str, hex: &str) -> Result<[u8; 32], ConfigError> {
    let bytes = HEXLOWER.decode(hex.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| error(name, "is not 64 lower-case hexadecimal digits"))
}

fn error(variable: &str, problem: &'static str) -> ConfigError {
    ConfigError { variable: variable.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Needs = Needs { master_key: true, open_table: true, queue: true, endpoints: true };

    fn environment() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("TABLE_NAME", "multipartner"),
            ("AWS_REGION", "eu-west-1"),
            ("MASTER_KEY_1", "0123456789abcdef0123456789abcdef"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "very secret"),
            ("AWS_ENDPOINT_URL_DYNAMODB", ""),
            ("WEBHOOK_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/webhooks"),
        ])
    }

    fn read(environment: &BTreeMap<&str, &str>) -> Result<Config, ConfigError> {
        Config::read(|name| environment.get(name).map(|value| (*value).to_owned()), ALL)
    }

    #[test]
    fn an_empty_value_means_unset() {
        assert_eq!(read(&environment()).unwrap().dynamodb.endpoint, None);
    }

    #[test]
    fn each_missing_or_malformed_variable_is_named_without_its_value() {
        let wrong = [
            ("TABLE_NAME", ""),
            ("AWS_REGION", ""),
            ("MASTER_KEY_1", ""),
            ("MASTER_KEY_1", "too weak"),
            ("MASTER_KEY_1", "{{resolve:secretsmanager:arn:SecretString}}"),
            ("AWS_ACCESS_KEY_ID", ""),
            ("AWS_SECRET_ACCESS_KEY", ""),
            ("OPERATOR_KEY_HASH", "xyz"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "localhost:8000"),
            ("PUBLIC_BASE_URL", "example.com"),
            ("WEBHOOK_QUEUE_URL", ""),
            ("AWS_ENDPOINT_URL_SQS", "localhost"),
            ("ALLOW_LOOPBACK_ENDPOINTS", "yes"),
        ];
        for (name, value) in wrong {
            let mut environment = environment();
            environment.insert(name, value);
            let error = read(&environment).unwrap_err();
            assert_eq!(error.variable, name);
            assert!(value.is_empty() || !error.to_string().contains(value));
        }
    }

    #[test]
    fn no_secret_shows_in_debug() {
        let shown = format!("{:?}", read(&environment()).unwrap());
        assert!(!shown.contains("very secret") && !shown.contains("0123456789abcdef"), "{shown}");
    }
}
