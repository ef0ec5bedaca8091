use platform::handler::{Caller, Context};
use platform::http_api::{Code, Problem};

/// A browser that sends the request from one of this deployment's own pages.
pub(crate) struct OwnPage;

impl Caller for OwnPage {
    const CODES: &'static [Code] = &[Code::CsrfRefused];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        context.check_own_page().map(|()| Self)
    }

    #[cfg(feature = "describe")]
    fn security() -> platform::describe::Security {
        platform::describe::Security::Browser
    }
}
