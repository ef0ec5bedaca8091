/// A variable is missing or malformed. The message never contains its value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {variable} {problem}; set it to {expected}")]
pub struct ConfigError {
    pub variable: String,
    pub problem: &'static str,
    pub expected: &'static str,
}
