//! Requests for a new signing secret, of partners and of endpoints alike.

use super::App;
use crate::http_api::fields::{self, Fields};
use crate::http_api::{Code, Problem, Request};
use domain::{SecretGeneration, Timestamp};

/// A new secret, and how long the old one lives on.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// When the old secret ends.
    pub ends_at: Timestamp,
    now: Timestamp,
    key_number: u32,
}

impl Rotation {
    /// Reads `{grace_hours}`, whole hours from 0 to the policy's most.
    ///
    /// # Errors
    /// 422 `validation_failed`; 500 without a master key.
    pub fn read(app: &App, request: &Request) -> Result<Self, Problem> {
        let longest = app.policy_for(request).limits.rotation_grace_hours_max;
        let mut fields = Fields::of_body(request)?;
        let hours = fields.required("grace_hours", fields::whole(0, longest.into()));
        let hours = i64::try_from(fields.finish(hours)?).unwrap_or_default();
        let ends_at = request.now.plus_millis(hours * 3_600_000);
        Ok(Self { ends_at, now: request.now, key_number: app.keys.current()? })
    }

    /// The generations of a secret once there is a new one.
    ///
    /// # Errors
    /// 409 `rotation_in_progress` while two are live.
    pub fn of(&self, secrets: &[SecretGeneration]) -> Result<Vec<SecretGeneration>, Problem> {
        SecretGeneration::rotated(secrets, self.now, self.ends_at, self.key_number)
            .ok_or_else(|| Problem::new(Code::RotationInProgress, "Two secrets are live; wait until the old one ends."))
    }
}
