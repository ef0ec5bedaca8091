//! Who takes part: tenants, partners, and the keys they call with.

use serde_json::Value;

use super::event::{Chain, Event, EventType, Occurrence, Subject};
use super::{CallerKind, Cloud, KeyId, Market, PartnerId, PartnerStatus, Role, TenantId, Timestamp};

/// A registered organisation's directory: a customer, and a CSP tenant from the moment it enrols as a partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    /// The directory's id.
    pub tenant_id: TenantId,
    /// Display name.
    pub name: String,
    /// The name it was registered with, by which a repeat of the registration is known.
    pub registered_name: String,
    /// DNS domain, lower case.
    pub domain: Option<String>,
    /// Its cloud, for ever.
    pub cloud: Cloud,
    /// Its market, for ever.
    pub market: Market,
    /// The partner it enrolled as: present means that this is a CSP tenant (MP-40, MP-41).
    pub partner_id: Option<PartnerId>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Where its events stand.
    pub chain: Chain,
}

impl Tenant {
    /// Its next event.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let subject = Subject { customer_tenant_id: Some(self.tenant_id.clone()), ..Subject::default() };
        Event::next(event_type, self.tenant_id.as_str(), &self.chain, subject, occurrence, data)
    }

    /// Whether both were registered with the same facts.
    pub fn registered_like(&self, other: &Self) -> bool {
        (&self.registered_name, &self.domain, self.cloud, self.market)
            == (&other.registered_name, &other.domain, other.cloud, other.market)
    }
}

/// One generation of a partner's webhook signing secret. The secret itself is derived, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretGeneration {
    /// 1 for the first secret, one more with every rotation.
    pub generation: u32,
    /// The number of the master key it derives from.
    pub key_number: u32,
    /// When it stops being accepted; `None` for the newest.
    pub ends_at: Option<Timestamp>,
}

impl SecretGeneration {
    /// Those of a list that are accepted at a time, in its order.
    pub fn live(secrets: &[Self], now: Timestamp) -> impl Iterator<Item = &Self> {
        secrets.iter().filter(move |secret| secret.ends_at.is_none_or(|ends_at| now < ends_at))
    }

    /// The secrets after a rotation at `now`: a new one, and the newest of before until `ends_at`. `None` while two are live,
    /// or when there is none to rotate.
    pub fn rotated(secrets: &[Self], now: Timestamp, ends_at: Timestamp, key_number: u32) -> Option<Vec<Self>> {
        let old = *secrets.first()?;
        let one_is_live = Self::live(secrets, now).count() <= 1;
        let new = Self { generation: old.generation + 1, key_number, ends_at: None };
        one_is_live.then(|| vec![new, Self { ends_at: Some(ends_at), ..old }])
    }
}

/// A tenant enrolled to sell.
#[derive(Clone, Debug, PartialEq)]
pub struct Partner {
    /// Its id, made of its tenant's.
    pub partner_id: PartnerId,
    /// Its CSP tenant.
    pub tenant_id: TenantId,
    /// Display name.
    pub name: String,
    /// The name it enrolled with, by which a repeat of the enrolment is known.
    pub registered_name: String,
    /// Its tenant's cloud.
    pub cloud: Cloud,
    /// Its tenant's market.
    pub market: Market,
    /// Whether it may act (MP-45).
    pub status: PartnerStatus,
    /// Signing secrets, newest first; at most two.
    pub secrets: Vec<SecretGeneration>,
    /// When it enrolled.
    pub created_at: Timestamp,
    /// Where its events stand.
    pub chain: Chain,
}

impl Partner {
    /// Its next event. Its enrolment is about its tenant, too, which is a CSP tenant from then on.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let tenant = (event_type == EventType::PartnerEnrolled).then(|| self.tenant_id.clone());
        let partner_id = Some(self.partner_id.clone());
        let subject = Subject { partner_id, customer_tenant_id: tenant, ..Subject::default() };
        Event::next(event_type, self.partner_id.as_str(), &self.chain, subject, occurrence, data)
    }

    /// Whether both enrolled with the same facts.
    pub fn enrolled_like(&self, other: &Self) -> bool {
        (&self.registered_name, self.cloud, self.market) == (&other.registered_name, other.cloud, other.market)
    }

    /// The secrets that are accepted at a time, newest first.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SecretGeneration> {
        SecretGeneration::live(&self.secrets, now)
    }

    /// Whether it may act.
    pub fn is_active(&self) -> bool {
        self.status == PartnerStatus::Active
    }
}

/// Whom a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever runs the service.
    Operator,
    /// A partner.
    Partner(PartnerId),
    /// A customer.
    Customer(TenantId),
}

impl Principal {
    /// The kind of caller.
    pub fn kind(&self) -> CallerKind {
        match self {
            Self::Operator => CallerKind::Operator,
            Self::Partner(_) => CallerKind::Partner,
            Self::Customer(_) => CallerKind::Customer,
        }
    }

    /// The id, where the kind has one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Partner(id) => Some(id.as_str()),
            Self::Customer(id) => Some(id.as_str()),
        }
    }
}

/// What the table knows of an access key: never the key, only its hash.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessKey {
    /// Its public name.
    pub key_id: KeyId,
    /// SHA-256 of the whole key text.
    pub hash: [u8; 32],
    /// Whom it stands for.
    pub principal: Principal,
    /// The roles it carries.
    pub roles: Vec<Role>,
    /// What its owner calls it.
    pub name: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Where its events stand.
    pub chain: Chain,
}

impl AccessKey {
    /// Its next event.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let mut subject = Subject { key_id: Some(self.key_id.clone()), ..Subject::default() };
        match &self.principal {
            Principal::Operator => {}
            Principal::Partner(id) => subject.partner_id = Some(id.clone()),
            Principal::Customer(id) => subject.customer_tenant_id = Some(id.clone()),
        }
        Event::next(event_type, self.key_id.as_str(), &self.chain, subject, occurrence, data)
    }
}
