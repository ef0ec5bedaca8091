//! The body of an acceptance. Its members are taken here; whether they are right and fit the invitation is decided later,
//! in the contract's order, so what is wrong with them waits until it is their turn.

use domain::{AcceptedBy, GrantAnswer, GrantRefusal, PolicyVersion, text};
use platform::http_api::fields::{self, Fields};
use platform::http_api::{Code, FieldError, Problem};
use serde_json::{Value, json};

/// `accepted_by` and `delegated_admin`, not yet looked at.
pub(crate) struct Body {
    accepted_by: Option<Value>,
    delegated_admin: Option<Value>,
    by_link: bool,
}

impl Body {
    /// Takes the members that are left.
    pub(crate) fn read(mut fields: Fields, by_link: bool) -> Result<Self, Problem> {
        let accepted_by = fields.take("accepted_by");
        let delegated_admin = fields.take("delegated_admin").filter(|value| !value.is_null());
        fields.finish(Some(Self { accepted_by, delegated_admin, by_link }))
    }

    /// By link the holder claims a role, and only one role answers; by key the key has it.
    pub(crate) fn check_role(&self, policy: &PolicyVersion) -> Result<(), Problem> {
        let Some(Value::Object(accepted_by)) = self.accepted_by.as_ref().filter(|_| self.by_link) else {
            return Ok(());
        };
        let role = policy.roles.customer;
        if accepted_by.get("role").and_then(Value::as_str) == Some(role.as_str()) {
            return Ok(());
        }
        Err(Problem::new(Code::ApproverNotPermitted, format!("Only a {role} of the customer may answer.")))
    }

    /// Who says to have answered.
    pub(crate) fn accepted_by(&self, policy: &PolicyVersion, salt: [u8; 16]) -> Result<AcceptedBy, Problem> {
        let mut fields = match &self.accepted_by {
            Some(value) => Fields::of(json!({"accepted_by": value}))?,
            None => Fields::of(json!({}))?,
        };
        let longest = policy.limits.name_characters;
        let accepted_by = fields.object("accepted_by", |inner| {
            let name = inner.required("name", fields::checked(|value| text::line(value, longest)));
            let email = inner.required("email", fields::checked(text::email));
            if self.by_link {
                inner.take("role");
            }
            Some(AcceptedBy { name: name?, email: email?, salt })
        });
        fields.finish(accepted_by)
    }

    /// The customer's word on delegated administration, if it is well formed.
    pub(crate) fn word(&self, policy: &PolicyVersion) -> Result<GrantAnswer, Problem> {
        match &self.delegated_admin {
            None => Ok(GrantAnswer::Absent),
            Some(Value::String(word)) if word == "as_requested" => Ok(GrantAnswer::AsRequested),
            Some(Value::String(word)) if word == "refused" => Ok(GrantAnswer::Refused),
            Some(value @ Value::Object(_)) => {
                let mut fields = Fields::of(json!({"delegated_admin": value}))?;
                let admin = fields.delegated_admin(policy).flatten();
                Ok(GrantAnswer::Narrowed(fields.finish(admin)?))
            }
            Some(_) => Err(expected("\"as_requested\", \"refused\" or {roles, duration} is expected")),
        }
    }
}

/// Why the customer's word can't stand, as an answer.
pub(crate) fn refused(refusal: GrantRefusal) -> Problem {
    match refusal {
        GrantRefusal::NothingSaid => expected("the invitation asks for delegated administration: say what is granted"),
        GrantRefusal::NothingAsked => expected("the invitation asks for no delegated administration"),
        GrantRefusal::Required => Problem::new(
            Code::DelegatedAdminRequired,
            "Here delegated administration can be narrowed but not refused; to refuse all of it, decline.",
        ),
        GrantRefusal::Exceeds => Problem::new(
            Code::RolesExceedRequest,
            "More was granted than was asked: other roles, a longer time, or an extension that was not asked for.",
        ),
    }
}

fn expected(detail: &'static str) -> Problem {
    Problem::validation(vec![FieldError { pointer: "/delegated_admin".into(), code: "value", detail: detail.into() }])
}
