//! The link of an invitation, and the calls that its holder can make.

use local::api::{Answer, Call};
use serde_json::{Value, json};

use super::error::FailedStep;

#[derive(Clone)]
pub struct Link {
    pub invitation_id: String,
    token: String,
}

impl Link {
    /// The link that creating or renewing returned.
    pub fn from_answer(answer: &Answer) -> Result<Self, FailedStep> {
        let missing = || FailedStep::Missing("/accept_url".to_owned());
        let url = FailedStep::text(answer, "/accept_url")?;
        let (page, token) = url.split_once('#').ok_or_else(missing)?;
        let invitation_id = page.rsplit('/').next().ok_or_else(missing)?.to_owned();
        Ok(Self { invitation_id, token: token.to_owned() })
    }

    fn post(&self, action: &str, mut body: Value) -> Call {
        body["token"] = json!(self.token);
        Call::post(format!("/v1/invitations/{}/{action}", self.invitation_id), &body)
    }

    pub fn preview(&self) -> Call {
        self.post("preview", json!({}))
    }

    /// An acceptance, with a decision on delegated administration if the invitation asks for it.
    pub fn accepts(&self, delegated_admin: Option<Value>) -> Call {
        self.accepts_as("global_admin", delegated_admin)
    }

    /// An acceptance by a person with this role.
    pub fn accepts_as(&self, role: &str, delegated_admin: Option<Value>) -> Call {
        let mut body = json!({"accepted_by": {"name": "Ada Lopez", "email": "ada@contoso.example", "role": role}});
        if let Some(decision) = delegated_admin {
            body["delegated_admin"] = decision;
        }
        self.post("accept", body)
    }

    pub fn declines(&self, reason: &str) -> Call {
        self.post("decline", json!({"reason": reason}))
    }
}
