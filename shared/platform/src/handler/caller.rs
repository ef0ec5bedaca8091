//! Who calls, and whether they may: by bearer key, or by webhook signature.

use super::App;
use crate::http_api::{Code, Problem, Request};
use crate::secrets::signature::{SignatureError, SignatureHeaders, SigningSecret, TOLERANCE_SECONDS};
use crate::secrets::{AccessKeyText, UnknownMasterKey, same_hash};
use domain::{Action, Actor, ActorKind, KeyId, Partner, PartnerId, Principal, Role, TenantId};

/// Whoever holds a key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whom the key stands for.
    pub principal: Principal,
    /// The roles it carries.
    pub roles: Vec<Role>,
    /// Its public name.
    pub key_id: KeyId,
}

/// A partner that may do what it asks, and how its act is recorded.
#[derive(Clone, Debug)]
pub struct ActingPartner {
    /// The partner, active.
    pub partner: Partner,
    /// Who acts.
    pub actor: Actor,
}

impl Caller {
    /// The caller by `Authorization: Bearer mpk_…`.
    ///
    /// # Errors
    /// 401 `token_missing` or `key_invalid`, 400 `header_repeated`.
    pub async fn by_key(app: &App, request: &Request) -> Result<Self, Problem> {
        let missing = || {
            Problem::new(Code::TokenMissing, "Send `authorization: Bearer mpk_…`.")
                .with_header("www-authenticate", "Bearer")
        };
        let invalid = || {
            Problem::new(Code::KeyInvalid, "The key is malformed, unknown or revoked.")
                .with_header("www-authenticate", "Bearer error=\"invalid_token\"")
        };
        let header = request.single_header("authorization")?.ok_or_else(missing)?;
        let (scheme, text) = header.split_once(' ').ok_or_else(missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(missing());
        }
        let hash = AccessKeyText::parse(text).ok_or_else(invalid)?.hash();
        let key_id = KeyId::of(&hash);
        if app.is_operator_key(&hash) {
            return Ok(Self { principal: Principal::Operator, roles: Vec::new(), key_id });
        }
        let key = app.store.access_key(request.op(), &key_id).await?.ok_or_else(invalid)?;
        if !same_hash(&key.hash, &hash) || key.revoked_at.is_some() {
            return Err(invalid());
        }
        Ok(Self { principal: key.principal, roles: key.roles, key_id })
    }

    /// The operator.
    ///
    /// # Errors
    /// 403 `role_not_permitted` for anyone else.
    pub fn operator(&self) -> Result<Actor, Problem> {
        match self.principal {
            Principal::Operator => Ok(Actor { kind: ActorKind::Operator, id: self.key_id.to_string(), role: None }),
            _ => Err(Problem::new(Code::RoleNotPermitted, "Only an operator may do this.")),
        }
    }

    /// The partner of the path, acting by this key (MP-03, MP-06, MP-45).
    ///
    /// # Errors
    /// 404 `not_found` for another's id, 403 `role_not_permitted`, 403 `partner_not_active`.
    pub async fn acting_partner(&self, app: &App, request: &Request, action: Action) -> Result<ActingPartner, Problem> {
        let id = match &self.principal {
            Principal::Partner(id) if id.as_str() == request.path("partner_id") => id,
            Principal::Operator => {
                return Err(Problem::new(Code::RoleNotPermitted, "Only the partner itself may do this."));
            }
            _ => return Err(Problem::not_found()),
        };
        let role = self.permitted_role(app, request, action)?;
        let partner = active_partner(app, request, id).await?;
        Ok(ActingPartner { partner, actor: Actor { kind: ActorKind::Partner, id: id.to_string(), role: Some(role) } })
    }

    /// The customer of the path, acting by this key (MP-05, MP-06). What a customer may do doesn't hang on what partners may.
    ///
    /// # Errors
    /// 404 `not_found` for another's id, 403 `approver_not_permitted` without the role.
    pub fn acting_customer(&self, app: &App, request: &Request) -> Result<(TenantId, Actor), Problem> {
        let id = match &self.principal {
            Principal::Customer(id) if id.as_str() == request.path("tenant_id") => id.clone(),
            Principal::Operator => {
                return Err(Problem::new(Code::RoleNotPermitted, "Only the customer itself may do this."));
            }
            _ => return Err(Problem::not_found()),
        };
        let role = app.policy_for(request).roles.customer;
        if !self.roles.contains(&role) {
            return Err(Problem::new(Code::ApproverNotPermitted, format!("Only a {role} may act for the customer.")));
        }
        let actor = Actor { kind: ActorKind::Customer, id: id.to_string(), role: Some(role) };
        Ok((id, actor))
    }

    /// The partner of the path, read by itself or by an operator.
    ///
    /// # Errors
    /// 404 `not_found` for another's or an unknown id, 403 `role_not_permitted`, 403 `partner_not_active`.
    pub async fn reading_partner(&self, app: &App, request: &Request) -> Result<Partner, Problem> {
        let asked = PartnerId::parse(request.path("partner_id")).ok_or_else(Problem::not_found)?;
        match &self.principal {
            Principal::Operator => app.store.partner(request.op(), &asked).await?.ok_or_else(Problem::not_found),
            Principal::Partner(id) if *id == asked => {
                self.permitted_role(app, request, Action::Read)?;
                active_partner(app, request, id).await
            }
            _ => Err(Problem::not_found()),
        }
    }

