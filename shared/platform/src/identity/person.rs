//! Who signed in, and whether that person belongs to the tenant and may act for it.

use std::fmt;

use domain::{TenantId, text};
use serde_json::Value;

use super::claims::Claims;
use super::error::{Check, SignInError};

/// The maximum number of characters of a name.
const MAX_NAME: usize = 100;

/// The number of characters of a UUID.
const UUID: usize = 36;

/// A member of the tenant who has proven one of the accepted directory roles.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Identifies the person within the tenant, for every app, for good: a UUID in lower case. Store only an HMAC of it.
    pub person_id: String,
    /// For display only. The person and the tenant's administrators can change it.
    pub name: Option<String>,
    /// For display only, as the name.
    pub email: Option<String>,
    /// The template id of the proven directory role: the first one, in the order of the rules, that the person has.
    pub approver_role: String,
    /// Where the person can sign out at the provider.
    pub sign_out_url: Option<String>,
}

impl Person {
    /// Reads the person from claims that are proven to be authentic.
    ///
    /// # Errors
    /// [`SignInError::NotHome`] and [`SignInError::NotAnApprover`].
    pub(super) fn prove(claims: &Claims, tenant: &TenantId, approver_roles: &[String]) -> Result<Self, SignInError> {
        let person_id = account(claims).ok_or(SignInError::NotHome(Check::Account))?;
        let holds = [
            (Check::Outsider, claims.altsecid.is_none()),
            (Check::Membership, claims.acct.as_ref().and_then(Value::as_u64) == Some(0)),
            (Check::Home, is_home(claims.idp.as_ref(), tenant)),
        ];
        if let Some((check, _)) = holds.into_iter().find(|(_, holds)| !holds) {
            return Err(SignInError::NotHome(check));
        }
        let held = claims.wids.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let role = approver_roles.iter().find(|role| held.iter().any(|held| held.as_str() == Some(role)));
        Ok(Self {
            person_id,
            name: shown(claims.name.as_ref(), |name| text::line(name, MAX_NAME).ok()),
            email: email(claims),
            approver_role: role.ok_or(SignInError::NotAnApprover)?.clone(),
            sign_out_url: None,
        })
    }
}

/// `oid`: a UUID. A token for a person without an account has none.
fn account(claims: &Claims) -> Option<String> {
    let uuid = TenantId::parse(claims.oid.as_ref()?.as_str()?)?;
    Some(uuid.as_str().to_owned())
}

/// `idp` names the home of an account. It is absent for an account of the tenant itself, or it contains the id of the tenant and
/// of no other.
fn is_home(idp: Option<&Value>, tenant: &TenantId) -> bool {
    let Some(idp) = idp else { return true };
    let Some(idp) = idp.as_str() else { return false };
    let mut uuids = (0..idp.len()).filter_map(|at| TenantId::parse(idp.get(at..at + UUID)?));
    uuids.next().is_some_and(|first| first == *tenant) && uuids.next().is_none()
}

fn email(claims: &Claims) -> Option<String> {
    let read = |claim: &Option<Value>| shown(claim.as_ref(), |address| text::email(address).ok());
    read(&claims.email).or_else(|| read(&claims.preferred_username))
}

/// A text that may be shown, or nothing.
fn shown(claim: Option<&Value>, check: impl Fn(&str) -> Option<String>) -> Option<String> {
    claim?.as_str().and_then(check)
}

/// Shows no personal data.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("approver_role", &self.approver_role).finish_non_exhaustive()
    }
}
