use super::Context;
use super::caller::Caller;
use crate::http_api::{Code, Problem};

/// A browser that sends the request from one of this deployment's own pages. It need not be signed in.
pub struct OwnPage;

impl Caller for OwnPage {
    const CODES: &'static [Code] = &[Code::CsrfRefused];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        context.check_own_page().map(|()| Self)
    }

    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::Browser
    }
}
