//! Who calls: the types with which a handler's signature says who may. Each identifies its caller from the request.

use std::future::Future;
use std::marker::PhantomData;

use domain::{Action, Actor, KeyId, Owner, Partner, PartnerId, Principal, Role, TenantId, Timestamp};

use super::Context;
use super::input::Path;
use super::signed_in::SignedIn;
use crate::http_api::{Code, Problem};
use crate::secrets::signature::{SignatureError, SignatureHeaders, SigningSecret, TOLERANCE_SECONDS};
use crate::secrets::{AccessKeyText, UnknownMasterKey, same_hash};
use crate::store::TenantRefusal;

/// A kind of caller.
pub trait Caller: Sized + Send + 'static {
    /// The codes that identifying it can return.
    const CODES: &'static [Code];

    /// Identifies the caller of a request, and checks that it may call.
    ///
    /// # Errors
    /// One of [`Self::CODES`], or an error of the table.
    fn identify(context: &Context) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// How the caller proves who it is: with an access key, unless the kind says otherwise.
    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::Key
    }
}

/// Something that a partner's role must permit.
pub trait Permission: Send + Sync + 'static {
    /// What it is in the policy.
    const ACTION: Action;
}

macro_rules! permissions {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The permissions that a [`PartnerKey`](super::PartnerKey) can need.
        pub mod permission {
            use super::{Action, Permission};
            $(
                $(#[doc = $doc])*
                pub struct $name;

                impl Permission for $name {
                    const ACTION: Action = Action::$name;
                }
            )*
        }
    };
}

permissions! {
    /// Invite a customer.
    CreateInvitation,
    /// Cancel or renew an invitation.
    ManageInvitation,
    /// Register a subscription.
    RegisterSubscription,
    /// End a relationship.
    EndRelationship,
    /// End a grant.
    EndGrant,
    /// Manage webhook endpoints.
    ManageEndpoints,
}

/// Anyone; nothing is checked.
pub struct Anyone;

impl Caller for Anyone {
    const CODES: &'static [Code] = &[];

    async fn identify(_: &Context) -> Result<Self, Problem> {
        Ok(Self)
    }

    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::None
    }
}

/// The holder of an invitation's link, whose token is in the body. A browser must send the request from this deployment's
/// own pages.
pub struct LinkHolder;

impl Caller for LinkHolder {
    const CODES: &'static [Code] = &[Code::CrossSite];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        let request = &context.request;
        let foreign_fetch = request.header("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let foreign_origin = request.header("origin").is_some_and(|origin| origin != context.base_url());
        if foreign_fetch || foreign_origin {
            let detail =
                "A browser can send this request only from a page of this deployment. Send it without `Origin`.";
            return Err(Problem::new(Code::CrossSite, detail));
        }
        Ok(Self)
    }

    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::None
    }
}

/// The holder of any access key. On routes of customers, also a customer's administrator who signed in.
#[derive(Clone, Debug)]
pub struct KeyHolder {
    /// Whom the key stands for.
    pub principal: Principal,
    /// Its roles.
    pub roles: Vec<Role>,
    pub credential: Credential,
    /// From this time on the key is rejected. Sessions have an end of their own.
    pub expires_at: Option<Timestamp>,
}

/// What a caller proved itself with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An access key, by its public id.
    Key(KeyId),
    Session(Box<SignedIn>),
}

/// The codes of every route that is called with a key.
const KEY_CODES: &[Code] = &[Code::TokenMissing, Code::KeyInvalid, Code::HeaderRepeated];

impl Caller for KeyHolder {
    const CODES: &'static [Code] = KEY_CODES;

    async fn identify(context: &Context) -> Result<Self, Problem> {
        Self::identify_for(context, None).await
    }
}

fn problem_missing() -> Problem {
    Problem::new(Code::TokenMissing, "The access key is missing. Send the header `Authorization: Bearer mpk_…`.")
        .with_header("www-authenticate", "Bearer")
}

