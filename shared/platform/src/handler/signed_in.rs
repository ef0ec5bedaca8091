//! Browsers: cookies, sessions, and the checks that a request comes from this deployment's own pages.

use domain::{Session, SessionId};

use super::Context;
use crate::http_api::{Code, Cookies, Problem, SET_COOKIE};
use crate::secrets::{SessionText, same_hash};

/// A customer's administrator who signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub session: Session,
    /// The name of the customer.
    pub customer_name: String,
}

impl SignedIn {
    /// Who signed in, by the cookie of the session; `None` without one. On a request that may change something, the browser must
    /// have sent it from one of this deployment's pages.
    ///
    /// # Errors
    /// 403 `csrf_refused`, 401 `session_invalid`, or an error of the table.
    pub(super) async fn identify(context: &Context) -> Result<Option<Self>, Problem> {
        let cookies = context.cookies();
        let Some(value) = context.request.cookie(cookies.session()) else { return Ok(None) };
        if !matches!(context.request.method(), "GET" | "HEAD") {
            context.check_own_page()?;
        }
        match Self::find(context, value).await? {
            Some(signed_in) => Ok(Some(signed_in)),
            None => Err(problem_invalid(&cookies)),
        }
    }

    async fn find(context: &Context, value: &str) -> Result<Option<Self>, Problem> {
        let Some(hash) = SessionText::parse(value).map(|text| text.hash()) else { return Ok(None) };
        let store = &context.app.store;
        let session = store.session(context.op(), &SessionId::from_hash(&hash)).await?;
        let live = session.filter(|session| same_hash(&session.hash, &hash) && session.is_live(context.now()));
        let Some(session) = live else { return Ok(None) };
        let tenant = store.session_tenant(context.op(), &session).await?;
        Ok(tenant.map(|tenant| Self { session, customer_name: tenant.name }))
    }
}

fn problem_invalid(cookies: &Cookies) -> Problem {
    let detail = "The session is unknown, expired or was ended. Sign in again.";
    Problem::new(Code::SessionInvalid, detail).with_header(SET_COOKIE, cookies.clear(cookies.session()))
}

impl Context {
    /// The names of this deployment's cookies.
    pub fn cookies(&self) -> Cookies {
        Cookies::new(&self.base_url())
    }

    /// Checks that a browser sent the request from one of this deployment's own pages. `SameSite` alone does not prove that: a
    /// page of a sibling domain belongs to the same site.
    ///
    /// # Errors
    /// 403 `csrf_refused`.
    pub fn check_own_page(&self) -> Result<(), Problem> {
        let request = &self.request;
        let refused = |detail: &'static str| Err(Problem::new(Code::CsrfRefused, detail));
        if request.header("x-multipartner") != Some("1") {
            return refused("The header `x-multipartner: 1` is missing. A program sends an access key and no cookies.");
        }
        if !request.has_json_type() {
            return refused("A request with a cookie has a JSON body or none. Send `Content-Type: application/json`.");
        }
        let is_own = match request.header("sec-fetch-site") {
            Some(site) => site == "same-origin",
            None => request.header("origin") == Some(self.base_url().as_str()),
        };
        if is_own {
            return Ok(());
        }
        refused(
            "A request with a cookie must come from a page of this deployment. A program sends an access key instead.",
        )
    }
}
