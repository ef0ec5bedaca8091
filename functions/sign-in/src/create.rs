//! The person returns from the identity provider. The checks run in the order of the contract: page, body, settings, cookie,
//! exchange, and then what is only for the person whom the token is about.

use domain::{Session, SessionId, Tenant};
use platform::handler::{Context, Json, OwnPage, WithCookies};
use platform::http_api::{Code, Problem, SET_COOKIE};
use platform::identity::{Person, Provider, Redeem, SignInError};
use platform::secrets::SessionText;
use platform::store::OpContext;

use crate::body::SessionBody;
use crate::setup::{provider, redirect_uri};
use crate::started::Started;
use crate::views::{NewSessionView, SessionView};

/// Codes after which the person starts again, so the cookie of the sign-in is cleared.
const FINAL: &[Code] =
    &[Code::SignInFailed, Code::ApproverNotHome, Code::NotAnApprover, Code::CustomerUnknown, Code::CloudMismatch];

pub(crate) async fn create(
    context: Context,
    _: OwnPage,
    Json(body): Json<SessionBody>,
) -> Result<WithCookies<NewSessionView, 201>, Problem> {
    let provider = provider(&context, body.cloud)?;
    let started = Started::find(&context, &body)?;
    finish(&context, &provider, &started, &body).await.map_err(|problem| {
        let is_final = FINAL.contains(&problem.code);
        if is_final { problem.with_header(SET_COOKIE, started.cleared.clone()) } else { problem }
    })
}

async fn finish(
    context: &Context,
    provider: &Provider<'_>,
    started: &Started,
    body: &SessionBody,
) -> Result<WithCookies<NewSessionView, 201>, Problem> {
    let cookie = &started.cookie;
    let redeem = Redeem {
        code: &body.code,
        issuer: body.issuer.as_deref(),
        redirect_uri: &redirect_uri(context, cookie.cloud),
        nonce: started.secrets.expose_nonce(),
        verifier: started.secrets.expose_verifier(),
        now: context.now(),
    };
    let person = provider.exchange(&cookie.tenant, &redeem).await.map_err(problem_of)?;
    // The provider may have taken longer than a write may be old.
    let op = OpContext { occurred_at: context.app.clock.now(), ..context.op() };
    let tenant = context.app.store.tenant(op, &cookie.tenant).await?.ok_or_else(problem_unknown)?;
    if tenant.cloud != cookie.cloud {
        return Err(problem_cloud());
    }
    let text = SessionText::from_bytes(&context.app.random.bytes());
    let session = new_session(context, op, &tenant, person, &text)?;
    let cookies = context.cookies();
    let replaced = context.request.cookie(cookies.session()).and_then(SessionText::parse);
    let replaced = replaced.map(|text| SessionId::from_hash(&text.hash()));
    context.app.store.begin_session(op, &session, replaced.as_ref()).await?;
    let set = cookies.set(cookies.session(), text.expose_secret(), None);
    let view = NewSessionView {
        session: SessionView::new(&session, tenant.name),
        invitation_id: cookie.invitation.clone(),
        now: op.occurred_at,
    };
    Ok(WithCookies { view, cookies: vec![set, started.cleared.clone()] })
}

/// Its value is new, so nothing that the browser had before sign-in gives access afterwards.
fn new_session(
    context: &Context,
    op: OpContext,
    tenant: &Tenant,
    person: Person,
    text: &SessionText,
) -> Result<Session, Problem> {
    let hash = text.hash();
    Ok(Session {
        session_id: SessionId::from_hash(&hash),
        hash,
        tenant: tenant.tenant_id.clone(),
        person: context.app.keys.person(&tenant.tenant_id, &person.person_id)?,
        name: person.name,
        email: person.email,
        approver_role: person.approver_role,
        sign_out_url: person.sign_out_url,
        state: tenant.sign_in_state(),
        created_at: op.occurred_at,
        expires_at: op.occurred_at + Session::LIFE,
        ended_at: None,
    })
}

/// Until the token is proven authentic, every failure has the same response: the log has the reason.
fn problem_of(error: SignInError) -> Problem {
    match error {
        SignInError::Failed(_) => {
            let detail = "The identity provider did not confirm the sign-in. Start to sign in again.";
            Problem::new(Code::SignInFailed, detail)
        }
        SignInError::ProviderUnavailable(..) => {
            let detail = "The identity provider does not respond as expected. Retry the request.";
            Problem::new(Code::ProviderUnavailable, detail).retry_after(1)
        }
        SignInError::NotHome(_) => {
            let detail = "You signed in as a guest, with an account of another organization, or for a partner. Use an account of the customer.";
            Problem::new(Code::ApproverNotHome, detail)
        }
        SignInError::NotAnApprover => {
            let detail = "You have none of the directory roles that may act for the customer. If you can activate one, do so and sign in again.";
            Problem::new(Code::NotAnApprover, detail)
        }
    }
}

fn problem_unknown() -> Problem {
    let detail = "Your organization is not registered here. Ask the operator to register it.";
    Problem::new(Code::CustomerUnknown, detail)
}

fn problem_cloud() -> Problem {
    let detail = "Your organization is registered in another cloud. Sign in to that cloud.";
    Problem::new(Code::CloudMismatch, detail)
}
