//! Members that several routes share, each read in one place.

use serde_json::Value;

use super::fields::{self, Fields, InvalidField};
use super::{Code, Problem};
use domain::{DelegatedAdmin, PolicyVersion, Timestamp, parse_days};

/// The `data` of a webhook's envelope `{type, timestamp, data}`. The envelope's time is not compared with the clock: the
/// signed header is.
///
/// # Errors
/// Those of [`fields::document`], 422 `event_type_unknown`, 422 `validation_failed`.
pub fn webhook_data(body: &[u8], expected_type: &str) -> Result<Value, Problem> {
    let mut envelope = Fields::of(fields::document(body)?)?;
    let kind = envelope.required("type", fields::any_text);
    if kind.as_deref().is_some_and(|kind| kind != expected_type) {
        return Err(Problem::new(
            Code::EventTypeUnknown,
            format!("This route takes webhooks of type {expected_type}."),
        ));
    }
    let expected = "an RFC 3339 time is expected, for example 2026-11-22T17:40:00Z";
    let at = envelope.required("timestamp", fields::text(Timestamp::parse_any, expected));
    let data = envelope.required("data", |data| match data {
        Value::Object(_) => Ok(data),
        _ => Err(InvalidField::kind("an object is expected")),
    });
    envelope.finish(kind.and(at).and(data))
}

impl Fields {
    /// Takes `delegated_admin: null | {roles, duration, auto_extend?}`, which must be there. `None` when it is wrong.
    pub fn delegated_admin(&mut self, policy: &PolicyVersion) -> Option<Option<DelegatedAdmin>> {
        if self.take_null("delegated_admin") {
            return Some(None);
        }
        self.object("delegated_admin", |fields| fields.admin_members(policy)).map(Some)
    }

    /// Takes `roles`, `duration` and `auto_extend` of this object.
    fn admin_members(&mut self, policy: &PolicyVersion) -> Option<DelegatedAdmin> {
        let roles = self.required("roles", |value| read_roles(value, policy));
        let longest = policy.limits.grant_days_max;
        let expected = format!("P<n>D with n from 1 to {longest} is expected");
        let days = self.required("duration", fields::text(parse_days, expected.clone()));
        let days = match days {
            Some(days) if days > longest => {
                self.wrong("duration", "range", expected);
                None
            }
            days => days,
        };
        let auto_extend = self.optional("auto_extend", fields::boolean).unwrap_or(false);
        let admin = DelegatedAdmin { roles: roles?, days: days?, auto_extend };
        if let Some(barred) = admin.roles.iter().find(|role| policy.roles.no_auto_extend.contains(role))
            && auto_extend
        {
            self.wrong("auto_extend", "value", format!("a grant of {barred} can't extend itself"));
            return None;
        }
        Some(admin)
    }
}

/// Directory roles of the policy, at least one, each once; sorted.
fn read_roles(value: Value, policy: &PolicyVersion) -> Result<Vec<String>, InvalidField> {
    let known = &policy.roles.grant;
    let role = |text: &str| known.iter().find(|role| *role == text).cloned();
    let expected = "one of these is not a directory role of the policy; see GET /v1/policy";
    let mut roles = fields::set(role, known.len(), expected)(value)?;
    if roles.is_empty() {
        return Err(InvalidField::range("at least one role is expected"));
    }
    roles.sort_unstable();
    Ok(roles)
}
