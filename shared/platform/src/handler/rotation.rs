//! New signing secrets, of partners and of endpoints.

use domain::{NewSecret, Rotated, SecretVersion, Timestamp, digest};

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

/// A rotation that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Rotation(NewSecret);

impl Rotation {
    /// # Errors
    /// 500 `internal` without a master key.
    pub fn new(context: &Context, body: &RotationBody, idempotency_key: Option<&str>) -> Result<Self, Problem> {
        let request = idempotency_key.map(|key| digest("rotation by idempotency key", &[key.as_bytes()]));
        let (now, key_number) = (context.now(), context.app.keys.current()?);
        Ok(Self(NewSecret { now, grace_hours: body.grace_hours, key_number, request }))
    }

    /// When the older secrets end.
    pub fn old_ends_at(&self) -> Timestamp {
        self.0.old_ends_at()
    }

    /// The generations of a secret after the rotation. `None` if an earlier request with the same idempotency key did it:
    /// then [`Rotation::made`] is its secret.
    ///
    /// # Errors
    /// 409 `rotation_in_progress`, 422 `idempotency_key_reused`.
    pub fn rotate(&self, secrets: &[SecretVersion]) -> Result<Option<Vec<SecretVersion>>, Problem> {
        match SecretVersion::rotate(secrets, &self.0) {
            Rotated::New(versions) => Ok(Some(versions)),
            Rotated::Before(_) => Ok(None),
            Rotated::KeyReused => {
                let detail =
                    "This idempotency key was used for a rotation with other `grace_hours`. Use a new idempotency key.";
                Err(Problem::new(Code::IdempotencyKeyReused, detail))
            }
            Rotated::InProgress => {
                let detail = "Two secrets are live. Wait until the old one ends, or end it now with `grace_hours` 0.";
                Err(Problem::new(Code::RotationInProgress, detail))
            }
        }
    }

    /// The secret that this rotation made, now or before.
    ///
    /// # Errors
    /// 500 `internal` if there is no secret.
    pub fn made(&self, secrets: &[SecretVersion]) -> Result<SecretVersion, Problem> {
        if let Rotated::Before(secret) = SecretVersion::rotate(secrets, &self.0) {
            return Ok(secret);
        }
        secrets.first().copied().ok_or_else(|| Problem::internal("a rotation made no signing secret"))
    }
}
