//! Personal texts must have the digests that the events have, unless they were erased.

use std::collections::BTreeMap;

use super::super::item::{Item, text_of};
use super::super::state::{PERSONAL, salt_of};
use super::found::Record;
use super::report::Problem;
use domain::{AcceptedBy, EventType, StateDigest, text_digest};

/// Reports each text that was changed. Returns the number of texts that were erased.
pub(super) fn check(record: &Record, report: &mut impl FnMut(Problem)) -> usize {
    let Some(item) = &record.item else { return 0 };
    let written = written(record);
    let texts = PERSONAL.iter().map(|name| (*name, state_of_text(item, name, written.get(*name))));
    let mut erased = 0;
    for (name, state) in texts.chain([("accepted_by", state_of_accepter(record, item))]) {
        match state {
            Text::Written => {}
            Text::Changed => report(Problem::Text(name)),
            Text::Erased => erased += 1,
        }
    }
    erased
}

enum Text {
    /// It is the one that was written last, or there is none and none was written.
    Written,
    Changed,
    /// It was written, and erased together with its salt.
    Erased,
}

/// What the last event about a text did.
#[derive(Clone, Copy)]
enum Last {
    Wrote(StateDigest),
    Removed,
    Erased,
}

fn written(record: &Record) -> BTreeMap<&str, Last> {
    let mut written = BTreeMap::new();
    for event in record.events() {
        if event.event_type == EventType::InvitationErased {
            // A text that was removed before was not erased.
            let left = written.values_mut().filter(|last| !matches!(last, Last::Removed));
            left.for_each(|last| *last = Last::Erased);
        }
        let texts = event.state.texts.iter();
        written.extend(texts.map(|(name, digest)| (name.as_str(), digest.map_or(Last::Removed, Last::Wrote))));
    }
    written
}

fn state_of_text(item: &Item, name: &str, last: Option<&Last>) -> Text {
    let text = item.get(name).map(|_| text_of(item, name).unwrap_or_default());
    match (last, text, salt_of(item)) {
        (None | Some(Last::Removed), None, _) => Text::Written,
        (Some(Last::Erased), None, _) | (Some(Last::Wrote(_)), None, None) => Text::Erased,
        (Some(Last::Wrote(digest)), Some(text), Some(salt)) if text_digest(&salt, name, text) == *digest => {
            Text::Written
        }
        _ => Text::Changed,
    }
}

/// The name and email of the person who accepted have a salt of their own.
fn state_of_accepter(record: &Record, item: &Item) -> Text {
    let said = record.events().rev().find_map(|event| event.data.get("accepted_by"));
    let [name, email] = ["by_name", "by_email"].map(|name| text_of(item, name));
    let salt = item.get("by_salt").and_then(|salt| salt.as_b().ok()?.as_ref().try_into().ok());
    match (name, email, salt, said) {
        (None, None, None, None) => Text::Written,
        (None, None, None, Some(_)) => Text::Erased,
        (Some(name), Some(email), Some(salt), Some(said)) => {
            let person = AcceptedBy { name: name.to_owned(), email: email.to_owned(), salt };
            if *said == person.digest() { Text::Written } else { Text::Changed }
        }
        _ => Text::Changed,
    }
}