impl KeyHolder {
    /// Identifies the holder of a key. If the caller also needs a partner, one call reads both.
    async fn identify_for(context: &Context, partner: Option<&PartnerId>) -> Result<Self, Problem> {
        let missing = problem_missing;
        let invalid = || {
            Problem::new(
                Code::KeyInvalid,
                "The access key is malformed, unknown, expired or revoked. Check it, or ask the operator for a new one.",
            )
            .with_header("www-authenticate", "Bearer error=\"invalid_token\"")
        };
        let header = context.request.single_header("authorization")?.ok_or_else(missing)?;
        let (scheme, text) = header.split_once(' ').ok_or_else(missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(missing());
        }
        let hash = AccessKeyText::parse(text).ok_or_else(invalid)?.hash();
        let key_id = KeyId::from_hash(&hash);
        let app = &context.app;
        if app.is_operator_key(&hash) {
            let credential = Credential::Key(key_id);
            return Ok(Self { principal: Principal::Operator, roles: Vec::new(), credential, expires_at: None });
        }
        let key = match partner {
            Some(partner) => app.store.access_key_and(context.op(), &key_id, partner).await?,
            None => app.store.access_key(context.op(), &key_id).await?,
        };
        let key = key.ok_or_else(invalid)?;
        if !same_hash(&key.hash, &hash) || !key.is_live(context.now()) {
            return Err(invalid());
        }
        let credential = Credential::Key(key_id);
        Ok(Self { principal: key.principal, roles: key.roles, credential, expires_at: key.expires_at })
    }

    /// The caller of a route of customers: by the key in `Authorization`, and only without that header by its session.
    pub(super) async fn identify_customer(context: &Context) -> Result<Self, Problem> {
        if context.request.header("authorization").is_some() {
            return Self::identify(context).await;
        }
        let signed_in = SignedIn::identify(context).await?.ok_or_else(problem_missing)?;
        Ok(Self {
            principal: Principal::Customer(signed_in.session.tenant.clone()),
            roles: vec![Role::GlobalAdmin],
            credential: Credential::Session(Box::new(signed_in)),
            expires_at: None,
        })
    }

    /// What a cursor is bound to.
    pub fn cursor_owner(&self) -> String {
        format!("{} {}", self.principal.kind(), self.principal.id().unwrap_or_default())
    }

    /// Its owner as an actor, in one of its roles.
    fn actor(&self, role: Option<Role>) -> Actor {
        match &self.credential {
            Credential::Key(id) => Actor::with_key(&self.principal, role, id.clone()),
            // A session has exactly this role.
            Credential::Session(signed_in) => Actor::with_session(&signed_in.session, Role::GlobalAdmin),
        }
    }

    fn permitted_role(&self, context: &Context, action: Action) -> Result<Role, Problem> {
        let role = context.policy().permitted_role(action, &self.roles);
        role.ok_or_else(|| {
            Problem::new(
                Code::RoleNotPermitted,
                "None of the key's roles permits this action. `GET /v1/policy` lists the roles for each action.",
            )
        })
    }
}

/// An operator.
pub struct Operator {
    /// Who acts.
    pub actor: Actor,
    /// The key.
    pub key: KeyHolder,
}

impl Caller for Operator {
    const CODES: &'static [Code] =
        &[Code::TokenMissing, Code::KeyInvalid, Code::HeaderRepeated, Code::RoleNotPermitted];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        let key = KeyHolder::identify(context).await?;
        match key.principal {
            Principal::Operator => Ok(Self { actor: key.actor(None), key }),
            _ => Err(Problem::new(Code::RoleNotPermitted, "Only an operator may do this. Use an operator's key.")),
        }
    }
}

/// A partner that may do what it asks, and how its action is recorded.
#[derive(Clone, Debug)]
pub struct ActingPartner {
    /// The partner, active.
    pub partner: Partner,
    /// Who acts.
    pub actor: Actor,
}

impl ActingPartner {
    /// The same with the partner as it is now, if [`Context::corrected_since`] finds one.
    ///
    /// # Errors
    /// An error of the table.
    pub async fn corrected_since(&self, context: &Context, refusal: &TenantRefusal) -> Result<Option<Self>, Problem> {
        let partner = context.corrected_since(refusal, &self.partner).await?;
        Ok(partner.map(|partner| Self { partner, actor: self.actor.clone() }))
    }
}

/// The partner in the path, by its own key (MP-03, MP-06, MP-45).
pub struct PartnerKey<P> {
    /// The partner.
    pub acting: ActingPartner,
    permission: PhantomData<P>,
}

