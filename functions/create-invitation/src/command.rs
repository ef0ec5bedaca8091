//! What a partner sends, checked, and the invitation and event that come of it.

use domain::{
    Chain, CloudPolicy, DelegatedAdmin, DelegatedAdminData, Event, EventType, Invitation, InvitationId, InvitationKind,
    Occurrence, Partner, PolicyVersion, Requirement, TenantId, digest, text,
};
use platform::handler::App;
use platform::http_api::fields::{self, Fields};
use platform::http_api::{Code, Problem, Request};
use serde_json::{Value, json};

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
    pub(crate) fn read(
        body: Value,
        policy: &PolicyVersion,
        rules: &CloudPolicy,
        partner: &Partner,
    ) -> Result<Self, Problem> {
        let command = Self::parse(body, policy)?;
        if rules.delegated_admin == Requirement::Required && command.delegated_admin.is_none() {
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
        let customer = fields.required("customer_tenant_id", fields::tenant_id);
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

    /// SHA-256 of the request in canonical form: roles sorted, defaults filled in, absent and null alike. Only what is
    /// hashed here decides whether a repeat is the same request, so its order and spelling stay as they are.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let admin = self.delegated_admin.as_ref();
        let roles = admin.map(|admin| admin.roles.join(",")).unwrap_or_default();
        let days = admin.map(|admin| admin.days.to_string()).unwrap_or_default();
        let auto_extend: &[u8] = if admin.is_some_and(|admin| admin.auto_extend) { b"auto_extend" } else { b"" };
        let expires = self.expires_in_days.map(|days| days.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
        let (message, contact) = (text(&self.message), text(&self.contact_email));
        let customer = self.customer.as_str().as_bytes();
        let parts = [customer, roles.as_bytes(), days.as_bytes(), auto_extend, &message, &contact, expires.as_bytes()];
        digest("invitation.create", &parts)
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
        let key_number = app.keys.current()?;
        let token = app.keys.link_token(key_number, &invitation_id, 1)?;
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
            expiry_announced: false,
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
pub(crate) fn event(invitation: &Invitation, occurrence: Occurrence<'_>) -> Event {
    let data = [
        ("kind", json!(invitation.kind)),
        ("delegated_admin", json!(invitation.delegated_admin.as_ref().map(DelegatedAdminData::from))),
        ("expires_at", json!(invitation.expires_at)),
    ];
    invitation.event(EventType::InvitationCreated, occurrence, data)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn command() -> Command {
        let admin = DelegatedAdmin { roles: vec!["directory_readers".into()], days: 90, auto_extend: false };
        Command {
            customer: TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap(),
            delegated_admin: Some(admin),
            message: Some("Hello".into()),
            contact_email: None,
            expires_in_days: Some(30),
        }
    }

    /// Fingerprints rest in the table for ever: a repeat next year has to find the same one.
    #[test]
    fn the_fingerprint_of_a_request_never_changes() {
        assert_eq!(HEXLOWER.encode(&command().fingerprint()[..8]), "03e9925c6460a640");
    }

    #[test]
    fn each_member_is_part_of_the_fingerprint() {
        let others = [
            Command { delegated_admin: None, ..command() },
            Command { message: None, ..command() },
            Command { contact_email: Some("Hello".into()), message: None, ..command() },
            Command { expires_in_days: None, ..command() },
        ];
        let mut seen = vec![command().fingerprint()];
        for other in others {
            assert!(!seen.contains(&other.fingerprint()));
            seen.push(other.fingerprint());
        }
    }
}
