//! Customers' administrators who signed in, for tests of what a session can do. Here the session is written as the function
//! `sign-in` writes it, without an identity provider. `tests/api/sign_in.rs` signs in for real.

use std::time::Duration;

use domain::{Session, SessionId, TenantId};
use platform::deadline::Deadline;
use platform::http_api::Cookies;
use platform::secrets::SessionText;
use platform::store::OpContext;

use crate::{Call, Customer, World};

/// The template id of the directory role Global Administrator.
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// A browser with a session.
#[derive(Clone, Debug)]
pub struct Browser {
    /// `name=value`
    pub cookie: String,
    pub base_url: String,
    pub tenant_id: String,
}

impl World {
    /// A session of a customer's administrator; `None` on a deployment.
    ///
    /// # Panics
    /// If the session cannot be written.
    pub async fn signed_in(&self, customer: &Customer) -> Option<Browser> {
        self.signed_in_as(customer, "b1d0e1f5-0000-4000-8000-000000000001").await
    }

    /// As [`World::signed_in`], of the person with this id in the directory.
    pub async fn signed_in_as(&self, customer: &Customer, object_id: &str) -> Option<Browser> {
        let app = self.app()?;
        let now = self.now();
        let tenant = TenantId::parse(&customer.tenant_id).expect("a tenant's id");
        let op = OpContext { occurred_at: now, deadline: Deadline::within(Duration::from_secs(60)) };
        let record = app.store.tenant(op, &tenant).await.expect("a read").expect("a customer");
        let text = SessionText::from_bytes(&app.random.bytes());
        let hash = text.hash();
        let session = Session {
            session_id: SessionId::from_hash(&hash),
            hash,
            person: app.keys.person(&tenant, object_id).expect("a key"),
            tenant,
            name: Some("Avery Howard".into()),
            email: Some("avery@contoso.example".into()),
            approver_role: GLOBAL_ADMINISTRATOR.into(),
            sign_out_url: Some("https://login.example/sign-out".into()),
            state: record.sign_in_state(),
            created_at: now,
            expires_at: now + Session::LIFE,
            ended_at: None,
        };
        app.store.begin_session(op, &session, None).await.expect("a write");
        let cookies = Cookies::new(self.base_url());
        Some(Browser {
            cookie: format!("{}={}", cookies.session(), text.expose_secret()),
            base_url: self.base_url().to_owned(),
            tenant_id: customer.tenant_id.clone(),
        })
    }
}

impl Browser {
    /// A call on the customer's routes, as a page of the deployment sends it.
    pub fn call(&self, method: &str, path: &str) -> Call {
        self.send(Call::new(method, format!("/v1/customers/{}{path}", self.tenant_id)))
    }

    /// Any call, as a page of the deployment sends it.
    pub fn send(&self, call: Call) -> Call {
        self.page(call).header("cookie", self.cookie.as_str())
    }

    /// Any call of a page, without the session.
    pub fn page(&self, call: Call) -> Call {
        own_page(call, &self.base_url)
    }
}

/// A call as a page of the deployment at this address sends it.
pub fn own_page(call: Call, base_url: &str) -> Call {
    let call = call.header("x-multipartner", "1").header("sec-fetch-site", "same-origin");
    if call.method == "GET" { call } else { call.header("origin", base_url) }
}
