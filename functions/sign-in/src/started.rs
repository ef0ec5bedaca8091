//! Started sign-ins of a browser: one cookie for each, so that several tabs can sign in at once.

use std::time::Duration;

use domain::Timestamp;
use platform::handler::Context;
use platform::http_api::{Code, Problem, SET_COOKIE};
use platform::secrets::{SignInCookie, SignInSecrets};

use crate::body::SessionBody;

/// How long the person has for the identity provider's page.
pub(crate) const LIFE: Duration = Duration::from_secs(15 * 60);

/// The most started sign-ins of one browser.
const MOST: usize = 4;

/// A started sign-in to which the person has returned.
pub(crate) struct Started {
    pub(crate) cookie: SignInCookie,
    pub(crate) secrets: SignInSecrets,
    /// `Set-Cookie` that removes its cookie.
    pub(crate) cleared: String,
}

impl Started {
    /// The sign-in of this browser with the returned state.
    ///
    /// # Errors
    /// 401 `sign_in_expired`.
    pub(crate) fn find(context: &Context, body: &SessionBody) -> Result<Self, Problem> {
        let expired = || {
            let detail =
                "No sign-in of this browser belongs to this return, or it began more than 15 minutes ago. Start again.";
            Problem::new(Code::SignInExpired, detail)
        };
        let name = SignInCookie::name_of(&body.state).ok_or_else(expired)?;
        let cookies = context.cookies();
        let name = format!("{}{name}", cookies.sign_in_prefix());
        let value = context.request.cookie(&name).ok_or_else(expired)?;
        let cleared = cookies.clear(&name);
        let found = Self::read(context, body, value).map(|(cookie, secrets)| (cookie, secrets, cleared.clone()));
        let (cookie, secrets, cleared) = found.ok_or_else(|| expired().with_header(SET_COOKIE, cleared))?;
        Ok(Self { cookie, secrets, cleared })
    }

    fn read(context: &Context, body: &SessionBody, value: &str) -> Option<(SignInCookie, SignInSecrets)> {
        let keys = &context.app.keys;
        let cookie = keys.read_sign_in(value)?;
        let secrets = keys.sign_in_secrets(&cookie).ok()?;
        let is_own = secrets.is_state(&body.state) && cookie.cloud == body.cloud;
        (is_own && context.now() < cookie.expires_at).then_some((cookie, secrets))
    }
}

/// `Set-Cookie` of a new sign-in.
pub(crate) fn cookie(context: &Context, state: &str, value: &str) -> String {
    let cookies = context.cookies();
    let name = SignInCookie::name_of(state).unwrap_or_default();
    cookies.set(&format!("{}{name}", cookies.sign_in_prefix()), value, Some(LIFE.as_secs()))
}

/// `Set-Cookie` of each cookie that makes room for a new sign-in: those nearest their end, and before them those that are none of
/// this deployment. A browser keeps only so many, and the gateway's limit for headers is 10 240 bytes.
pub(crate) fn too_many(context: &Context) -> Vec<String> {
    let cookies = context.cookies();
    let end = |value: &str| context.app.keys.read_sign_in(value).map(|cookie| cookie.expires_at);
    let all = context.request.cookies().into_iter();
    let is_sign_in = |name: &str| name.strip_prefix(cookies.sign_in_prefix()).is_some_and(SignInCookie::is_name);
    let started = all.filter(|(name, _)| is_sign_in(name));
    let mut started: Vec<(Option<Timestamp>, &str)> = started.map(|(name, value)| (end(value), name)).collect();
    started.sort_unstable();
    let surplus = (started.len() + 1).saturating_sub(MOST);
    started.iter().take(surplus).map(|(_, name)| cookies.clear(name)).collect()
}
