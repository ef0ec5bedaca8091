//! Hashes, ids and times as they are stored.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

pub fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut sha = Sha256::new();
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    sha.finalize().into()
}

fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

pub fn tail(data: &[u8; 32]) -> String {
    BASE32_NOPAD.encode(&data[..16]).to_lowercase()
}

pub fn short(data: &[u8; 32]) -> String {
    BASE64URL_NOPAD.encode(&data[..16])
}

pub fn shard(family: &str, label: &str, parts: &[&str]) -> String {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    format!("{family}#{}", digest(label, &parts)[0] % 32)
}

/// The key of links, derived once.
pub fn link_key(master: &str) -> [u8; 32] {
    mac(&mac(&[0; 32], &digest("master key", &[master.as_bytes()])), b"invitation link\x01")
}

pub fn link_token(key: &[u8; 32], invitation: &str) -> String {
    let parts: [&[u8]; 2] = [invitation.as_bytes(), &1u32.to_be_bytes()];
    BASE64URL_NOPAD.encode(&mac(key, &digest("invitation link", &parts)))
}

pub fn now() -> i64 {
    (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
}

fn at(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).expect("a time")
}

pub fn text(ms: i64) -> String {
    format!("{ms:013}")
}

pub fn iso(ms: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at(ms).format(format).expect("a time")
}

pub fn day(ms: i64) -> String {
    at(ms).format(format_description!("[year][month][day]")).expect("a day")
}
