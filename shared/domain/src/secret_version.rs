//! Rotation of signing secrets.

use std::time::Duration;

use super::Timestamp;

/// A version of the signing secret of a partner or an endpoint. The secret itself is derived from a master key, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// 1 for the first secret, one more with every rotation.
    pub version: u32,
    /// The number of the master key from which it is derived.
    pub key_number: u32,
    /// From this time on it is not accepted; `None` for the newest.
    pub ends_at: Option<Timestamp>,
    /// The idempotency key of the rotation that made it, if there was one.
    pub request: Option<RotationRequest>,
}

/// What a repeat of a rotation must agree with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationRequest {
    /// The hash of the idempotency key.
    pub key: [u8; 32],
    pub grace_hours: u32,
}

/// A rotation that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct NewSecret {
    pub now: Timestamp,
    pub grace_hours: u32,
    /// The master key of the new secret.
    pub key_number: u32,
    /// The hash of the idempotency key.
    pub request: Option<[u8; 32]>,
}

/// The result of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The versions from now on.
    New(Vec<SecretVersion>),
    /// An earlier rotation with the same idempotency key made this version.
    Before(SecretVersion),
    /// An earlier rotation with the same idempotency key asked for another grace period.
    KeyReused,
    /// Two secrets are live, and a grace period would make it three.
    InProgress,
}

impl NewSecret {
    /// When the secrets before this one end.
    pub fn old_ends_at(&self) -> Timestamp {
        self.now + Duration::from_hours(self.grace_hours.into())
    }

    fn version(&self, number: u32) -> SecretVersion {
        let request = self.request.map(|key| RotationRequest { key, grace_hours: self.grace_hours });
        SecretVersion { version: number, key_number: self.key_number, ends_at: None, request }
    }
}

impl SecretVersion {
    /// Versions that are remembered, so that a rotation can be repeated. All but two of them have ended.
    const REMEMBERED: usize = 10;

    /// The first version.
    pub fn first(key_number: u32) -> Self {
        Self { version: 1, key_number, ends_at: None, request: None }
    }

    /// The versions that are accepted, in the order of `secrets`.
    pub fn live(secrets: &[Self], now: Timestamp) -> impl Iterator<Item = &Self> {
        secrets.iter().filter(move |secret| secret.ends_at.is_none_or(|ends_at| now < ends_at))
    }

    /// Adds a secret to `secrets`, which are newest first. Without a grace period every older secret ends now.
    pub fn rotate(secrets: &[Self], new: &NewSecret) -> Rotated {
        let asked = |secret: &&Self| new.request.is_some() && secret.request.map(|before| before.key) == new.request;
        if let Some(before) = secrets.iter().find(asked) {
            let is_same = before.request.is_some_and(|request| request.grace_hours == new.grace_hours);
            return if is_same { Rotated::Before(*before) } else { Rotated::KeyReused };
        }
        if new.grace_hours > 0 && Self::live(secrets, new.now).count() > 1 {
            return Rotated::InProgress;
        }
        let end = new.old_ends_at();
        let ended = |old: &Self| Self { ends_at: Some(old.ends_at.map_or(end, |ends_at| ends_at.min(end))), ..*old };
        let latest = secrets.iter().map(|secret| secret.version).max().unwrap_or_default();
        let versions = std::iter::once(new.version(latest + 1)).chain(secrets.iter().map(ended));
        Rotated::New(versions.take(Self::REMEMBERED).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn asked(now: Timestamp, grace_hours: u32, request: Option<u8>) -> NewSecret {
        NewSecret { now, grace_hours, key_number: 2, request: request.map(|byte| [byte; 32]) }
    }

    fn rotated(secrets: &[SecretVersion], new: &NewSecret) -> Vec<SecretVersion> {
        match SecretVersion::rotate(secrets, new) {
            Rotated::New(versions) => versions,
            other => panic!("{other:?}"),
        }
    }

    fn live(secrets: &[SecretVersion], now: Timestamp) -> Vec<u32> {
        SecretVersion::live(secrets, now).map(|secret| secret.version).collect()
    }

    #[test]
    fn a_grace_period_keeps_the_old_secret_until_its_end_and_excludes_another_one() {
        let (first, end) = ([SecretVersion::first(1)], NOW.plus_days(1));
        let two = rotated(&first, &asked(NOW, 24, None));
        assert_eq!((live(&two, NOW), live(&two, end)), (vec![2, 1], vec![2]));
        assert_eq!((two[0].key_number, two[1].key_number), (2, 1));
        assert_eq!(SecretVersion::rotate(&two, &asked(NOW, 1, None)), Rotated::InProgress);
        assert_eq!(live(&rotated(&two, &asked(end, 1, None)), end), [3, 2]);
    }

    #[test]
    fn a_rotation_without_grace_ends_every_older_secret_at_any_time() {
        let two = rotated(&[SecretVersion::first(1)], &asked(NOW, 24, None));
        for later in [0, 1, 86_399_999, 86_400_000] {
            let now = NOW.plus_millis(later);
            assert_eq!(live(&rotated(&two, &asked(now, 0, None)), now), [3], "{later} ms later");
        }
    }

    #[test]
    fn a_repeat_with_the_same_idempotency_key_finds_its_secret_also_after_later_rotations() {
        let mut secrets = vec![SecretVersion::first(1)];
        for byte in 0..9 {
            secrets = rotated(&secrets, &asked(NOW, 0, Some(byte)));
        }
        for byte in 0..9 {
            let Rotated::Before(found) = SecretVersion::rotate(&secrets, &asked(NOW, 0, Some(byte))) else {
                panic!("rotation {byte} is repeated");
            };
            assert_eq!(found.version, u32::from(byte) + 2);
        }
        assert_eq!(SecretVersion::rotate(&secrets, &asked(NOW, 1, Some(3))), Rotated::KeyReused);
        let more = rotated(&secrets, &asked(NOW, 0, None));
        assert_eq!((more.len(), more[0].version), (10, 11), "the oldest version is forgotten");
    }
}