impl<P: Permission> Caller for PartnerKey<P> {
    const CODES: &'static [Code] = &[
        Code::TokenMissing,
        Code::KeyInvalid,
        Code::HeaderRepeated,
        Code::NotFound,
        Code::RoleNotPermitted,
        Code::PartnerNotActive,
    ];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        let asked = Path::<PartnerId>::parse(context);
        let key = KeyHolder::identify_for(context, asked.as_ref()).await?;
        let id = match &key.principal {
            Principal::Partner(id) if asked.as_ref() == Some(id) => id,
            Principal::Operator => {
                return Err(Problem::new(
                    Code::RoleNotPermitted,
                    "Only the partner itself may do this. Use a key of the partner.",
                ));
            }
            _ => return Err(Problem::not_found()),
        };
        let role = key.permitted_role(context, P::ACTION)?;
        let partner = active_partner(context, id).await?;
        let actor = key.actor(Some(role));
        Ok(Self { acting: ActingPartner { partner, actor }, permission: PhantomData })
    }
}

/// The holder of any access key, or a customer's administrator who signed in.
pub struct KeyOrSession(pub KeyHolder);

impl Caller for KeyOrSession {
    const CODES: &'static [Code] = &[Code::TokenMissing, Code::KeyInvalid, Code::HeaderRepeated, Code::SessionInvalid];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        KeyHolder::identify_customer(context).await.map(Self)
    }

    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::KeyOrSession
    }
}

/// The customer in the path, by its own key or by a session of its administrator (MP-05, MP-06). What a customer may do does not depend on the partners' roles.
pub struct CustomerKey {
    /// The customer.
    pub customer: TenantId,
    /// Who acts.
    pub actor: Actor,
}

impl Caller for CustomerKey {
    const CODES: &'static [Code] = &[
        Code::TokenMissing,
        Code::KeyInvalid,
        Code::HeaderRepeated,
        Code::SessionInvalid,
        Code::NotFound,
        Code::RoleNotPermitted,
        Code::ApproverNotPermitted,
    ];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        let key = KeyHolder::identify_customer(context).await?;
        let customer = match &key.principal {
            Principal::Customer(id) if Path::<TenantId>::parse(context).as_ref() == Some(id) => id,
            Principal::Operator => {
                return Err(Problem::new(
                    Code::RoleNotPermitted,
                    "Only the customer itself may do this. Use a key of the customer.",
                ));
            }
            _ => return Err(Problem::not_found()),
        };
        let role = context.policy().roles.customer;
        if !key.roles.contains(&role) {
            return Err(Problem::new(
                Code::ApproverNotPermitted,
                format!("Only a key with the role {role} may act for the customer."),
            ));
        }
        Ok(Self { customer: customer.clone(), actor: key.actor(Some(role)) })
    }

    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::KeyOrSession
    }
}

/// The partner in the path, read by itself or by an operator.
pub struct ReadingPartner {
    /// The partner.
    pub partner: Partner,
    /// The key.
    pub key: KeyHolder,
}

impl Caller for ReadingPartner {
    const CODES: &'static [Code] = PartnerKey::<permission::EndGrant>::CODES;

    async fn identify(context: &Context) -> Result<Self, Problem> {
        let asked = Path::<PartnerId>::parse(context);
        let key = KeyHolder::identify_for(context, asked.as_ref()).await?;
        let asked = asked.ok_or_else(Problem::not_found)?;
        let partner = match &key.principal {
            Principal::Operator => {
                context.app.store.partner(context.op(), &asked).await?.ok_or_else(Problem::not_found)?
            }
            Principal::Partner(id) if *id == asked => {
                key.permitted_role(context, Action::Read)?;
                active_partner(context, id).await?
            }
            _ => return Err(Problem::not_found()),
        };
        Ok(Self { partner, key })
    }
}

/// The customer in the path, read by itself or by an operator.
pub struct ReadingCustomer {
    /// The customer.
    pub customer: TenantId,
    /// The key.
    pub key: KeyHolder,
}

impl Caller for ReadingCustomer {
    const CODES: &'static [Code] =
        &[Code::TokenMissing, Code::KeyInvalid, Code::HeaderRepeated, Code::SessionInvalid, Code::NotFound];

    async fn identify(context: &Context) -> Result<Self, Problem> {
        let key = KeyHolder::identify_customer(context).await?;
        let customer = Path::<TenantId>::parse(context).ok_or_else(Problem::not_found)?;
        let known = match &key.principal {
            Principal::Operator => context.app.store.tenant_name(context.op(), &customer).await?.is_some(),
            Principal::Customer(id) => *id == customer,
            Principal::Partner(_) => false,
        };
        if known { Ok(Self { customer, key }) } else { Err(Problem::not_found()) }
    }

    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::KeyOrSession
    }
}

