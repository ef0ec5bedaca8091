//! The body of a request for an access key.

use domain::{CallerKind, PartnerId, PolicyVersion, Principal, Role, TenantId};
use platform::http_api::InvalidField;
use platform::http_api::body::{Body, Reader, Rules};
use platform::http_api::object::ObjectOf;
use platform::http_api::shape::{self, AnyText, OneOf, SetOf};

/// `{principal, roles, name}`
pub(crate) struct KeyBody {
    pub(crate) principal: Principal,
    pub(crate) roles: Vec<Role>,
    pub(crate) name: String,
}

impl Body for KeyBody {
    const NAME: &'static str = "KeyRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let principal = reader.required("principal", ObjectOf::<PrincipalBody>::new(rules));
        let each = OneOf { all: Role::ALL, as_str: Role::as_str };
        let roles = reader.required("roles", SetOf { each, least: 0, most: Role::ALL.len() });
        let name = reader.required("name", shape::line(rules.policy.limits.name_characters));
        let (PrincipalBody(principal), mut roles) = (principal?, roles?);
        roles.sort_unstable();
        if let Some(wrong) = wrong_roles(&principal, &roles, rules.policy) {
            reader.invalid("roles", wrong);
            return None;
        }
        Some(Self { principal, roles, name: name? })
    }
}

/// A partner's key has one to six roles, a customer's exactly the approver's, an operator's none.
fn wrong_roles(principal: &Principal, roles: &[Role], policy: &PolicyVersion) -> Option<InvalidField> {
    let approver = policy.roles.customer;
    match principal {
        Principal::Operator if !roles.is_empty() => {
            Some(InvalidField::range("an operator's key has no roles; send []"))
        }
        Principal::Partner(_) if roles.is_empty() => Some(InvalidField::range("a partner's key has at least one role")),
        Principal::Customer(_) if roles != [approver] => {
            Some(InvalidField::value(format!("a customer's key has exactly the role {approver}")))
        }
        _ => None,
    }
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
                .ok_or(InvalidField::format("a tenant id (a lower-case UUID) is expected")),
        };
        principal.map(Self).map_err(|wrong| reader.invalid("id", wrong)).ok()
    }
}
