use domain::{Cloud, InvitationId, TenantId};
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::shape::{self, AnyText, OneOf, Parsed};

/// `{tenant_id, cloud, invitation_id?}`
pub(crate) struct SignInBody {
    pub(crate) tenant: TenantId,
    pub(crate) cloud: Cloud,
    pub(crate) invitation: Option<InvitationId>,
}

impl Body for SignInBody {
    const NAME: &'static str = "SignInRequest";

    fn members<R: Reader>(reader: &mut R, _: &Rules<'_>) -> Option<Self> {
        let tenant = reader.required("tenant_id", shape::tenant_id());
        let cloud = reader.required("cloud", clouds());
        let invitation = reader.optional("invitation_id", invitation_id());
        Some(Self { tenant: tenant?, cloud: cloud?, invitation })
    }
}

/// `{cloud, code, state, iss?}`
pub(crate) struct SessionBody {
    pub(crate) cloud: Cloud,
    pub(crate) code: String,
    pub(crate) state: String,
    /// The issuer that the return names. Not every provider sends it.
    pub(crate) issuer: Option<String>,
}

impl Body for SessionBody {
    const NAME: &'static str = "SessionRequest";

    fn members<R: Reader>(reader: &mut R, _: &Rules<'_>) -> Option<Self> {
        let cloud = reader.required("cloud", clouds());
        let code = reader.required("code", code());
        // Any other text is a state of no sign-in.
        let state = reader.required("state", AnyText);
        let issuer = reader.optional("iss", AnyText);
        Some(Self { cloud: cloud?, code: code?, state: state?, issuer })
    }
}

fn clouds() -> OneOf<'static, Cloud> {
    OneOf { all: Cloud::ALL, as_str: Cloud::as_str }
}

fn invitation_id() -> Parsed<InvitationId> {
    Parsed {
        parse: InvitationId::parse,
        expected: "the id of an invitation is expected",
        pattern: "^inv_[a-z2-7]{26}$",
        format: None,
    }
}

/// A code of the provider (RFC 6749 §A.11). Those of Microsoft Entra have about 2 000 characters.
fn code() -> Parsed<String> {
    let parse = |text: &str| {
        let is_code = (1..=4096).contains(&text.len()) && text.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
        is_code.then(|| text.to_owned())
    };
    Parsed {
        parse,
        expected: "1 to 4096 printable ASCII characters without spaces are expected",
        pattern: "^[!-~]{1,4096}$",
        format: None,
    }
}
