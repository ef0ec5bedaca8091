//! Rejections as the API describes them.

use platform::http_api::{Code, FieldError, TYPE_BASE};
use serde::Deserialize;
use serde_json::Value;

use crate::api::Answer;

/// A response that is an error: problem+json, or what a gateway returns itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    pub status: u16,
    pub title: String,
    pub detail: String,
    /// `None` for errors of the gateway.
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// Whether the same request can succeed later.
    pub retryable: bool,
    /// Wrong places of the request.
    pub errors: Vec<FieldError>,
    /// The whole document, with members that belong to one code only.
    pub document: Value,
}

/// The members that `Problem::to_value` writes. A newer service may leave out or add others.
#[derive(Deserialize)]
struct Document {
    title: String,
    #[serde(default)]
    detail: String,
    code: String,
    #[serde(default)]
    instance: String,
    #[serde(default)]
    retryable: bool,
}

impl Rejection {
    pub fn new(answer: &Answer) -> Self {
        Self::from_problem(answer).unwrap_or_else(|| Self::from_gateway(answer))
    }

    fn from_problem(answer: &Answer) -> Option<Self> {
        answer.header("content-type").filter(|media| media.starts_with("application/problem+json"))?;
        let document = answer.json().clone();
        let Document { title, detail, code, instance, retryable } = Document::deserialize(&document).ok()?;
        let request_id = instance.strip_prefix("urn:request:").map(str::to_owned);
        let errors = document.get("errors").and_then(Value::as_array).into_iter().flatten();
        let errors = errors.filter_map(|error| FieldError::deserialize(error).ok()).collect();
        Some(Self { status: answer.status, title, detail, code: Some(code), request_id, retryable, errors, document })
    }

    /// Of the gateway, or of something that is no deployment of Multipartner.
    fn from_gateway(answer: &Answer) -> Self {
        let status = answer.status;
        let detail = match status {
            300..400 => {
                let to = answer.header("location").unwrap_or("another address");
                format!("The address redirects to {to}. Redirects are not followed, so that the key stays here.")
            }
            404 => "The address does not have this route. Check --url: is it a deployment of Multipartner?".to_owned(),
            _ => answer.text("/message").unwrap_or("The gateway rejected the request.").to_owned(),
        };
        Self {
            status,
            title: format!("HTTP status {status}"),
            detail,
            code: None,
            request_id: answer.header("apigw-requestid").map(str::to_owned),
            retryable: matches!(status, 429 | 502 | 503 | 504),
            errors: Vec::new(),
            document: answer.json().clone(),
        }
    }

    /// What to do, if this version knows the code.
    pub fn remedy(&self) -> Option<&'static str> {
        let name = self.code.as_deref()?;
        Code::ALL.iter().find(|code| code.name() == name).map(|code| code.remedy())
    }

    /// Members that belong to this code only, such as `invitation_id`.
    pub fn extensions(&self) -> Vec<(&str, &str)> {
        const COMMON: [&str; 6] = ["type", "title", "detail", "instance", "code", "errors"];
        let members = self.document.as_object().into_iter().flatten();
        let texts = members.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        let is_problem = self.document["type"].as_str().is_some_and(|text| text.starts_with(TYPE_BASE));
        texts.filter(|(name, _)| is_problem && !COMMON.contains(name)).collect()
    }
}
