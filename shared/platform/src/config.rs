//! What the environment variables of a function say. They are read once, at startup.

mod error;
pub mod sign_in;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::config::SharedHttpClient;
use data_encoding::HEXLOWER;

use crate::aws::{Credentials, Service};
use crate::identity::Settings;
use crate::identity::credential::ReadCredential;
use crate::outbound::Loopback;
use crate::queue::sqs::Sqs;
use crate::secrets::{MasterKey, MasterKeys};

pub use self::error::ConfigError;

/// The most master keys a deployment can have at once.
const MASTER_KEYS_MAX: u32 = 9;

/// Which parts of the environment a function uses. [`Config::read`] requires the variables of these parts and does not
/// read those of the others. The template gives each function only the variables and permissions of its parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// The function derives secrets: at least one `MASTER_KEY_<n>` must be set.
    pub master_key: bool,
    /// The function reads the table for every request, so it opens the connection at startup.
    pub open_table: bool,
    /// The function sends messages to the queue or puts them back: `WEBHOOK_QUEUE_URL` must be set.
    pub queue: bool,
    /// The function checks or calls webhook endpoints: it reads `ALLOW_LOOPBACK_ENDPOINTS`.
    pub endpoints: bool,
    /// The function redeems codes at identity providers: `SIGN_IN_<cloud>_CREDENTIAL` must be set for each cloud that has sign-in.
    /// It is read by this function, so that other functions do not contain the reader of private keys.
    pub credential: Option<ReadCredential>,
}

impl Needs {
    pub const TABLE: Self =
        Self { master_key: false, open_table: true, queue: false, endpoints: false, credential: None };
    pub const TABLE_AND_KEYS: Self = Self { master_key: true, ..Self::TABLE };
    /// Nothing but the name of the table. A client for it connects when it is first used.
    pub const NOTHING: Self = Self { open_table: false, ..Self::TABLE };
}

/// The configuration of a function. An empty variable counts as unset.
#[derive(Clone, Debug)]
pub struct Config {
    /// `TABLE_NAME`.
    pub table: String,
    /// DynamoDB: `AWS_REGION`, `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_USE_FIPS_ENDPOINT` and the credentials.
    pub dynamodb: Service,
    /// `MASTER_KEY_1` … `MASTER_KEY_9`, and `CURRENT_MASTER_KEY`. Every function must know a key before any function uses it,
    /// so a new key is not used until this number names it.
    pub master_keys: MasterKeys,
    /// `OPERATOR_KEY_HASH`: SHA-256 of the first operator's key. Unset: only keys in the table are valid.
    pub operator_key_hash: Option<[u8; 32]>,
    /// `PUBLIC_BASE_URL`. Unset: the gateway's own domain name.
    pub public_base_url: Option<String>,
    /// The queue, for functions that use it.
    pub queue: Option<QueueConfig>,
    /// `ALLOW_LOOPBACK_ENDPOINTS`: whether webhook endpoints may be at `http://127.0.0.1:<port>`. For emulators only.
    pub loopback_endpoints: bool,
    /// `SIGN_IN_<cloud>_…`: the identity providers of customers.
    pub sign_in: Settings,
}

/// The queue of webhook deliveries.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// SQS: `AWS_REGION`, `AWS_ENDPOINT_URL_SQS`, `AWS_USE_FIPS_ENDPOINT` and the credentials.
    pub sqs: Service,
    /// `WEBHOOK_QUEUE_URL`.
    pub url: String,
}

/// A variable and what its value must be.
struct Variable(&'static str, &'static str);

const TABLE_NAME: Variable = Variable("TABLE_NAME", "the name of the DynamoDB table");
const REGION: Variable = Variable("AWS_REGION", "the AWS region of the table, such as eu-west-1");
const ACCESS_KEY_ID: Variable = Variable("AWS_ACCESS_KEY_ID", "the access key id of the function's role");
const SECRET_ACCESS_KEY: Variable = Variable("AWS_SECRET_ACCESS_KEY", "the secret access key of the function's role");
const SESSION_TOKEN: Variable = Variable("AWS_SESSION_TOKEN", "the session token of the function's role");
const DYNAMODB_URL: Variable =
    Variable("AWS_ENDPOINT_URL_DYNAMODB", "the http or https URL of DynamoDB, or leave it empty for the region's own");
const SQS_URL: Variable =
    Variable("AWS_ENDPOINT_URL_SQS", "the http or https URL of SQS, or leave it empty for the region's own");
const FIPS: Variable = Variable("AWS_USE_FIPS_ENDPOINT", "true or false");
const QUEUE_URL: Variable = Variable("WEBHOOK_QUEUE_URL", "the URL of the SQS queue of webhook deliveries");
const PUBLIC_BASE_URL: Variable =
    Variable("PUBLIC_BASE_URL", "the http or https URL of this API as its users see it, or leave it empty");
