use domain::{
    AccessKey, CallerKind, Cloud, KeyId, Market, Partner, PartnerId, PartnerStatus, Principal, Role, Tenant, TenantId,
    Timestamp,
};

use crate::handler::{Credential, KeyHolder, SignedIn};

crate::views! {
    pub struct CustomerView {
        pub tenant_id: TenantId,
        pub name: String,
        /// DNS domain, lower case, in ASCII. The operator has checked it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub domain: Option<String>,
        pub cloud: Cloud,
        pub market: Market,
        /// Present if this tenant is also enrolled as a partner.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub partner_id: Option<PartnerId>,
        pub created_at: Timestamp,
    }

    pub struct PartnerView {
        pub partner_id: PartnerId,
        pub tenant_id: TenantId,
        pub name: String,
        /// DNS domain, lower case, in ASCII. The operator has checked it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub domain: Option<String>,
        pub cloud: Cloud,
        pub market: Market,
        pub status: PartnerStatus,
        pub created_at: Timestamp,
    }

    /// The owner of a key. Operators have no `id`.
    pub struct PrincipalView {
        pub kind: CallerKind,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub id: Option<String>,
    }

    /// An access key, without the key itself.
    pub struct KeyView {
        pub key_id: KeyId,
        pub principal: PrincipalView,
        pub roles: Vec<Role>,
        pub name: String,
        pub created_at: Timestamp,
        /// From this time on the key is rejected.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub revoked_at: Option<Timestamp>,
    }

    /// The caller.
    pub struct MeView {
        pub kind: CallerKind,
        /// `null` for operators.
        pub id: Option<String>,
        pub roles: Vec<Role>,
        /// Absent if the caller has signed in.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub key_id: Option<KeyId>,
        /// From this time on the key is rejected.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<Timestamp>,
        /// Only if the caller has signed in.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub session: Option<MySessionView>,
    }

    /// The session of a customer's administrator.
    pub struct MySessionView {
        /// The name of the customer.
        pub customer_name: String,
        /// The person's name, as the identity provider shows it. It proves nothing.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// The person's email address, as the identity provider shows it. It proves nothing.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub email: Option<String>,
        /// From this time on the session is rejected.
        pub expires_at: Timestamp,
        /// The time of this response, to compare with.
        pub now: Timestamp,
    }

    pub struct KeyResponse {
        pub key: KeyView,
    }

    pub struct CustomerResponse {
        pub customer: CustomerView,
    }

    pub struct PartnerResponse {
        pub partner: PartnerView,
    }

    pub struct PartnerEnrolledView {
        pub partner: PartnerView,
        /// The secret with which the partner signs its webhooks: `whsec_` and base64.
        pub signing_secret: String,
    }

    pub struct KeyIssuedView {
        pub key_id: KeyId,
        /// The key itself. It is not stored and cannot be read again.
        pub key: String,
        /// Only in a repeat of the request, if the key was revoked since.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub revoked_at: Option<Timestamp>,
    }

    pub struct KeyRevokedView {
        pub key_id: KeyId,
        pub revoked_at: Timestamp,
    }
}

impl CustomerView {
    pub fn new(tenant: &Tenant) -> Self {
        Self {
            tenant_id: tenant.tenant_id.clone(),
            name: tenant.name.clone(),
            domain: tenant.domain.clone(),
            cloud: tenant.cloud,
            market: tenant.market,
            partner_id: tenant.partner_id.clone(),
            created_at: tenant.created_at,
        }
    }
}

impl PartnerView {
    pub fn new(partner: &Partner) -> Self {
        Self {
            partner_id: partner.partner_id.clone(),
            tenant_id: partner.tenant_id.clone(),
            name: partner.name.clone(),
            domain: partner.domain.clone(),
            cloud: partner.cloud,
            market: partner.market,
            status: partner.status,
            created_at: partner.created_at,
        }
    }
}

impl PrincipalView {
    pub fn new(principal: &Principal) -> Self {
        Self { kind: principal.kind(), id: principal.id().map(str::to_owned) }
    }
}

impl KeyView {
    pub fn new(key: &AccessKey) -> Self {
        Self {
            key_id: key.key_id.clone(),
            principal: PrincipalView::new(&key.principal),
            roles: key.roles.clone(),
            name: key.name.clone(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl MeView {
    pub fn new(caller: &KeyHolder, now: Timestamp) -> Self {
        let (key_id, session) = match &caller.credential {
            Credential::Key(id) => (Some(id.clone()), None),
            Credential::Session(signed_in) => (None, Some(MySessionView::new(signed_in, now))),
        };
        Self {
            kind: caller.principal.kind(),
            id: caller.principal.id().map(str::to_owned),
            roles: caller.roles.clone(),
            key_id,
            expires_at: caller.expires_at,
            session,
        }
    }
}

impl MySessionView {
    fn new(signed_in: &SignedIn, now: Timestamp) -> Self {
        let session = &signed_in.session;
        Self {
            customer_name: signed_in.customer_name.clone(),
            name: session.name.clone(),
            email: session.email.clone(),
            expires_at: session.expires_at,
            now,
        }
    }
}
