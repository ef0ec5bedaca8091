//! Tenants, partners, and the keys with which they and operators call.

use serde_json::Value;

use super::event::{Chain, Event, EventType, Occurrence, Subject};
use super::{CallerKind, Cloud, KeyId, Market, PartnerId, PartnerStatus, Role, TenantId, Timestamp};

/// A registered tenant: a customer. It is a CSP tenant too once it is enrolled as a partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    pub tenant_id: TenantId,
    pub name: String,
    /// The name in its registration. A repeat of the registration must have the same.
    pub registered_name: String,
    /// A DNS name in lower case, as [`crate::text::domain_name`] writes it.
    pub domain: Option<String>,
    /// Never changes.
    pub cloud: Cloud,
    /// Never changes.
    pub market: Market,
    /// The partner as which it is enrolled. If there is one, this is a CSP tenant (MP-40, MP-41).
    pub partner_id: Option<PartnerId>,
    pub created_at: Timestamp,
    pub chain: Chain,
}

impl Tenant {
    /// The next event of this record.
    pub fn event<const N: usize>(
        &self,
        event_type: EventType,
        occurrence: Occurrence<'_>,
        data: [(&str, Value); N],
    ) -> Event {
        let subject = Subject { customer_tenant_id: Some(self.tenant_id.clone()), ..Subject::default() };
        Event::next(event_type, self.tenant_id.as_str(), &self.chain, subject, occurrence, data)
    }

    /// Whether both were registered with the same details.
    pub fn has_same_registration(&self, other: &Self) -> bool {
        (&self.registered_name, &self.domain, self.cloud, self.market)
            == (&other.registered_name, &other.domain, other.cloud, other.market)
    }
}

/// A version of the signing secret of a partner or an endpoint. The secret itself is derived from a master key, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// 1 for the first secret, one more with every rotation.
    pub version: u32,
    /// The number of the master key from which it is derived.
    pub key_number: u32,
    /// From this time on it is not accepted; `None` for the newest.
    pub ends_at: Option<Timestamp>,
}

impl SecretVersion {
    /// The versions that are accepted, in the order of `secrets`.
    pub fn live(secrets: &[Self], now: Timestamp) -> impl Iterator<Item = &Self> {
        secrets.iter().filter(move |secret| secret.ends_at.is_none_or(|ends_at| now < ends_at))
    }

    /// The versions after a rotation at `now`: a new one, and the newest of `secrets` until `ends_at`. `None` while two are
    /// live, or if there is none.
    pub fn rotate(secrets: &[Self], now: Timestamp, ends_at: Timestamp, key_number: u32) -> Option<Vec<Self>> {
        let old = *secrets.first()?;
        let one_is_live = Self::live(secrets, now).count() <= 1;
        let new = Self { version: old.version + 1, key_number, ends_at: None };
        one_is_live.then(|| vec![new, Self { ends_at: Some(ends_at), ..old }])
    }
}

/// A tenant that is enrolled as a partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Partner {
    pub partner_id: PartnerId,
    pub tenant_id: TenantId,
    pub name: String,
    /// The name in its enrollment. A repeat of the enrollment must have the same.
    pub registered_name: String,
    pub cloud: Cloud,
    pub market: Market,
    /// A suspended partner cannot act (MP-45).
    pub status: PartnerStatus,
    /// Versions of the signing secret, newest first; at most two.
    pub secrets: Vec<SecretVersion>,
    pub created_at: Timestamp,
    pub chain: Chain,
}

impl Partner {
    /// The next event of this partner. The subject of its enrollment includes its tenant, which becomes a CSP tenant.
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

    /// Whether both enrolled with the same details.
    pub fn has_same_enrollment(&self, other: &Self) -> bool {
        (&self.registered_name, self.cloud, self.market) == (&other.registered_name, other.cloud, other.market)
    }

    /// The secrets that are accepted, newest first.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SecretVersion> {
        SecretVersion::live(&self.secrets, now)
    }

    pub fn is_active(&self) -> bool {
        self.status == PartnerStatus::Active
    }
}

/// The owner of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Runs the service.
    Operator,
    Partner(PartnerId),
    Customer(TenantId),
}

impl Principal {
    pub fn kind(&self) -> CallerKind {
        match self {
            Self::Operator => CallerKind::Operator,
            Self::Partner(_) => CallerKind::Partner,
            Self::Customer(_) => CallerKind::Customer,
        }
    }

    /// `None` for operators.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Partner(id) => Some(id.as_str()),
            Self::Customer(id) => Some(id.as_str()),
        }
    }
}

/// An access key as the table has it: its hash, not the key itself.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessKey {
    pub key_id: KeyId,
    /// SHA-256 of the whole key text.
    pub hash: [u8; 32],
    pub principal: Principal,
    pub roles: Vec<Role>,
    /// A label that the operator chose.
    pub name: String,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub chain: Chain,
}

impl AccessKey {
    /// The next event of this record.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_keeps_the_old_secret_until_its_end_and_waits_while_two_are_live() {
        let now = Timestamp::from_millis(0);
        let end = now.plus_days(1);
        let first = SecretVersion { version: 1, key_number: 1, ends_at: None };
        let rotated = SecretVersion::rotate(&[first], now, end, 2).unwrap();
        let second = SecretVersion { version: 2, key_number: 2, ends_at: None };
        assert_eq!(rotated, [second, SecretVersion { ends_at: Some(end), ..first }]);
        assert_eq!(SecretVersion::live(&rotated, now).count(), 2);
        assert_eq!(SecretVersion::live(&rotated, end).collect::<Vec<_>>(), [&second]);
        assert_eq!(SecretVersion::rotate(&rotated, now, end, 2), None);
        assert_eq!(SecretVersion::rotate(&rotated, end, end, 2).unwrap()[0].version, 3);
        assert_eq!(SecretVersion::rotate(&[], now, end, 2), None);
    }
}
