//! What a partner sends, checked, and the invitation and event that come of it.

use serde_json::{Value, json};
use shared::app::App;
use shared::domain::{
    Actor, Chain, DelegatedAdmin, Event, EventType, Invitation, InvitationId, InvitationKind, Occurrence, Partner,
    PolicyVersion, Requirement, TenantId, digest, text,
};
use shared::http::fields::{self, Fields};
use shared::http::{Code, Problem, Request};
use shared::store::StoreError;

/// An idempotency key and the channel it came by; the two name the invitation.
pub(crate) struct Key {
    pub(crate) channel: &'static str,
    pub(crate) text: String,
}

/// A checked request.
pub(crate) struct Command {
    customer: TenantId,
    delegated_admin: Option<DelegatedAdmin>,
    message: Option<String>,
    /// Only part of the fingerprint: no mail is sent, and a person's address that nobody reads is not kept.
    contact_email: Option<String>,
    expires_in_days: Option<u32>,
}

impl Command {
    /// Reads `{customer_tenant_id, delegated_admin, message?, contact_email?, expires_in_days?}` and holds it against what
    /// needs no table: the cloud's rules and who invites whom.
    pub(crate) fn read(body: Value, policy: &PolicyVersion, partner: &Partner) -> Result<Self, Problem> {
        let command = Self::parse(body, policy)?;
        let cloud = policy.cloud(partner.cloud).ok_or_else(|| {
            Problem::new(Code::CloudNotSupported, format!("The policy does not serve the cloud {}.", partner.cloud))
        })?;
        if cloud.delegated_admin == Requirement::Required && command.delegated_admin.is_none() {
            return Err(Problem::new(
                Code::DelegatedAdminRequired,
                format!("In the cloud {} every invitation asks for delegated administration.", partner.cloud),
            ));
        }
        if command.customer == partner.tenant_id {
            return Err(Problem::new(Code::SelfRelationship, "The customer's tenant is the partner's own."));
        }
        Ok(command)
    }

    fn parse(body: Value, policy: &PolicyVersion) -> Result<Self, Problem> {
        let limits = &policy.limits;
        let mut fields = Fields::of(body)?;
        let customer =
            fields.required("customer_tenant_id", fields::text(TenantId::parse, "a lower-case UUID is expected"));
        let delegated_admin = fields.delegated_admin(policy);
        let message =
            fields.optional("message", fields::checked(|value| text::paragraph(value, limits.message_characters)));
        let contact_email = fields.optional("contact_email", fields::checked(text::email));
        let days = fields.optional("expires_in_days", fields::whole(1, limits.invitation_days_max.into()));
        let expires_in_days = days.and_then(|days| u32::try_from(days).ok());
        let command = customer.zip(delegated_admin).map(|(customer, delegated_admin)| Self {
            customer,
            delegated_admin,
            message,
            contact_email,
            expires_in_days,
        });
        fields.finish(command)
    }

    /// SHA-256 of the request in canonical form: roles sorted, defaults filled in, absent and null alike.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let canonical = json!([
            self.customer,
            self.delegated_admin.as_ref().map(DelegatedAdmin::view),
            self.message,
            self.contact_email,
            self.expires_in_days,
        ]);
        digest("invitation.create", &[canonical.to_string().as_bytes()])
    }

    /// The invitation, pending, of kind reseller.
    pub(crate) fn invitation(
        &self,
        app: &App,
        request: &Request,
        partner: &Partner,
        key: &Key,
    ) -> Result<Invitation, Problem> {
        let policy = app.policy_for(request);
        let invitation_id = InvitationId::of(&partner.partner_id, key.channel, &key.text);
        let key_number = app.keys.current().ok_or_else(Problem::internal)?;
        let token = app.keys.link_token(key_number, &invitation_id, 1).map_err(StoreError::from)?;
        let days = self.expires_in_days.unwrap_or(policy.limits.invitation_days_default);
        Ok(Invitation {
            invitation_id,
            kind: InvitationKind::Reseller,
            partner_id: partner.partner_id.clone(),
            partner_name: partner.name.clone(),
            customer: self.customer.clone(),
            delegated_admin: self.delegated_admin.clone(),
            message: self.message.clone(),
            created_at: request.now,
            expires_at: request.now.plus_days(days),
            answer: None,
            version: 1,
            policy_version: policy.version,
            token_generation: 1,
            key_number,
            token_hash: token.hash(),
            fingerprint: self.fingerprint(),
            period: None,
            chain: Chain::default(),
        })
    }
}

/// `invitation.created` with `{kind, delegated_admin, expires_at}`.
pub(crate) fn event(invitation: &Invitation, actor: &Actor) -> Event {
    let occurrence = Occurrence { at: invitation.created_at, actor, policy_version: invitation.policy_version };
    let data = [
        ("kind", json!(invitation.kind)),
        ("delegated_admin", json!(invitation.delegated_admin.as_ref().map(DelegatedAdmin::view))),
        ("expires_at", json!(invitation.expires_at)),
    ];
    // It is the first event, whatever an earlier attempt made of the chain.
    Invitation { chain: Chain::default(), ..invitation.clone() }.event(EventType::InvitationCreated, occurrence, data)
}
