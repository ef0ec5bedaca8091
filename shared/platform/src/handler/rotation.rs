//! New signing secrets, of partners and of endpoints.

use std::time::Duration;

use domain::{SecretVersion, Timestamp};

use super::Context;
use crate::http_api::body::{Body, Reader, Rules};
use crate::http_api::shape::Whole;
use crate::http_api::{Code, Problem};

/// `{grace_hours}`
pub struct RotationBody {
    grace_hours: u32,
}

impl Body for RotationBody {
    const NAME: &'static str = "Rotation";

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        let most = rules.policy.limits.rotation_grace_hours_max;
        reader.required("grace_hours", Whole { least: 0, most }).map(|grace_hours| Self { grace_hours })
    }
}

/// A new secret, and how long the old one remains valid.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// When the old secret ends.
    pub ends_at: Timestamp,
    now: Timestamp,
    key_number: u32,
}

impl Rotation {
    /// The rotation that is asked for.
    ///
    /// # Errors
    /// 500 `internal` without a master key.
    pub fn new(context: &Context, body: &RotationBody) -> Result<Self, Problem> {
        let ends_at = context.now() + Duration::from_hours(body.grace_hours.into());
        Ok(Self { ends_at, now: context.now(), key_number: context.app.keys.current()? })
    }

    /// The generations of a secret after the rotation.
    ///
    /// # Errors
    /// 409 `rotation_in_progress` while two are live.
    pub fn rotate(&self, secrets: &[SecretVersion]) -> Result<Vec<SecretVersion>, Problem> {
        let detail = "Two secrets are live. Wait until the old one expires, then rotate again.";
        SecretVersion::rotate(secrets, self.now, self.ends_at, self.key_number)
            .ok_or_else(|| Problem::new(Code::RotationInProgress, detail))
    }
}