/// A partner or a customer that acts on what it owns, for example its webhook endpoints.
pub trait Owning: Caller {
    /// The owner, and who acts.
    fn into_owner(self) -> (Owner, Actor);
}

impl<P: Permission> Owning for PartnerKey<P> {
    fn into_owner(self) -> (Owner, Actor) {
        (Owner::Partner(self.acting.partner.partner_id), self.acting.actor)
    }
}

impl Owning for CustomerKey {
    fn into_owner(self) -> (Owner, Actor) {
        (Owner::Customer(self.customer), self.actor)
    }
}

/// A caller that reads what a partner or a customer owns.
pub trait Reading: Caller {
    /// The owner, and the key that reads.
    fn into_owner(self) -> (Owner, KeyHolder);
}

impl Reading for ReadingPartner {
    fn into_owner(self) -> (Owner, KeyHolder) {
        (Owner::Partner(self.partner.partner_id), self.key)
    }
}

impl Reading for ReadingCustomer {
    fn into_owner(self) -> (Owner, KeyHolder) {
        (Owner::Customer(self.customer), self.key)
    }
}

async fn active_partner(context: &Context, id: &PartnerId) -> Result<Partner, Problem> {
    let partner = context.app.store.partner(context.op(), id).await?.ok_or_else(Problem::not_found)?;
    context.require_active(partner).await
}

impl Context {
    /// The partner, if it is active. A cached suspension is not final: the partner may have been resumed a moment ago, so it is
    /// read again.
    ///
    /// # Errors
    /// 403 `partner_not_active`.
    pub async fn require_active(&self, partner: Partner) -> Result<Partner, Problem> {
        if partner.is_active() {
            return Ok(partner);
        }
        let current = self.app.store.fresh_partner(self.op(), &partner.partner_id).await?;
        current.filter(Partner::is_active).ok_or_else(Problem::partner_not_active)
    }

    /// The partner as it is now, if a market that was cached is the reason for this refusal: the operator may have corrected it a
    /// moment ago.
    ///
    /// # Errors
    /// An error of the table.
    pub async fn corrected_since(
        &self,
        refusal: &TenantRefusal,
        partner: &Partner,
    ) -> Result<Option<Partner>, Problem> {
        if *refusal != TenantRefusal::Market {
            return Ok(None);
        }
        let current = self.app.store.fresh_partner(self.op(), &partner.partner_id).await?;
        Ok(current.filter(|current| current.is_active() && current.market != partner.market))
    }
}

/// The partner in the path, by a signed webhook (Standard Webhooks).
pub struct SignedWebhook<P> {
    /// The sender.
    pub acting: ActingPartner,
    /// `webhook-id`: the idempotency key.
    pub webhook_id: String,
    permission: PhantomData<P>,
}

impl<P: Permission> Caller for SignedWebhook<P> {
    const CODES: &'static [Code] = &[
        Code::BodyMissing,
        Code::BodyEncodingInvalid,
        Code::BodyTooLarge,
        Code::MediaTypeUnsupported,
        Code::HeaderRepeated,
        Code::SignatureMissing,
        Code::SignatureMalformed,
        Code::SignatureInvalid,
        Code::TimestampOutOfTolerance,
        Code::RoleNotPermitted,
        Code::PartnerNotActive,
    ];

    /// Cheap checks come first. Nothing of the body is parsed before the signature is verified. An unknown partner is 401
    /// `signature_invalid`.
    async fn identify(context: &Context) -> Result<Self, Problem> {
        let request = &context.request;
        let body = request.body()?;
        let headers = SignatureHeaders::parse(
            request.single_header("webhook-id")?,
            request.single_header("webhook-timestamp")?,
            request.single_header("webhook-signature")?,
        );
        let headers = headers.map_err(|error| problem_of_signature(error, context))?;
        headers.check_time(context.now().seconds()).map_err(|error| problem_of_signature(error, context))?;
        let partner = sender(context, &headers, body).await?;
        let policy = context.policy();
        let role = policy.permitted_role(P::ACTION, &[policy.roles.webhook]);
        let role = role.ok_or_else(|| {
            Problem::new(
                Code::RoleNotPermitted,
                "The policy does not permit this action by webhook. Use an access key.",
            )
        })?;
        let partner = context.require_active(partner).await?;
        let actor = Actor::with_signature(&partner.partner_id, role);
        let webhook_id = headers.id().to_owned();
        Ok(Self { acting: ActingPartner { partner, actor }, webhook_id, permission: PhantomData })
    }

    #[cfg(feature = "describe")]
    fn security() -> crate::describe::Security {
        crate::describe::Security::Signature
    }
}

