//! The customer's decision on delegated administration: `"as_requested"`, `"refused"`, or what is granted of it.

use domain::{DelegatedAdmin, GrantDecision, GrantDecisionError};
use platform::http_api::body::{Rules, Unread};
use platform::http_api::delegated_admin::Granted;
use platform::http_api::object::ObjectOf;
use platform::http_api::schemas::Schemas;
use platform::http_api::shape::Shape;
use platform::http_api::{At, Code, InvalidField, Problem};
use serde_json::{Value, json};

const EXPECTED: &str = "\"as_requested\", \"refused\" or {roles, duration?, auto_extend?} is expected";

pub(crate) struct DecisionShape<'a>(pub(crate) Rules<'a>);

impl Shape for DecisionShape<'_> {
    type Out = GrantDecision;

    fn read(&self, value: Value, at: &mut At<'_>) -> Option<GrantDecision> {
        match value {
            Value::Null => Some(GrantDecision::Absent),
            Value::String(word) if word == "as_requested" => Some(GrantDecision::AsRequested),
            Value::String(word) if word == "refused" => Some(GrantDecision::Refused),
            Value::Object(_) => {
                let Granted(part) = ObjectOf::<Granted>::new(&self.0).read(value, at)?;
                Some(GrantDecision::Narrowed(part))
            }
            Value::String(_) => at.invalid(InvalidField::value(EXPECTED)),
            _ => at.invalid(InvalidField::kind(EXPECTED)),
        }
    }

    fn schema(&self, schemas: &mut Schemas) -> Value {
        let narrowed = ObjectOf::<Granted>::new(&self.0).schema(schemas);
        json!({"anyOf": [{"type": ["string", "null"], "enum": ["as_requested", "refused", null]}, narrowed]})
    }
}

/// The decision, well formed.
///
/// # Errors
/// 422 `validation_failed`.
pub(crate) fn read(delegated_admin: &Unread, rules: Rules<'_>) -> Result<GrantDecision, Problem> {
    match delegated_admin.value() {
        None => Ok(GrantDecision::Absent),
        Some(_) => delegated_admin.read(&DecisionShape(rules)),
    }
}

/// What is granted, if the decision fits what was asked for.
///
/// # Errors
/// 422 `validation_failed`, `delegated_admin_required` or `roles_exceed_request`.
pub(crate) fn granted(
    decision: &GrantDecision,
    asked: Option<&DelegatedAdmin>,
    is_required: bool,
) -> Result<Option<DelegatedAdmin>, Problem> {
    decision.check(asked, is_required).map_err(problem_of)
}

fn problem_of(refusal: GrantDecisionError) -> Problem {
    match refusal {
        GrantDecisionError::Missing => {
            let detail = "the invitation asks for delegated administration; send \"as_requested\", \"refused\" or what is granted";
            Problem::validation(vec![InvalidField::required_because(detail).at("/delegated_admin")])
        }
        GrantDecisionError::Unexpected => {
            let detail = "the invitation does not ask for delegated administration; remove this member";
            Problem::validation(vec![InvalidField::value(detail).at("/delegated_admin")])
        }
        GrantDecisionError::Required => Problem::new(
            Code::DelegatedAdminRequired,
            "Here delegated administration can be narrowed but not refused. To refuse all of it, decline the invitation.",
        ),
        GrantDecisionError::ExceedsRequest => Problem::new(
            Code::RolesExceedRequest,
            "More is granted than was asked for: other roles, a longer duration, or an extension that was not asked for.",
        ),
    }
}
