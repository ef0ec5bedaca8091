//! Random changes of a valid token and of a document of keys. None is accepted unless its meaning is the same, and none panics.

use std::panic::catch_unwind;

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::forger::encode;
use super::*;

const RUNS: u64 = 10_000;

/// A small generator, so that a failure repeats.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides.max(1) as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        const LIKELY: &[u8] = br#".=-_+/{}[]",:\ 0129AZaz"#;
        if self.roll(2) == 0 { LIKELY[self.roll(LIKELY.len())] } else { u8::try_from(self.roll(256)).unwrap() }
    }

    /// Changes bytes one to four times.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len());
            match self.roll(6) {
                0 if !bytes.is_empty() => bytes[at] = self.byte(),
                1 if !bytes.is_empty() => bytes[at] ^= 1 << self.roll(8),
                2 if !bytes.is_empty() => drop(bytes.remove(at)),
                3 => bytes.insert(at, self.byte()),
                4 => bytes.truncate(at),
                _ => {
                    let until = (at + self.roll(40)).min(bytes.len());
                    let copy = bytes[at..until].to_vec();
                    let to = self.roll(bytes.len());
                    bytes.splice(to..to, copy);
                }
            }
        }
    }
}

/// Changes the text of a token, or what one of its parts contains.
pub(super) fn mutated_token(token: &str, dice: &mut Dice) -> String {
    let part = dice.roll(5);
    if part > 2 {
        let mut bytes = token.as_bytes().to_vec();
        dice.mutate(&mut bytes);
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let mut bytes = BASE64URL_NOPAD.decode(parts[part].as_bytes()).unwrap();
    dice.mutate(&mut bytes);
    parts[part] = encode(bytes);
    parts.join(".")
}

#[test]
fn no_changed_token_is_accepted() {
    let (token, keys) = (one().token(&claims()), key_set(&[one().jwk(), two().jwk()]));
    for run in 0..RUNS {
        let changed = mutated_token(&token, &mut Dice(run));
        let judged = catch_unwind(|| judge_at(&changed, &keys, NOW)).unwrap_or_else(|_| panic!("{run}: {changed}"));
        assert_eq!(judged.is_ok(), changed == token, "{run}: {changed}");
    }
}

#[test]
fn the_unused_bits_of_base64_are_zero() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let token = one().token(&claims());
    let (rest, last) = token.split_at(token.len() - 1);
    for other in ALPHABET.iter().map(|byte| char::from(*byte)).filter(|other| *other != last.chars().next().unwrap()) {
        assert!(judge(&format!("{rest}{other}")).is_err(), "{other}");
    }
}

/// Whether a document has a key that means the same as `key`.
fn has(document: &[u8], key: &Value) -> bool {
    let Ok(document) = serde_json::from_slice::<Value>(document) else { return false };
    let same = |found: &Value| ["kty", "use", "kid", "n", "e"].iter().all(|member| found[member] == key[member]);
    document["keys"].as_array().is_some_and(|keys| keys.iter().any(same))
}

#[test]
fn no_changed_key_verifies() {
    let (token, keys) = (one().token(&claims()), [one().jwk(), two().jwk()]);
    let mut kept = 0;
    for run in 0..RUNS {
        let mut changed = document(&keys);
        Dice(run).mutate(&mut changed);
        let judge = || KeySet::read(&changed, ISSUER, &tenant()).map(|keys| judge_at(&token, &keys, NOW).is_ok());
        let shown = || String::from_utf8_lossy(&changed).into_owned();
        let judged = catch_unwind(judge).unwrap_or_else(|_| panic!("{run}: {}", shown()));
        if judged == Some(true) {
            kept += 1;
            assert!(has(&changed, &keys[0]), "{run}: {}", shown());
        }
    }
    assert!(kept > 100, "many changes leave the key as it is: {kept}");
}
