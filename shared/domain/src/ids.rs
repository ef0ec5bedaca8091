//! Ids. Each kind is a type with private contents and a fallible `parse`. So ids can't be mixed up, and no id contains a
//! character that has a meaning in the keys of the table.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::describe::{describe, text_in_json};

/// SHA-256 over the label and the parts, each preceded by its length (64 bits, big-endian). So different lists of parts never
/// give the same bytes.
pub fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
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
            pub const PREFIX: &'static str = $prefix;

            /// Reads the prefix and 26 characters of lower-case base32; `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> {
                text.strip_prefix(Self::PREFIX).filter(|tail| is_tail(tail)).map(|_| Self(text.to_owned()))
            }

            /// From the first 128 bits of a hash.
            pub fn from_hash(hash: &[u8; 32]) -> Self {
                Self(format!("{}{}", Self::PREFIX, tail(hash)))
            }

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

        text_in_json!($name, concat!("an id with the prefix ", $prefix));

        describe!($name: crate::describe::text(&[$($doc),*], concat!("^", $prefix, "[a-z2-7]{26}$")));
    )*};
}

ids! {
    /// Id of a partner, derived from the id of its tenant.
    PartnerId, "ptr_";
    /// Id of an invitation, derived from the partner, the channel and the idempotency key.
    InvitationId, "inv_";
    /// Id of a grant; the same characters as the invitation that asked for it.
    GrantId, "grt_";
    /// Id of an event, derived from the record and the sequence.
    EventId, "evt_";
    /// Id of an access key, derived from the hash of the key.
    KeyId, "key_";
    /// Id of a webhook endpoint, derived from the owner and the idempotency key, or random.
    EndpointId, "ep_";
    /// Id of a challenge or test message.
    MessageId, "msg_";
    /// Id of a signed-in customer's session, derived from the hash of its cookie. No response contains it.
    SessionId, "ses_";
    /// A person who signed in, as an HMAC of the person's id in the directory. It is the same for each of that person's
    /// sign-ins, and does not show who it is.
    PersonId, "psn_";
}

impl PartnerId {
    /// The id of the partner as which a tenant enrolls.
    pub fn from_tenant(tenant: &TenantId) -> Self {
        Self::from_hash(&digest("partner", &[tenant.as_str().as_bytes()]))
    }
}

impl InvitationId {
    /// The id of the invitation that a partner creates with an idempotency key. `channel` is `key` or `webhook`; the two do not
    /// share idempotency keys.
    pub fn from_idempotency_key(partner: &PartnerId, channel: &str, idempotency_key: &str) -> Self {
        let parts = [partner.as_str().as_bytes(), channel.as_bytes(), idempotency_key.as_bytes()];
        Self::from_hash(&digest("invitation", &parts))
    }

    /// Identifies the period of a relationship that was imported. No invitation has this id. A relationship is imported at most
    /// once.
    pub fn of_import(customer: &TenantId, partner: &PartnerId) -> Self {
        Self::from_hash(&digest("imported relationship", &[customer.as_str().as_bytes(), partner.as_str().as_bytes()]))
    }
}

impl GrantId {
    /// The id of the grant that the acceptance of an invitation starts.
    pub fn from_invitation(invitation: &InvitationId) -> Self {
        Self(format!("{}{}", Self::PREFIX, invitation.tail()))
    }

    /// The invitation that asked for this grant.
    pub fn invitation(&self) -> InvitationId {
        InvitationId(format!("{}{}", InvitationId::PREFIX, self.tail()))
    }
}

/// Id of an organization's tenant (its directory): a UUID in 8-4-4-4-12 form (RFC 9562 §4), kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// Reads the form with letters of either case; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        well_formed.then(|| Self(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the directory in which Microsoft keeps personal accounts. They belong to no organization.
    pub fn is_of_personal_accounts(&self) -> bool {
        self.0 == "9188040d-6c67-4c5b-b112-36a304b66dad"
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_in_json!(TenantId, "a tenant id (a UUID)");

#[cfg(feature = "describe")]
const UUID_PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

describe!(TenantId: schemars::json_schema!({"description": "The id of an organization's tenant: a UUID in lower case.", "type": "string", "format": "uuid", "pattern": UUID_PATTERN}));

/// A partner's own id of a subscription: 1 to 64 of `A–Z a–z 0–9 . _ -`, compared without case.
#[derive(Clone, Debug)]
pub struct SubscriptionId(String);

impl SubscriptionId {
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// As the partner wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In lower case, as it is compared and stored.
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

text_in_json!(SubscriptionId, "a subscription id");

describe!(SubscriptionId: crate::describe::text(&["A partner's own id of a subscription, compared without case."], "^[A-Za-z0-9._-]{1,64}$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_parses_only_its_own_text_form() {
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
        assert_eq!(GrantId::from_invitation(&id).invitation(), id);
    }

    #[test]
    fn moving_a_byte_to_another_part_changes_the_digest() {
        assert_ne!(digest("a", &[b"bc", b"d"]), digest("a", &[b"b", b"cd"]));
        assert_ne!(digest("ab", &[b"c"]), digest("a", &[b"bc"]));
    }

    #[test]
    fn a_tenant_id_is_a_uuid_in_either_case_and_is_kept_in_lower_case() {
        let lower = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
        for good in [lower, "6F9619FF-8B86-D011-B42D-00CF4FC964FF", "6f9619FF-8b86-D011-b42d-00CF4fc964fF"] {
            let id = TenantId::parse(good).expect(good);
            assert_eq!(id.as_str(), lower, "{good}");
            assert_eq!(Some(id), TenantId::parse(lower), "{good}");
        }
        for wrong in [
            "",
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
