use platform::handler::{Context, Json, OwnPage, WithCookies};
use platform::http_api::Problem;
use platform::identity::Authorize;
use platform::secrets::SignInCookie;

use crate::body::SignInBody;
use crate::setup::{provider, redirect_uri};
use crate::started::{self, LIFE};
use crate::views::SignInStartedView;

/// The same for every tenant: nothing is read, so the response does not show which tenants are customers.
pub(crate) async fn begin(
    context: Context,
    _: OwnPage,
    Json(body): Json<SignInBody>,
) -> Result<WithCookies<SignInStartedView, 200>, Problem> {
    let SignInBody { tenant, cloud, invitation } = body;
    let provider = provider(&context, cloud)?;
    let (keys, expires_at) = (&context.app.keys, context.now() + LIFE);
    let cookie = SignInCookie::new((cloud, tenant), invitation, expires_at, context.app.random.bytes(), keys)?;
    let secrets = keys.sign_in_secrets(&cookie)?;
    let authorize_url = provider.authorize_url(
        &cookie.tenant,
        &Authorize {
            redirect_uri: &redirect_uri(&context, cloud),
            state: secrets.expose_state(),
            nonce: secrets.expose_nonce(),
            verifier: secrets.expose_verifier(),
        },
    );
    let mut cookies = started::too_many(&context);
    cookies.push(started::cookie(&context, secrets.expose_state(), &keys.sign_in_text(&cookie)?));
    Ok(WithCookies { view: SignInStartedView { authorize_url }, cookies })
}
