//! The body of an invitation, and the invitation and event that come of it.

use domain::{
    Chain, DelegatedAdmin, Event, EventType, Invitation, InvitationId, InvitationKind, Occurrence, Partner, TenantId,
    digest,
};
use platform::handler::views::DelegatedAdminView;
use platform::handler::{Context, WebhookData};
use platform::http_api::Problem;
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::delegated_admin::Requested;
use platform::http_api::object::ObjectOf;
use platform::http_api::shape::{self, OrNull, Whole};
use serde_json::json;

/// An idempotency key and how it was sent. Together with the partner they determine the invitation's id.
pub(crate) struct RequestKey {
    /// `key` or `webhook`.
    pub(crate) channel: &'static str,
    pub(crate) text: String,
}

/// `{customer_tenant_id, delegated_admin, message?, contact_email?, external_reference?, expires_in_days?}`
pub(crate) struct CreationBody {
    pub(crate) customer: TenantId,
    pub(crate) delegated_admin: Option<DelegatedAdmin>,
    message: Option<String>,
    contact_email: Option<String>,
    external_reference: Option<String>,
    expires_in_days: Option<u32>,
}

impl Body for CreationBody {
    const NAME: &'static str = "InvitationRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let limits = &rules.policy.limits;
        let customer = reader.required("customer_tenant_id", shape::tenant_id());
        let delegated_admin = reader.required("delegated_admin", OrNull(ObjectOf::<Requested>::new(rules)));
        let message = reader.optional("message", shape::paragraph(limits.message_characters));
        let contact_email = reader.optional("contact_email", shape::email());
        let external_reference =
            reader.optional("external_reference", shape::line(limits.external_reference_characters));
        let expires_in_days = reader.optional("expires_in_days", Whole { least: 1, most: limits.invitation_days_max });
        let delegated_admin = delegated_admin?.map(|Requested(admin)| admin);
        let customer = customer?;
        Some(Self { customer, delegated_admin, message, contact_email, external_reference, expires_in_days })
    }
}

impl WebhookData for CreationBody {
    const TYPE: &'static str = "invitation.create";
    const ENVELOPE: &'static str = "InvitationWebhook";
}

impl CreationBody {
    /// SHA-256 of the request in canonical form: roles sorted, defaults filled in, absent and null alike. It decides whether
    /// a repeat is the same request, so order and spelling must never change.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let admin = self.delegated_admin.as_ref();
        let roles = admin.map(|admin| admin.roles.join(",")).unwrap_or_default();
        let days = admin.map(|admin| admin.days.to_string()).unwrap_or_default();
        let auto_extend: &[u8] = if admin.is_some_and(|admin| admin.auto_extend) { b"auto_extend" } else { b"" };
        let expires = self.expires_in_days.map(|days| days.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
        let (message, contact) = (text(&self.message), text(&self.contact_email));
        let customer = self.customer.as_str().as_bytes();
        let mut parts =
            vec![customer, roles.as_bytes(), days.as_bytes(), auto_extend, &message, &contact, expires.as_bytes()];
        // Members that were added later are parts only if they are present, so that older fingerprints stay the same.
        parts.extend(self.external_reference.as_ref().map(String::as_bytes));
        digest("invitation.create", &parts)
    }

    /// The invitation, pending, of kind reseller.
    pub(crate) fn invitation(
        &self,
        context: &Context,
        partner: &Partner,
        key: &RequestKey,
    ) -> Result<Invitation, Problem> {
        let policy = context.policy();
        let invitation_id = InvitationId::from_idempotency_key(&partner.partner_id, key.channel, &key.text);
        let key_number = context.app.keys.current()?;
        let token = context.app.keys.link_token(key_number, &invitation_id, 1)?;
        let days = self.expires_in_days.unwrap_or(policy.limits.invitation_days_default);
        Ok(Invitation {
            invitation_id,
            kind: InvitationKind::Reseller,
            partner_id: partner.partner_id.clone(),
            partner_name: partner.name.clone(),
            customer: self.customer.clone(),
            delegated_admin: self.delegated_admin.clone(),
            message: self.message.clone(),
            contact_email: self.contact_email.clone(),
            external_reference: self.external_reference.clone(),
            created_at: context.now(),
            expires_at: context.now().plus_days(days),
            answer: None,
            erased_at: None,
            expiry_announced: false,
            version: 1,
            policy_version: policy.version,
            token_generation: 1,
            key_number,
            token_hash: token.hash(),
            renewal: None,
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
        ("delegated_admin", json!(invitation.delegated_admin.as_ref().map(DelegatedAdminView::new))),
        ("expires_at", json!(invitation.expires_at)),
    ];
    invitation.event(EventType::InvitationCreated, occurrence, data)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn body() -> CreationBody {
        let admin = DelegatedAdmin { roles: vec!["directory_readers".into()], days: 90, auto_extend: false };
        CreationBody {
            customer: TenantId::parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff").unwrap(),
            delegated_admin: Some(admin),
            message: Some("Hello".into()),
            contact_email: None,
            external_reference: None,
            expires_in_days: Some(30),
        }
    }

    /// Fingerprints are stored, so a later version must compute the same one for a repeated request.
    #[test]
    fn the_fingerprint_of_a_request_never_changes() {
        assert_eq!(HEXLOWER.encode(&body().fingerprint()[..8]), "03e9925c6460a640");
    }

    #[test]
    fn each_member_is_part_of_the_fingerprint() {
        let others = [
            CreationBody { delegated_admin: None, ..body() },
            CreationBody { message: None, ..body() },
            CreationBody { contact_email: Some("Hello".into()), message: None, ..body() },
            CreationBody { external_reference: Some("Hello".into()), message: None, ..body() },
            CreationBody { external_reference: Some("30".into()), expires_in_days: None, ..body() },
            CreationBody { expires_in_days: None, ..body() },
        ];
        let mut seen = vec![body().fingerprint()];
        for other in others {
            assert!(!seen.contains(&other.fingerprint()));
            seen.push(other.fingerprint());
        }
    }
}