const OPERATOR_KEY_HASH: Variable = Variable(
    "OPERATOR_KEY_HASH",
    "the SHA-256 of the operator key as 64 lowercase hexadecimal digits, or leave it empty",
);
const LOOPBACK: Variable = Variable("ALLOW_LOOPBACK_ENDPOINTS", "true or false");
const CURRENT_MASTER_KEY: Variable = Variable(
    "CURRENT_MASTER_KEY",
    "the number of the master key that new secrets derive from, or leave it empty for the lowest",
);
const MASTER_KEY: &str = "64 hexadecimal digits, or a random text of at least 32 characters";

impl Variable {
    fn error(&self, problem: &'static str) -> ConfigError {
        ConfigError { variable: self.0.to_owned(), problem, expected: self.1 }
    }
}

impl Config {
    /// Reads the environment through `variable`.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is missing or malformed.
    pub fn read(variable: impl Fn(&str) -> Option<String>, needs: Needs) -> Result<Self, ConfigError> {
        let environment = Environment(variable);
        let public_base_url = environment.url(&PUBLIC_BASE_URL)?;
        Ok(Self {
            sign_in: sign_in::read(|name| environment.get(name), needs.credential, public_base_url.as_deref())?,
            table: environment.require(&TABLE_NAME)?,
            dynamodb: environment.service(&DYNAMODB_URL)?,
            master_keys: environment.master_keys(needs.master_key)?,
            operator_key_hash: environment.hash(&OPERATOR_KEY_HASH)?,
            public_base_url,
            queue: needs.queue.then(|| environment.queue()).transpose()?,
            loopback_endpoints: needs.endpoints && environment.flag(&LOOPBACK)?,
        })
    }

    /// A client for the queue.
    ///
    /// # Errors
    /// [`ConfigError`] if the function was configured without one.
    pub fn connect_queue(&self, http: SharedHttpClient) -> Result<Sqs, ConfigError> {
        let queue = self.queue.as_ref().ok_or_else(|| QUEUE_URL.error(UNSET))?;
        Ok(Sqs::new(&queue.sqs, queue.url.clone(), http))
    }

    pub fn loopback(&self) -> Loopback {
        if self.loopback_endpoints { Loopback::Allowed } else { Loopback::Refused }
    }
}

const UNSET: &str = "is not set";

/// Looks variables up by name.
struct Environment<F>(F);

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    fn get(&self, name: &str) -> Option<String> {
        self.0(name).filter(|value| !value.is_empty())
    }

    fn require(&self, variable: &Variable) -> Result<String, ConfigError> {
        self.get(variable.0).ok_or_else(|| variable.error(UNSET))
    }

    fn url(&self, variable: &Variable) -> Result<Option<String>, ConfigError> {
        match self.get(variable.0) {
            Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
                Ok(Some(url.trim_end_matches('/').to_owned()))
            }
            Some(_) => Err(variable.error("is not an http or https URL")),
            None => Ok(None),
        }
    }

    fn flag(&self, variable: &Variable) -> Result<bool, ConfigError> {
        match self.get(variable.0).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(variable.error("is neither true nor false")),
        }
    }

    fn hash(&self, variable: &Variable) -> Result<Option<[u8; 32]>, ConfigError> {
        let parse = |hex: String| {
            let bytes = HEXLOWER.decode(hex.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| variable.error("is not a SHA-256 hash"))
        };
        self.get(variable.0).map(parse).transpose()
    }

    fn service(&self, endpoint: &Variable) -> Result<Service, ConfigError> {
        let credentials = Credentials {
            id: self.require(&ACCESS_KEY_ID)?,
            secret: self.require(&SECRET_ACCESS_KEY)?.into(),
            token: self.get(SESSION_TOKEN.0).map(Into::into),
        };
        let (region, fips) = (self.require(&REGION)?, self.flag(&FIPS)?);
        Ok(Service { region, endpoint: self.url(endpoint)?, fips, credentials })
    }

    fn queue(&self) -> Result<QueueConfig, ConfigError> {
        Ok(QueueConfig { url: self.require(&QUEUE_URL)?, sqs: self.service(&SQS_URL)? })
    }

    fn master_keys(&self, needed: bool) -> Result<MasterKeys, ConfigError> {
        let mut keys = BTreeMap::new();
        for number in 1..=MASTER_KEYS_MAX {
            keys.extend(self.master_key(number)?.map(|key| (number, key)));
        }
        if needed && keys.is_empty() {
            return Err(master_key_error(1, UNSET));
        }
        // Functions without keys are not given this number.
        if keys.is_empty() {
            return Ok(MasterKeys::default());
        }
        let keys = MasterKeys::new(keys);
        let Some(number) = self.get(CURRENT_MASTER_KEY.0) else { return Ok(keys) };
        let number = number.parse().map_err(|_| CURRENT_MASTER_KEY.error("is not a number"))?;
        keys.with_current(number).map_err(|_| CURRENT_MASTER_KEY.error("is the number of a key that is not set"))
    }

    fn master_key(&self, number: u32) -> Result<Option<MasterKey>, ConfigError> {
        let Some(text) = self.get(&master_key_name(number)) else { return Ok(None) };
        // A tool that does not resolve the template's reference passes its text, which is public and long enough.
        if text.starts_with("{{") {
            return Err(master_key_error(number, "is an unresolved {{resolve:…}} reference"));
        }
        match MasterKey::parse(&text) {
            Some(key) => Ok(Some(key)),
            None => Err(master_key_error(number, "is shorter than 32 characters")),
        }
    }
}

