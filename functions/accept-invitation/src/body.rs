//! What the customer sends. Members are read here; whether they fit the invitation is decided later, in the contract's
//! order, so what is wrong with them waits until it is their turn.

use serde_json::{Value, json};
use shared::domain::{AcceptedBy, DelegatedAdmin, Invitation, PolicyVersion, Role, text};
use shared::http::fields::{self, Fields, Wrong};
use shared::http::{Code, Problem};

/// A body whose members are known, though not yet whether they are right.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) token: Option<String>,
    accepted_by: Option<Value>,
    delegated_admin: Option<Value>,
    by_link: bool,
}

/// The customer's word on delegated administration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    /// Nothing was said.
    Absent,
    /// All that was asked.
    AsRequested,
    /// None of it.
    Refused,
    /// This much.
    Narrowed(DelegatedAdmin),
}

/// Any text at all.
pub(crate) fn any_text(value: Value) -> Result<String, Wrong> {
    fields::text(|text| Some(text.to_owned()), "a string is expected")(value)
}

/// The token of `{token}`.
pub(crate) fn token_only(document: Value) -> Result<String, Problem> {
    let mut fields = Fields::of(document)?;
    let token = fields.required("token", any_text);
    fields.finish(token)
}

impl Body {
    /// Reads `{token, accepted_by, delegated_admin?}`, without token by key.
    pub(crate) fn read(document: Value, by_link: bool) -> Result<Self, Problem> {
        let mut fields = Fields::of(document)?;
        let token = if by_link { fields.required("token", any_text).map(Some) } else { Some(None) };
        let accepted_by = fields.take("accepted_by");
        let delegated_admin = fields.take("delegated_admin").filter(|value| !value.is_null());
        fields.finish(token.map(|token| Self { token, accepted_by, delegated_admin, by_link }))
    }

    /// Who says to have answered. By link the role is part of it, and only one role answers.
    pub(crate) fn accepted_by(&self, policy: &PolicyVersion, salt: [u8; 16]) -> Result<AcceptedBy, Problem> {
        let claimed = self.accepted_by.as_ref().and_then(|value| value.get("role")).and_then(Value::as_str);
        if let Some(claimed) = claimed.filter(|_| self.by_link)
            && Role::parse(claimed) != Some(policy.roles.customer)
        {
            let role = policy.roles.customer;
            return Err(Problem::new(Code::ApproverNotPermitted, format!("Only a {role} of the customer may answer.")));
        }
        let mut fields = match &self.accepted_by {
            Some(value) => Fields::of(json!({"accepted_by": value}))?,
            None => Fields::of(json!({}))?,
        };
        let longest = policy.limits.name_characters;
        let accepted_by = fields.object("accepted_by", |inner| {
            let name = inner.required("name", fields::checked(|value| text::line(value, longest)));
            let email = inner.required("email", fields::checked(text::email));
            let role = if self.by_link { inner.required("role", any_text) } else { Some(String::new()) };
            Some(AcceptedBy { name: name?, email: email?, salt }).filter(|_| role.is_some())
        });
        fields.finish(accepted_by)
    }

    /// The customer's word, if it is well formed.
    pub(crate) fn word(&self, policy: &PolicyVersion) -> Result<Word, Problem> {
        match &self.delegated_admin {
            None => Ok(Word::Absent),
            Some(Value::String(word)) if word == "as_requested" => Ok(Word::AsRequested),
            Some(Value::String(word)) if word == "refused" => Ok(Word::Refused),
            Some(value @ Value::Object(_)) => {
                let mut fields = Fields::of(json!({"delegated_admin": value}))?;
                let admin = fields.delegated_admin(policy).flatten();
                Ok(Word::Narrowed(fields.finish(admin)?))
            }
            Some(_) => Err(expected("\"as_requested\", \"refused\" or {roles, duration} is expected")),
        }
    }
}

impl Word {
    /// What is granted, as far as word and invitation go together at all; what rules say of it comes later.
    pub(crate) fn resolve(&self, invitation: &Invitation) -> Option<Option<DelegatedAdmin>> {
        match (self, &invitation.delegated_admin) {
            (Self::Absent, None) | (Self::Refused, Some(_)) => Some(None),
            (Self::AsRequested, Some(asked)) => Some(Some(asked.clone())),
            (Self::Narrowed(admin), Some(_)) => Some(Some(admin.clone())),
            (Self::Absent, Some(_)) | (_, None) => None,
        }
    }

    /// What is granted, under every rule (MP-14, MP-19). `required` when refusing is not possible.
    pub(crate) fn decide(&self, invitation: &Invitation, required: bool) -> Result<Option<DelegatedAdmin>, Problem> {
        let granted = self.resolve(invitation).ok_or_else(|| match invitation.delegated_admin {
            Some(_) => expected("the invitation asks for delegated administration: say what is granted"),
            None => expected("the invitation asks for no delegated administration"),
        })?;
        match (&granted, &invitation.delegated_admin) {
            (None, Some(_)) if required => Err(Problem::new(
                Code::DelegatedAdminRequired,
                "Here delegated administration can be narrowed but not refused; to refuse all of it, decline.",
            )),
            (Some(admin), Some(asked)) if !admin.is_within(asked) => Err(Problem::new(
                Code::RolesExceedRequest,
                "More was granted than was asked: other roles, a longer time, or an extension that was not asked for.",
            )),
            _ => Ok(granted),
        }
    }
}

fn expected(detail: &'static str) -> Problem {
    let error = shared::http::FieldError { pointer: "/delegated_admin".into(), code: "value", detail: detail.into() };
    Problem::validation(vec![error])
}
