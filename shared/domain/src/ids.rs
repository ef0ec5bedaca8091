//! Identifiers. Each is a type of its own with private contents and a fallible `parse`, so that one can't stand where
//! another belongs and none can hold a character that means something in a key.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::describe::describe;

/// SHA-256 over parts, each preceded by its length, so that no two lists of parts hash alike.
pub fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The first 128 bits of a hash as 26 characters of lower-case base32 (RFC 4648, without padding).
fn tail(hash: &[u8; 32]) -> String {
    BASE32_NOPAD.encode(&hash[..16]).to_ascii_lowercase()
}

fn is_tail(text: &str) -> bool {
    let has_upper_case = text.bytes().any(|byte| byte.is_ascii_uppercase());
    text.len() == 26 && !has_upper_case && BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).is_ok()
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])* $name:ident, $prefix:literal;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What the text form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Reads the text form: the prefix and 26 characters of lower-case base32. `None` when it is anything else.
            pub fn parse(text: &str) -> Option<Self> {
                text.strip_prefix(Self::PREFIX).filter(|tail| is_tail(tail)).map(|_| Self(text.to_owned()))
            }

            /// The id made of the first 128 bits of a hash.
            pub fn from_hash(hash: &[u8; 32]) -> Self {
                Self(format!("{}{}", Self::PREFIX, tail(hash)))
            }

            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The 26 characters after the prefix.
            pub fn tail(&self) -> &str {
                &self.0[Self::PREFIX.len()..]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        describe!($name: crate::describe::text(&[$($doc),*], concat!("^", $prefix, "[a-z2-7]{26}$")));
    )*};
}

ids! {
    /// A partner, `ptr_…`, made of its tenant's id.
    PartnerId, "ptr_";
    /// An invitation, `inv_…`, made of partner, channel and idempotency key.
    InvitationId, "inv_";
    /// A grant, `grt_…`; its tail is that of the invitation that asked for it.
    GrantId, "grt_";
    /// An event, `evt_…`, made of its aggregate and its sequence.
    EventId, "evt_";
    /// An access key's public name, `key_…`, made of the key's hash.
    KeyId, "key_";
    /// A webhook endpoint, `ep_…`, made of its owner and an idempotency key, or random.
    EndpointId, "ep_";
    /// A message that tells of no event, `msg_…`: a challenge or a test.
    MessageId, "msg_";
}

impl PartnerId {
    /// The partner that a tenant enrols as.
    pub fn of(tenant: &TenantId) -> Self {
        Self::from_hash(&digest("partner", &[tenant.as_str().as_bytes()]))
    }
}

impl InvitationId {
    /// The invitation that a partner's idempotency key on a channel (`key` or `webhook`) names, for ever.
    pub fn of(partner: &PartnerId, channel: &str, idempotency_key: &str) -> Self {
        let parts = [partner.as_str().as_bytes(), channel.as_bytes(), idempotency_key.as_bytes()];
        Self::from_hash(&digest("invitation", &parts))
    }
}

impl GrantId {
    /// The grant that an invitation's acceptance starts.
    pub fn of(invitation: &InvitationId) -> Self {
        Self(format!("{}{}", Self::PREFIX, invitation.tail()))
    }

    /// The invitation that asked for this grant.
    pub fn invitation(&self) -> InvitationId {
        InvitationId(format!("{}{}", InvitationId::PREFIX, self.tail()))
    }
}

impl KeyId {
    /// The name of the key with this SHA-256.
    pub fn of(key_hash: &[u8; 32]) -> Self {
        Self::from_hash(key_hash)
    }
}

/// An organisation's directory: a UUID in lower-case 8-4-4-4-12 form (RFC 9562 §4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// Reads the canonical form. `None` for anything else, upper case and braces included.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            });
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for TenantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "describe")]
const UUID_PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

describe!(TenantId: schemars::json_schema!({"type": "string", "format": "uuid", "pattern": UUID_PATTERN}));

/// A partner's own name for a subscription: 1 to 64 of `A–Z a–z 0–9 . _ -`, compared without case.
#[derive(Clone, Debug)]
pub struct SubscriptionId(String);

impl SubscriptionId {
    /// Reads an id. `None` when it is empty, too long or holds another character.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is compared and stored.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for SubscriptionId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for SubscriptionId {}

impl Serialize for SubscriptionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

describe!(SubscriptionId: crate::describe::text(&["The partner's own id of a subscription, compared without case."], "^[A-Za-z0-9._-]{1,64}$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_writes_and_nothing_else() {
        let id = InvitationId::from_hash(&digest("test", &[b"x"]));
        assert_eq!(InvitationId::parse(id.as_str()), Some(id.clone()));
        for wrong in [
            id.tail().to_owned(),
            format!("grt_{}", id.tail()),
            id.as_str().to_uppercase(),
            format!("{id}a"),
            id.as_str().replace(id.tail(), "zzzzzzzzzzzzzzzzzzzzzzzzzz"),
            "inv_".into(),
            "inv_#".into(),
        ] {
            assert_eq!(InvitationId::parse(&wrong), None, "{wrong}");
        }
        assert_eq!(GrantId::of(&id).invitation(), id);
    }

    #[test]
    fn the_parts_of_a_digest_cannot_run_into_each_other() {
        assert_ne!(digest("a", &[b"bc", b"d"]), digest("a", &[b"b", b"cd"]));
        assert_ne!(digest("ab", &[b"c"]), digest("a", &[b"bc"]));
    }

    #[test]
    fn only_a_canonical_uuid_is_a_tenant() {
        let good = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
        assert!(TenantId::parse(good).is_some());
        for wrong in [
            "",
            "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
            "{6f9619ff-8b86-d011-b42d-00cf4fc964ff}",
            "6f9619ff8b86d011b42d00cf4fc964ff",
            "6f9619ff-8b86-d011-b42d-00cf4fc964f",
            "6f9619ff-8b86-d011-b42d#00cf4fc964ff",
        ] {
            assert_eq!(TenantId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn subscription_ids_are_compared_without_case() {
        assert_eq!(SubscriptionId::parse("Azure-Plan.1"), SubscriptionId::parse("aZURE-pLAN.1"));
        for wrong in ["", "a b", "a#b", "a/b", "é", &"a".repeat(65)] {
            assert!(SubscriptionId::parse(wrong).is_none(), "{wrong}");
        }
    }
}