fn master_key_name(number: u32) -> String {
    format!("MASTER_KEY_{number}")
}

fn master_key_error(number: u32, problem: &'static str) -> ConfigError {
    ConfigError { variable: master_key_name(number), problem, expected: MASTER_KEY }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::SharedHttpClient;

    use super::*;
    use crate::aws;
    use crate::identity::Credential;

    const ALL: Needs =
        Needs { master_key: true, open_table: true, queue: true, endpoints: true, credential: Some(Credential::parse) };

    type Variables = BTreeMap<&'static str, &'static str>;

    fn environment() -> Variables {
        BTreeMap::from([
            ("TABLE_NAME", "multipartner"),
            ("AWS_REGION", "eu-west-1"),
            ("MASTER_KEY_1", "0123456789abcdef0123456789abcdef"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "very secret"),
            ("AWS_SESSION_TOKEN", "session secret"),
            ("AWS_ENDPOINT_URL_DYNAMODB", ""),
            ("WEBHOOK_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/webhooks"),
        ])
    }

    fn read(environment: &Variables, needs: Needs) -> Result<Config, ConfigError> {
        Config::read(|name| environment.get(name).map(|value| (*value).to_owned()), needs)
    }

    fn http() -> SharedHttpClient {
        aws::http_client()
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(read(&environment(), ALL).unwrap().dynamodb.endpoint, None);
    }

    #[test]
    fn an_error_names_the_variable_and_not_its_value() {
        let cases = [
            ("TABLE_NAME", ""),
            ("AWS_REGION", ""),
            ("MASTER_KEY_1", ""),
            ("MASTER_KEY_1", "too weak"),
            ("MASTER_KEY_1", "{{resolve:secretsmanager:arn:SecretString}}"),
            ("MASTER_KEY_9", "also weak"),
            ("CURRENT_MASTER_KEY", "2"),
            ("CURRENT_MASTER_KEY", "one"),
            ("AWS_ACCESS_KEY_ID", ""),
            ("AWS_SECRET_ACCESS_KEY", ""),
            ("OPERATOR_KEY_HASH", "xyz"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "localhost:8000"),
            ("PUBLIC_BASE_URL", "example.com"),
            ("WEBHOOK_QUEUE_URL", ""),
            ("AWS_ENDPOINT_URL_SQS", "localhost"),
            ("AWS_USE_FIPS_ENDPOINT", "yes"),
            ("ALLOW_LOOPBACK_ENDPOINTS", "yes"),
        ];
        for (name, value) in cases {
            let mut environment = environment();
            environment.insert(name, value);
            let error = read(&environment, ALL).unwrap_err();
            assert_eq!(error.variable, name);
            let text = error.to_string();
            assert!(text.starts_with(&format!("environment variable {name} is ")), "{text}");
            assert!(value.is_empty() || !text.contains(value), "{text}");
        }
    }

    #[test]
    fn a_known_master_key_is_not_used_before_it_is_the_current_one() {
        for (current, expected) in [("", 1), ("1", 1), ("2", 2)] {
            let mut environment = environment();
            environment.insert("MASTER_KEY_2", "abcdef0123456789abcdef0123456789");
            environment.insert("CURRENT_MASTER_KEY", current);
            let keys = read(&environment, ALL).unwrap().master_keys;
            assert_eq!(keys.current(), Ok(expected));
            assert_eq!(keys.numbers().collect::<Vec<_>>(), [2, 1]);
        }
    }

    #[test]
    fn an_error_says_what_to_set() {
        let error = read(&Variables::new(), Needs::NOTHING).unwrap_err();
        let text = "environment variable TABLE_NAME is not set; set it to the name of the DynamoDB table";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn connecting_without_a_queue_names_its_variable() {
        let config = read(&environment(), Needs::NOTHING).unwrap();
        assert_eq!(config.connect_queue(http()).err().unwrap().variable, "WEBHOOK_QUEUE_URL");
        assert!(read(&environment(), ALL).unwrap().connect_queue(http()).is_ok());
    }

    #[test]
    fn debug_output_contains_no_secret() {
        let shown = format!("{:?}", read(&environment(), ALL).unwrap());
        for secret in ["very secret", "session secret", "0123456789abcdef"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
