//! Rotation of signing secrets.

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
}

impl SecretVersion {
    /// The versions that are accepted, in the order of `secrets`.
    pub fn live(secrets: &[Self], now: Timestamp) -> impl Iterator<Item = &Self> {
        secrets.iter().filter(move |secret| secret.ends_at.is_none_or(|ends_at| now < ends_at))
    }

    /// The versions after a rotation at `now`: a new one, and the newest of `secrets` until `ends_at`. `None` while two are
    /// live, or if there is none.
    pub fn rotate(secrets: &[Self], now: Timestamp, ends_at: Timestamp, key_number: u32) -> Option<Vec<Self>> {
        let old = *secrets.first()?;
        let one_is_live = Self::live(secrets, now).count() <= 1;
        let new = Self { version: old.version + 1, key_number, ends_at: None };
        one_is_live.then(|| vec![new, Self { ends_at: Some(ends_at), ..old }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_keeps_the_old_secret_until_its_end_and_waits_while_two_are_live() {
        let now = Timestamp::from_millis(0);
        let end = now.plus_days(1);
        let first = SecretVersion { version: 1, key_number: 1, ends_at: None };
        let rotated = SecretVersion::rotate(&[first], now, end, 2).unwrap();
        let second = SecretVersion { version: 2, key_number: 2, ends_at: None };
        assert_eq!(rotated, [second, SecretVersion { ends_at: Some(end), ..first }]);
        assert_eq!(SecretVersion::live(&rotated, now).count(), 2);
        assert_eq!(SecretVersion::live(&rotated, end).collect::<Vec<_>>(), [&second]);
        assert_eq!(SecretVersion::rotate(&rotated, now, end, 2), None);
        assert_eq!(SecretVersion::rotate(&rotated, end, end, 2).unwrap()[0].version, 3);
        assert_eq!(SecretVersion::rotate(&[], now, end, 2), None);
    }
}
