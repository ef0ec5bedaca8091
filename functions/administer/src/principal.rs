//! The body of a request for an access key.

use domain::{CallerKind, PartnerId, PolicyVersion, Principal, Role, TenantId, Timestamp};
use platform::http_api::InvalidField;
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::object::ObjectOf;
use platform::http_api::shape::{self, AnyText, OneOf, SetOf};

/// `{principal, roles, name, expires_at?}`
pub(crate) struct KeyBody {
    pub(crate) principal: Principal,
    pub(crate) roles: Vec<Role>,
    pub(crate) name: String,
    /// In the future, unless the request is a repeat.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Body for KeyBody {
    const NAME: &'static str = "KeyRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let principal = reader.required("principal", ObjectOf::<PrincipalBody>::new(rules));
        let each = OneOf { all: Role::ALL, as_str: Role::as_str };
        let roles = reader.required("roles", SetOf { each, least: 0, most: Role::ALL.len() });
        let name = reader.required("name", shape::line(rules.policy.limits.name_characters));
        let expires_at = reader.optional("expires_at", shape::time());
        let (PrincipalBody(principal), mut roles) = (principal?, roles?);
        if let Some(wrong) = wrong_number_of_roles(&principal, roles.len()) {
            reader.invalid("roles", wrong);
            return None;
        }
        if let Some(index) = wrong_role(&principal, &roles, rules.policy) {
            let detail = format!("a customer's key has exactly the role {}", rules.policy.roles.customer);
            reader.invalid_element("roles", index, InvalidField::value(detail));
            return None;
        }
        roles.sort_unstable();
        Some(Self { principal, roles, name: name?, expires_at })
    }
}

/// A partner's or a customer's key has roles, an operator's none.
fn wrong_number_of_roles(principal: &Principal, count: usize) -> Option<InvalidField> {
    match (principal, count) {
        (Principal::Operator, 1..) => Some(InvalidField::range("an operator's key has no roles; send []")),
        (Principal::Partner(_) | Principal::Customer(_), 0) => {
            Some(InvalidField::range("a key of a partner or customer needs at least one role"))
        }
        _ => None,
    }
}

/// The position of a role that the key must not have: a customer's key has only the approver's role.
fn wrong_role(principal: &Principal, roles: &[Role], policy: &PolicyVersion) -> Option<usize> {
    let approver = policy.roles.customer;
    let is_customer = matches!(principal, Principal::Customer(_));
    roles.iter().position(|role| is_customer && *role != approver)
}

/// `{kind, id?}`
struct PrincipalBody(Principal);

impl Body for PrincipalBody {
    const NAME: &'static str = "PrincipalRequest";

    fn members<R: Reader>(reader: &mut R, _: &Rules<'_>) -> Option<Self> {
        let kind = reader.required("kind", OneOf { all: CallerKind::ALL, as_str: CallerKind::as_str });
        let id = reader.present("id", AnyText);
        let principal = match (kind?, id) {
            (CallerKind::Operator, None) => Ok(Principal::Operator),
            (CallerKind::Operator, Some(_)) => Err(InvalidField::unknown()),
            (CallerKind::Partner | CallerKind::Customer, None) => Err(InvalidField::required()),
            (CallerKind::Partner, Some(id)) => {
                PartnerId::parse(&id?).map(Principal::Partner).ok_or(InvalidField::format("a partner id is expected"))
            }
            (CallerKind::Customer, Some(id)) => TenantId::parse(&id?)
                .map(Principal::Customer)
                .ok_or(InvalidField::format("a tenant id (a UUID) is expected")),
        };
        principal.map(Self).map_err(|wrong| reader.invalid("id", wrong)).ok()
    }
}
