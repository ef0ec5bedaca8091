use domain::SessionId;
use platform::handler::{Context, NoMembers, OwnPage, WithCookies};
use platform::http_api::Problem;
use platform::secrets::{SessionText, same_hash};
use platform::store::OpContext;

use crate::views::SignedOutView;

/// Always succeeds, also without a session: afterwards this browser has none.
pub(crate) async fn end(
    context: Context,
    _: OwnPage,
    _: NoMembers,
) -> Result<WithCookies<SignedOutView, 200>, Problem> {
    let cookies = context.cookies();
    let text = context.request.cookie(cookies.session()).and_then(SessionText::parse);
    let sign_out_url = match text {
        Some(text) => end_session(&context, context.op(), &text).await?,
        None => None,
    };
    Ok(WithCookies { view: SignedOutView { sign_out_url }, cookies: vec![cookies.clear(cookies.session())] })
}

/// Returns the identity provider's own address for signing out.
async fn end_session(context: &Context, op: OpContext, text: &SessionText) -> Result<Option<String>, Problem> {
    let (store, hash) = (&context.app.store, text.hash());
    let session = store.fresh_session(op, &SessionId::from_hash(&hash)).await?;
    let Some(session) = session.filter(|session| same_hash(&session.hash, &hash)) else { return Ok(None) };
    if session.ended_at.is_none() {
        store.end_session(op, &session).await?;
    }
    Ok(session.sign_out_url)
}
