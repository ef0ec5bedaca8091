//! Arguments that several commands share. Their names are those of the API's members and parameters.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::{
    BillingCycle, CallerKind, Cloud, Date, EndpointId, EndpointState, GrantId, GrantState, InvitationId,
    InvitationState, KeyId, PartnerId, Role, SubscriptionId, TenantId, Term, WebhookId,
};
use local::client::{ClientError, view};
use platform::handler::views::MeView;
use platform::random::{Random, SystemRandom};

use super::Failure;
use super::connection::{Connection, ConnectionError};
use super::session::{Session, route};
use crate::exit::UsageError;

/// The deployment, the key and the form of the output.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Common {
    #[command(flatten)]
    pub connection: Connection,
    /// Print the API's document as it is, instead of a table; for a list, one document for each page.
    #[arg(long, global = true)]
    json: bool,
}

impl Common {
    /// With a key.
    pub fn session(&self) -> Result<Session, ConnectionError> {
        Ok(Session::new(self.connection.client()?, self.json))
    }

    /// For routes that need no key.
    pub fn session_without_key(&self) -> Result<Session, ConnectionError> {
        Ok(Session::new(self.connection.client_without_key()?, self.json))
    }
}

/// Which page of a list.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Paging {
    /// Items on a page; default: the policy's.
    #[arg(long)]
    pub limit: Option<u32>,
    /// Continue a list: the `next_cursor` of the page before.
    #[arg(long)]
    pub cursor: Option<String>,
    /// Print all pages.
    #[arg(long)]
    pub all: bool,
}

/// The confirmation of an action that cannot be undone.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Yes {
    /// Do not ask for a confirmation; scripts need it.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Clone, Debug, Default, clap::Args)]
pub struct Idempotency {
    /// Text of your own, so that a repeat of the command returns the first response; default: random. An error says which it
    /// was.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl Idempotency {
    pub fn key(&self) -> String {
        self.idempotency_key.clone().unwrap_or_else(|| {
            let bytes = SystemRandom.bytes();
            format!("cli-{}", data_encoding::HEXLOWER.encode(&bytes[..16]))
        })
    }
}

/// The partner or customer that something belongs to.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Owner {
    /// Partner; default: the owner of the key.
    #[arg(long, value_parser = partner_id, conflicts_with = "tenant_id")]
    partner_id: Option<PartnerId>,
    /// Customer; default: the owner of the key.
    #[arg(long, value_parser = tenant_id)]
    tenant_id: Option<TenantId>,
}

/// Who calls, or about whom the call is.
pub enum Party {
    Operator,
    Partner(PartnerId),
    Customer(TenantId),
}

impl Party {
    /// The route for a partner or for a customer, with the party's id and then these values.
    pub fn route(&self, of_partner: &str, of_customer: &str, values: &[&str]) -> Result<local::api::Call, UsageError> {
        let (key, id) = match self {
            Self::Operator => {
                return Err(UsageError("an operator names the owner: use --partner-id or --tenant-id".to_owned()));
            }
            Self::Partner(id) => (of_partner, id.as_str()),
            Self::Customer(id) => (of_customer, id.as_str()),
        };
        let values: Vec<_> = std::iter::once(id).chain(values.iter().copied()).collect();
        Ok(route(key, &values))
    }
}

impl Owner {
    /// Without arguments, the service is asked whose key it is.
    pub async fn resolve(&self, session: &Session) -> Result<Party, Failure> {
        match (&self.partner_id, &self.tenant_id) {
            (Some(id), _) => Ok(Party::Partner(id.clone())),
            (None, Some(id)) => Ok(Party::Customer(id.clone())),
            (None, None) => caller(session).await,
        }
    }
}

/// The partner that acts.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct OfPartner {
    /// Partner; default: the owner of the key.
    #[arg(long, value_parser = partner_id)]
    partner_id: Option<PartnerId>,
}

impl OfPartner {
    pub async fn resolve(&self, session: &Session) -> Result<PartnerId, Failure> {
        if let Some(id) = &self.partner_id {
            return Ok(id.clone());
        }
        match caller(session).await? {
            Party::Partner(id) => Ok(id),
            _ => Err(UsageError("the key is not a partner's: use --partner-id".to_owned()).into()),
        }
    }
}

/// The owner of the key.
pub async fn caller(session: &Session) -> Result<Party, Failure> {
    let me: MeView = view(&session.call(route("GET /v1/me", &[])).await?)?;
    let id = me.id.unwrap_or_default();
    let party = match me.kind {
        CallerKind::Operator => Some(Party::Operator),
        CallerKind::Partner => PartnerId::parse(&id).map(Party::Partner),
        CallerKind::Customer => TenantId::parse(&id).map(Party::Customer),
    };
    party.ok_or_else(|| ClientError::Unexpected("the owner of the key has no valid id".to_owned()).into())
}

macro_rules! ids {
    ($($name:ident: $type:ty, $expected:literal;)*) => {$(
        pub fn $name(text: &str) -> Result<$type, &'static str> {
            <$type>::parse(text).ok_or(concat!("expected ", $expected))
        }
    )*};
}

ids! {
    partner_id: PartnerId, "the id of a partner, ptr_…";
    tenant_id: TenantId, "the id of a tenant, a UUID";
    key_id: KeyId, "the id of a key, key_…; not the key itself";
    invitation_id: InvitationId, "the id of an invitation, inv_…";
    grant_id: GrantId, "the id of a grant, grt_…";
    endpoint_id: EndpointId, "the id of an endpoint, ep_…";
    webhook_id: WebhookId, "the id of an event or message, evt_… or msg_…";
    subscription_id: SubscriptionId, "1 to 64 of A–Z a–z 0–9 . _ -";
    date: Date, "a date such as 2026-11-22";
}

/// The id of a message. A full stop would make what is signed ambiguous.
pub fn message_id(text: &str) -> Result<String, &'static str> {
    let is_id =
        !text.is_empty() && text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if is_id { Ok(text.to_owned()) } else { Err("expected 1 to 256 visible ASCII characters without a full stop") }
}

macro_rules! words {
    ($($name:ident: $type:ty;)*) => {$(
        pub fn $name() -> impl TypedValueParser<Value = $type> {
            PossibleValuesParser::new(<$type>::ALL.iter().map(|word| word.as_str()))
                .try_map(|text| <$type>::parse(&text).ok_or("unknown value"))
        }
    )*};
}

words! {
    cloud: Cloud;
    role: Role;
    caller_kind: CallerKind;
    invitation_state: InvitationState;
    grant_state: GrantState;
    endpoint_state: EndpointState;
    billing_cycle: BillingCycle;
    term: Term;
}
