//! One request in one process: what a handler decides with.

use std::sync::Arc;

use domain::{Actor, Cloud, CloudPolicy, Invitation, Occurrence, PolicyVersion, Timestamp};

use super::App;
use crate::http_api::body::Rules;
use crate::http_api::{Code, Problem, Request};
use crate::store::OpContext;

/// A request, and what its function works with.
#[derive(Clone)]
pub struct Context {
    /// What the function works with.
    pub app: Arc<App>,
    /// The request.
    pub request: Arc<Request>,
}

impl Context {
    /// The time of the request; one value for everything that it decides.
    pub fn now(&self) -> Timestamp {
        self.request.now
    }

    /// The request's time and deadline, for the store.
    pub fn op(&self) -> OpContext {
        self.request.op()
    }

    /// The policy in force at the request's time.
    pub fn policy(&self) -> &PolicyVersion {
        self.app.policy.at(self.request.now)
    }

    /// What the limits of a body depend on.
    pub fn rules(&self) -> Rules<'_> {
        Rules { policy: self.policy(), now: self.now() }
    }

    /// The rules of a cloud.
    ///
    /// # Errors
    /// 403 `cloud_not_supported` if the policy does not serve it (MP-01).
    pub fn cloud_rules(&self, cloud: Cloud) -> Result<&CloudPolicy, Problem> {
        let detail = || format!("The policy does not serve the cloud {cloud}. `GET /v1/policy` lists the clouds.");
        self.policy().cloud(cloud).ok_or_else(|| Problem::new(Code::CloudNotSupported, detail()))
    }

    /// The request's time and policy, with who acts.
    pub fn occurrence<'a>(&self, actor: &'a Actor) -> Occurrence<'a> {
        Occurrence { at: self.now(), actor, policy_version: self.policy().version }
    }

    /// `scheme://host` of this deployment as its users see it. The `Host` header is never used.
    pub fn base_url(&self) -> String {
        match (&self.app.public_base_url, self.request.gateway_host()) {
            (Some(url), _) => url.clone(),
            (None, Some(host)) => format!("https://{host}"),
            (None, None) => "https://localhost".to_owned(),
        }
    }

    /// The current link of an invitation. The token is in the fragment, which browsers do not send to servers.
    ///
    /// # Errors
    /// 500 `internal` if the invitation's master key is not configured.
    pub fn accept_url(&self, invitation: &Invitation) -> Result<String, Problem> {
        let id = &invitation.invitation_id;
        let token = self.app.keys.link_token(invitation.key_number, id, invitation.token_generation)?;
        Ok(format!("{}/i/{id}#{}", self.base_url(), token.expose_secret()))
    }
}