    /// The customer of the path, read by itself or by an operator.
    ///
    /// # Errors
    /// 404 `not_found` for another's or an unknown id.
    pub async fn reading_customer(&self, app: &App, request: &Request) -> Result<TenantId, Problem> {
        let asked = TenantId::parse(request.path("tenant_id")).ok_or_else(Problem::not_found)?;
        match &self.principal {
            Principal::Operator => {
                let name = app.store.tenant_name(request.op(), &asked).await?;
                name.map(|_| asked).ok_or_else(Problem::not_found)
            }
            Principal::Customer(id) if *id == asked => Ok(asked),
            _ => Err(Problem::not_found()),
        }
    }

    fn permitted_role(&self, app: &App, request: &Request, action: Action) -> Result<Role, Problem> {
        let role = app.policy_for(request).permitted_role(action, &self.roles);
        role.ok_or_else(|| Problem::new(Code::RoleNotPermitted, "None of the key's roles allows this."))
    }
}

async fn active_partner(app: &App, request: &Request, id: &PartnerId) -> Result<Partner, Problem> {
    let partner = app.store.partner(request.op(), id).await?.ok_or_else(Problem::not_found)?;
    if partner.is_active() { Ok(partner) } else { Err(Problem::partner_not_active()) }
}

/// A signed webhook: its sender, its id, and the bytes that were signed.
pub struct SignedWebhook {
    /// The sender, who may do this.
    pub acting: ActingPartner,
    /// `webhook-id`: the idempotency key.
    pub webhook_id: String,
    /// The raw body.
    pub body: Vec<u8>,
}

impl SignedWebhook {
    /// Verifies a webhook of the path's partner, cheap checks first. Nothing of the body is read before the signature.
    ///
    /// # Errors
    /// Those of [`Request::body`], 401 `signature_…` and `timestamp_out_of_tolerance`, 403 `partner_not_active` and
    /// `role_not_permitted`. An unknown partner is 401 `signature_invalid`.
    pub async fn verify(app: &App, request: &Request, action: Action) -> Result<Self, Problem> {
        let body = request.body()?;
        let headers = SignatureHeaders::parse(
            request.single_header("webhook-id")?,
            request.single_header("webhook-timestamp")?,
            request.single_header("webhook-signature")?,
        );
        let headers = headers.map_err(|error| refusal(error, request))?;
        headers.check_time(request.now.seconds()).map_err(|error| refusal(error, request))?;
        let partner = sender(app, request, &headers, &body).await?;
        let policy = app.policy_for(request);
        let role = policy.permitted_role(action, &[policy.roles.webhook]);
        let role = role.ok_or_else(|| Problem::new(Code::RoleNotPermitted, "Webhooks may not do this."))?;
        if !partner.is_active() {
            return Err(Problem::partner_not_active());
        }
        let actor = Actor { kind: ActorKind::Webhook, id: partner.partner_id.to_string(), role: Some(role) };
        Ok(Self { acting: ActingPartner { partner, actor }, webhook_id: headers.id().to_owned(), body })
    }
}

/// The partner whose secret signed. A mismatch on a remembered partner is tried once more on the present one: its secret
/// may just have been rotated.
async fn sender(app: &App, request: &Request, headers: &SignatureHeaders<'_>, body: &[u8]) -> Result<Partner, Problem> {
    let id = PartnerId::parse(request.path("partner_id"));
    if let Some(remembered) = id.as_ref().and_then(|id| app.store.remembered_partner(id, request.now))
        && verify_with(app, request, Some(&remembered), headers, body)?.is_ok()
    {
        return Ok(remembered);
    }
    let present = match &id {
        Some(id) => app.store.fresh_partner(request.op(), id).await?,
        None => None,
    };
    let verified = verify_with(app, request, present.as_ref(), headers, body)?;
    verified.ok().and(present).ok_or_else(|| refusal(SignatureError::Invalid, request))
}

fn verify_with(
    app: &App,
    request: &Request,
    partner: Option<&Partner>,
    headers: &SignatureHeaders<'_>,
    body: &[u8],
) -> Result<Result<(), SignatureError>, UnknownMasterKey> {
    let secrets: Result<Vec<SigningSecret>, _> = partner
        .into_iter()
        .flat_map(|partner| partner.live_secrets(request.now).map(|secret| (&partner.partner_id, secret)))
        .map(|(id, secret)| app.keys.signing_secret(secret.key_number, id, secret.generation))
        .collect();
    Ok(headers.verify(&secrets?, body))
}

fn refusal(error: SignatureError, request: &Request) -> Problem {
    match error {
        SignatureError::Missing => Problem::new(
            Code::SignatureMissing,
            "Send `webhook-id`, `webhook-timestamp` and `webhook-signature` (Standard Webhooks).",
        ),
        SignatureError::Malformed => Problem::new(Code::SignatureMalformed, "A signature header is malformed."),
        SignatureError::TimestampOutOfTolerance => Problem::new(
            Code::TimestampOutOfTolerance,
            format!(
                "`webhook-timestamp` is more than {TOLERANCE_SECONDS} s from the server's time, {}.",
                request.now.seconds()
            ),
        ),
        SignatureError::Invalid => {
            Problem::new(Code::SignatureInvalid, "No signature matches a live secret of this partner.")
        }
    }
}