/// The partner whose secret signed. If a cached partner's secrets do not match, the partner is read again: its secret may have
/// been rotated a moment ago.
async fn sender(context: &Context, headers: &SignatureHeaders<'_>, body: &[u8]) -> Result<Partner, Problem> {
    let store = &context.app.store;
    let id = Path::<PartnerId>::parse(context);
    let cached = id.as_ref().and_then(|id| store.cached_partner(id, context.now()));
    let before = cached.as_ref().map(|cached| verify(context, Some(cached), headers, body)).transpose()?;
    if let (Some(cached), Some(Ok(()))) = (&cached, before) {
        return Ok(cached.clone());
    }
    let current = match &id {
        Some(id) => store.fresh_partner(context.op(), id).await?,
        None => None,
    };
    let verified = match before.filter(|_| has_same_secrets(cached.as_ref(), current.as_ref())) {
        // The same secrets give the same result. A second HMAC over the body would take the time of the first, and show that
        // the partner is known.
        Some(verified) => verified,
        None => verify(context, current.as_ref(), headers, body)?,
    };
    verified.ok().and(current).ok_or_else(|| problem_of_signature(SignatureError::Invalid, context))
}

fn has_same_secrets(cached: Option<&Partner>, current: Option<&Partner>) -> bool {
    cached.map(|partner| &partner.secrets) == current.map(|partner| &partner.secrets)
}

/// Whether one of the partner's live secrets signed the body.
type Verified = Result<(), SignatureError>;

fn verify(
    context: &Context,
    partner: Option<&Partner>,
    headers: &SignatureHeaders<'_>,
    body: &[u8],
) -> Result<Verified, UnknownMasterKey> {
    let secrets: Result<Vec<SigningSecret>, _> = partner
        .into_iter()
        .flat_map(|partner| partner.live_secrets(context.now()).map(|secret| (&partner.partner_id, secret)))
        .map(|(id, secret)| context.app.keys.signing_secret(secret.key_number, id, secret.version))
        .collect();
    Ok(headers.verify(&secrets?, body))
}

fn problem_of_signature(error: SignatureError, context: &Context) -> Problem {
    match error {
        SignatureError::Missing(header) => Problem::new(
            Code::SignatureMissing,
            format!(
                "The header `{header}` is missing. Send `webhook-id`, `webhook-timestamp` and `webhook-signature` (Standard \
                 Webhooks)."
            ),
        ),
        SignatureError::Malformed(header) => Problem::new(
            Code::SignatureMalformed,
            format!("The header `{header}` is malformed. Send {}.", header.form()),
        ),
        SignatureError::TimestampOutOfTolerance => Problem::new(
            Code::TimestampOutOfTolerance,
            format!(
                "`webhook-timestamp` is more than {TOLERANCE_SECONDS} s from the server's time, {}. Correct your clock and \
                 sign again.",
                context.now().seconds()
            ),
        ),
        SignatureError::Invalid => {
            let detail = "The signature matches no live signing secret of this partner. Sign the exact bytes of the body with the current secret.";
            Problem::new(Code::SignatureInvalid, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Chain, Cloud, Market, PartnerStatus, SecretVersion};

    use super::*;

    fn partner(status: PartnerStatus, secrets: Vec<SecretVersion>) -> Partner {
        let tenant_id = TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap();
        Partner {
            partner_id: PartnerId::from_tenant(&tenant_id),
            tenant_id,
            name: "Northwind".into(),
            domain: None,
            cloud: Cloud::Public,
            market: Market::parse("US").unwrap(),
            status,
            status_since: Timestamp::from_millis(0),
            status_sequence: 1,
            secrets,
            created_at: Timestamp::from_millis(0),
            chain: Chain::default(),
        }
    }

    #[test]
    fn a_signature_is_verified_again_only_if_the_secrets_changed() {
        let secret = |version| SecretVersion { version, ..SecretVersion::first(1) };
        let cached = partner(PartnerStatus::Suspended, vec![secret(1)]);
        let resumed = partner(PartnerStatus::Active, vec![secret(1)]);
        let rotated = partner(PartnerStatus::Active, vec![secret(2), secret(1)]);
        assert!(has_same_secrets(Some(&cached), Some(&resumed)));
        assert!(!has_same_secrets(Some(&cached), Some(&rotated)));
        assert!(!has_same_secrets(None, Some(&resumed)));
    }
}
