//! Delegated administration in request bodies: `{roles, duration, auto_extend?}`.

use domain::{DelegatedAdmin, GrantedPart, PolicyVersion, parse_days};
use serde_json::{Value, json};

use super::body::{Body, Reader, Rules};
use super::field::{At, InvalidField};
use super::schemas::Schemas;
use super::shape::{AnyText, Flag, Listed, SetOf, Shape};

/// What is asked for.
pub struct Requested(pub DelegatedAdmin);

impl Body for Requested {
    const NAME: &'static str = "DelegatedAdminRequest";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let GrantedPart { roles, days, auto_extend } = part(reader, rules, Presence::Required)?;
        days.map(|days| Self(DelegatedAdmin { roles, days, auto_extend }))
    }
}

/// What is granted of it. Without `duration`, for as long as was asked.
pub struct Granted(pub GrantedPart);

impl Body for Granted {
    const NAME: &'static str = "DelegatedAdminDecision";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        part(reader, rules, Presence::Optional).map(Self)
    }
}

/// Of `duration`.
enum Presence {
    Required,
    Optional,
}

/// The members, with sorted roles. `None` if the grant should extend itself and one of the roles does not allow that.
fn part<R: Reader>(reader: &mut R, rules: &Rules<'_>, duration: Presence) -> Option<GrantedPart> {
    let roles = reader.required("roles", directory_roles(rules.policy));
    let shape = Days { most: rules.policy.limits.grant_days_max };
    let days = match duration {
        Presence::Required => reader.required("duration", shape),
        Presence::Optional => reader.optional("duration", shape),
    };
    let auto_extend = reader.optional("auto_extend", Flag).unwrap_or(false);
    let mut roles = roles?;
    roles.sort_unstable();
    let fixed = roles.iter().find(|role| rules.policy.roles.no_auto_extend.contains(role)).filter(|_| auto_extend);
    if let Some(role) = fixed {
        let detail = format!("a grant of {role} cannot be extended automatically; leave `auto_extend` out");
        reader.invalid("auto_extend", InvalidField::value(detail));
        return None;
    }
    Some(GrantedPart { roles, days, auto_extend })
}

/// Directory roles of the policy, at least one, each once.
pub fn directory_roles(policy: &PolicyVersion) -> SetOf<Listed<'_>> {
    let expected = "a directory role of the policy is expected; GET /v1/policy lists them".into();
    let all: Vec<_> = policy.roles.grant.iter().map(|role| role.name.as_str()).collect();
    let most = all.len();
    SetOf { each: Listed { all, expected }, least: 1, most }
}

/// `P<n>D`: a number of days (ISO 8601).
struct Days {
    most: u32,
}

impl Shape for Days {
    type Out = u32;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<u32> {
        let expected = || format!("P<n>D with n from 1 to {} is expected, for example P365D", self.most);
        let text = AnyText.read(value, at)?;
        match parse_days(&text) {
            Some(days) if (1..=self.most).contains(&days) => Some(days),
            _ if is_number_of_days(&text) => at.invalid(InvalidField::range(expected())),
            _ => at.invalid(InvalidField::format(expected())),
        }
    }

    fn schema(&self, _: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": "^P[1-9][0-9]{0,2}D$", "description": "A number of days (ISO 8601)."})
    }
}

/// Whether a text has the form `P<n>D`, for a number of any size without leading zeros.
fn is_number_of_days(text: &str) -> bool {
    let digits = text.strip_prefix('P').and_then(|rest| rest.strip_suffix('D'));
    digits.is_some_and(|digits| {
        let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
        !digits.is_empty() && !has_leading_zero && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
