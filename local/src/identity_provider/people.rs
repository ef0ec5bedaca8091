//! The sample people. Every tenant has all of them.

use data_encoding::HEXLOWER;
use domain::{TenantId, digest};
use serde_json::{Value, json};

/// Template ids of directory roles.
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
/// Every ordinary member has it. It is no administrator's role.
const MEMBER: &str = "b79fbf4d-3ef9-4689-8143-76b194e85509";

/// The home of people from elsewhere.
const ELSEWHERE: &str = "99999999-9999-4999-8999-999999999999";

/// Where a person's account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    Member,
    Guest,
    /// There is none in this tenant.
    Elsewhere,
}

/// A sample person.
#[derive(Clone, Copy, Debug)]
pub struct SamplePerson {
    /// The name in forms.
    pub key: &'static str,
    pub name: &'static str,
    pub email: &'static str,
    /// What the sign-in page says about the person.
    pub about: &'static str,
    account: Account,
    roles: &'static [&'static str],
}

pub const PEOPLE: [SamplePerson; 4] = [
    SamplePerson {
        key: "global_administrator",
        name: "Avery Howard",
        email: "avery@customer.example",
        about: "global administrator of this organization",
        account: Account::Member,
        roles: &[MEMBER, GLOBAL_ADMINISTRATOR],
    },
    SamplePerson {
        key: "user_administrator",
        name: "Blake Stone",
        email: "blake@customer.example",
        about: "user administrator of this organization",
        account: Account::Member,
        roles: &[MEMBER, USER_ADMINISTRATOR],
    },
    SamplePerson {
        key: "guest_administrator",
        name: "Casey Jensen",
        email: "casey@elsewhere.example",
        about: "global administrator of this organization, but as a guest",
        account: Account::Guest,
        roles: &[GLOBAL_ADMINISTRATOR],
    },
    SamplePerson {
        key: "partner_employee",
        name: "Drew Fischer",
        email: "drew@partner.example",
        about: "employee of a partner with delegated administration, without an account in this organization",
        account: Account::Elsewhere,
        roles: &[GLOBAL_ADMINISTRATOR],
    },
];

/// Finds a person by key.
pub fn find(key: &str) -> Option<&'static SamplePerson> {
    PEOPLE.iter().find(|person| person.key == key)
}

impl SamplePerson {
    /// The claims about the person in a token of a tenant.
    pub(super) fn claims(&self, tenant: &TenantId) -> Value {
        let mut claims = json!({
            "sub": self.identifier("subject", tenant), "wids": self.roles, "name": self.name,
            "preferred_username": self.email,
        });
        let elsewhere = format!("https://sts.windows.net/{ELSEWHERE}/");
        match self.account {
            Account::Member => claims["acct"] = json!(0),
            Account::Guest => (claims["acct"], claims["idp"]) = (json!(1), json!(elsewhere)),
            Account::Elsewhere => {
                (claims["altsecid"], claims["idp"]) = (json!("5::10032001AABBCCDD"), json!(elsewhere))
            }
        }
        if self.account != Account::Elsewhere {
            claims["oid"] = json!(self.identifier("account", tenant));
        }
        claims
    }

    /// A UUID that differs between tenants.
    fn identifier(&self, kind: &str, tenant: &TenantId) -> String {
        let hash = digest(kind, &[tenant.as_str().as_bytes(), self.key.as_bytes()]);
        let hex = HEXLOWER.encode(&hash[..16]);
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}
