//! The bodies of answers. The members of an acceptance are checked later, in the order of the contract.

use domain::{AcceptedBy, PolicyVersion, Role};
use platform::http_api::body::{Body, Reader, Rules, Unread};
use platform::http_api::object::ObjectOf;
use platform::http_api::shape::{self, AnyText, OneOf, Whole};
use platform::http_api::{Code, Problem};

use crate::decision::DecisionShape;

/// `{token}`
pub(crate) struct TokenBody {
    pub(crate) token: String,
}

impl Body for TokenBody {
    const NAME: &'static str = "LinkToken";

    fn members<R: Reader>(reader: &mut R, _: &Rules<'_>) -> Option<Self> {
        reader.required("token", AnyText).map(|token| Self { token })
    }
}

/// `{token, reason?}`
pub(crate) struct DeclineByLink {
    pub(crate) token: String,
    pub(crate) reason: Option<String>,
}

impl Body for DeclineByLink {
    const NAME: &'static str = "DeclineByLink";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let token = reader.required("token", AnyText);
        let reason = reason(reader, rules);
        Some(Self { token: token?, reason })
    }
}

/// `{reason?}`
pub(crate) struct DeclineByKey {
    pub(crate) reason: Option<String>,
}

impl Body for DeclineByKey {
    const NAME: &'static str = "DeclineByKey";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        Some(Self { reason: reason(reader, rules) })
    }
}

fn reason<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<String> {
    reader.optional("reason", shape::paragraph(rules.policy.limits.message_characters))
}

/// `{token, accepted_by: {name, email, role}, delegated_admin?}`
pub(crate) struct AcceptByLink {
    pub(crate) token: String,
    pub(crate) acceptance: AcceptanceBody,
}

impl Body for AcceptByLink {
    const NAME: &'static str = "AcceptByLink";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let token = reader.required("token", AnyText);
        let accepted_by = reader.unread("accepted_by", true, &ObjectOf::<LinkPerson>::new(rules));
        let delegated_admin = reader.unread("delegated_admin", false, &DecisionShape(*rules));
        let acceptance = AcceptanceBody { accepted_by, delegated_admin, version: None };
        Some(Self { token: token?, acceptance })
    }
}

/// `{version, accepted_by: {name, email}, delegated_admin?}`
pub(crate) struct AcceptByKey(pub(crate) AcceptanceBody);

impl Body for AcceptByKey {
    const NAME: &'static str = "AcceptByKey";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let version = reader.required("version", Whole { least: 1, most: u32::MAX });
        let accepted_by = reader.unread("accepted_by", true, &ObjectOf::<Person>::new(rules));
        let delegated_admin = reader.unread("delegated_admin", false, &DecisionShape(*rules));
        Some(Self(AcceptanceBody { accepted_by, delegated_admin, version: Some(version?) }))
    }
}

/// An acceptance that is not checked yet.
pub(crate) struct AcceptanceBody {
    accepted_by: Unread,
    pub(crate) delegated_admin: Unread,
    /// The version of the invitation that the customer was shown; `None` by link. A link shows only one content, because
    /// each change stops it.
    version: Option<u32>,
}

impl AcceptanceBody {
    /// Checks that the invitation is what the customer was shown.
    ///
    /// # Errors
    /// 409 `invitation_changed`.
    pub(crate) fn check_version(&self, current: u64) -> Result<(), Problem> {
        let Some(shown) = self.version.filter(|shown| u64::from(*shown) != current) else { return Ok(()) };
        let detail =
            format!("The invitation has version {current}, and the request accepts version {shown}. Read it again.");
        Err(Problem::new(Code::InvitationChanged, detail))
    }

    /// A link holder claims a role, and only one role may accept. A key has its role.
    ///
    /// # Errors
    /// 422 `validation_failed` if the role is missing, 403 `approver_not_permitted` for another one.
    pub(crate) fn check_role(&self, rules: &Rules<'_>) -> Result<(), Problem> {
        if self.version.is_some() {
            return Ok(());
        }
        let permitted = rules.policy.roles.customer;
        match self.accepted_by.value().and_then(|person| person.get("role")) {
            None => self.accepted_by.read(&ObjectOf::<LinkPerson>::new(rules)).map(drop),
            Some(role) if role.as_str() == Some(permitted.as_str()) => Ok(()),
            Some(_) => {
                let detail =
                    format!("Only a {permitted} of the customer may accept. Send `accepted_by.role` accordingly.");
                Err(Problem::new(Code::ApproverNotPermitted, detail))
            }
        }
    }

    /// The person who accepts, as stated.
    ///
    /// # Errors
    /// 422 `validation_failed`.
    pub(crate) fn person(&self, rules: &Rules<'_>, salt: [u8; 16]) -> Result<AcceptedBy, Problem> {
        let Person { name, email } = if self.version.is_none() {
            self.accepted_by.read(&ObjectOf::<LinkPerson>::new(rules))?.0
        } else {
            self.accepted_by.read(&ObjectOf::<Person>::new(rules))?
        };
        Ok(AcceptedBy { name, email, salt })
    }
}

/// `{name, email}`
struct Person {
    name: String,
    email: String,
}

impl Body for Person {
    const NAME: &'static str = "AcceptedByRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let name = reader.required("name", shape::line(rules.policy.limits.name_characters));
        let email = reader.required("email", shape::email());
        Some(Self { name: name?, email: email? })
    }
}

/// `{name, email, role}`
struct LinkPerson(Person);

impl Body for LinkPerson {
    const NAME: &'static str = "AcceptedByClaim";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let person = Person::members(reader, rules);
        reader.required("role", approver_role(rules.policy));
        person.map(Self)
    }
}

fn approver_role(policy: &PolicyVersion) -> OneOf<'_, Role> {
    OneOf { all: std::slice::from_ref(&policy.roles.customer), as_str: Role::as_str }
}
