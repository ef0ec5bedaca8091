//! The output of `verify` as text. It depends only on the data, so it can be kept elsewhere and compared.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use platform::store::Audited;

/// The first line.
const TITLE: &str = "multipartner verify, format 1";
const HEAD: &str = "head";
/// Stands for the hash of a record that has no event of its own.
const NO_EVENT: &str = "-";

/// The lines of the output: the head of each record, then the counts.
pub fn lines(audited: &Audited) -> Vec<String> {
    let mut lines = vec![TITLE.to_owned()];
    for (record, head) in &audited.heads {
        let hash = head.hashes.last().map_or(NO_EVENT.to_owned(), |hash| HEXLOWER.encode(hash));
        lines.push(format!("{HEAD} {record} {} {hash}", head.sequence));
    }
    let counts = audited.records.iter().map(|(kind, count)| (*kind, *count)).chain([
        ("events", audited.events),
        ("erased texts", audited.erased),
        ("deliveries, messages and notes (not checked)", audited.messages),
    ]);
    lines.extend(counts.map(|(what, count)| format!("{count} {what}")));
    lines.extend(audited.unchecked.iter().map(|what| format!("not checked: {what}")));
    lines
}

/// The sequence and the hash of a record's last event. A record without events has no hash.
pub type Head = (u64, Option<[u8; 32]>);

/// The heads of an earlier output.
///
/// # Errors
/// The first line that is not part of an output of this command.
pub fn parse(text: &str) -> Result<BTreeMap<String, Head>, String> {
    let mut lines = text.lines();
    if lines.next() != Some(TITLE) {
        return Err(format!("the first line is not \"{TITLE}\""));
    }
    let heads = lines.filter(|line| line.starts_with(HEAD));
    heads.map(|line| parse_head(line).ok_or_else(|| format!("a line is malformed: {line}"))).collect()
}

fn parse_head(line: &str) -> Option<(String, Head)> {
    let [_, record, sequence, hash] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let hash = match hash {
        NO_EVENT => None,
        hex => Some(HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()?),
    };
    Some((record.to_owned(), (sequence.parse().ok()?, hash)))
}

/// What an earlier output has, and the table no longer has.
pub fn lost(earlier: &BTreeMap<String, (u64, Option<[u8; 32]>)>, audited: &Audited) -> Vec<String> {
    let mut lost = Vec::new();
    for (record, (sequence, hash)) in earlier.iter().filter(|(record, _)| !audited.unchecked.contains(record)) {
        let Some(head) = audited.heads.get(record) else {
            lost.push(format!("{record}: it was deleted together with its events"));
            continue;
        };
        let at = usize::try_from(sequence.saturating_sub(1)).unwrap_or(usize::MAX);
        if hash.is_some() && head.hashes.get(at) != hash.as_ref() {
            lost.push(format!("{record}: event {sequence} is not the one that it had"));
        }
    }
    lost
}
