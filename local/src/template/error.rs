//! Why the template cannot be served on this machine.

use saphyr::ScanError;

/// Why the template cannot be served on this machine.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TemplateError {
    #[error("template.yaml: {0}")]
    Yaml(ScanError),
    #[error("template.yaml is not exactly one YAML document")]
    NotOneDocument,
    #[error("template.yaml: a key is not text")]
    KeyNotText,
    #[error("template.yaml uses YAML that CloudFormation does not support")]
    UnsupportedYaml,
    #[error("template.yaml: {0} is missing or has another type")]
    Missing(String),
    #[error("template.yaml: {event}: `{route}` is not supported by the local gateway")]
    UnsupportedRoute { event: String, route: String },
}
