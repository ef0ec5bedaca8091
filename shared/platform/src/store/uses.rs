//! Counted uses, as an attribute. A use is written on the condition that no other came meanwhile.

use super::item::{CorruptItem, ItemReader};
use super::write::Write;
use domain::{Use, Uses};

pub(super) fn read_uses(reader: &ItemReader<'_>, name: &str) -> Result<Uses, CorruptItem> {
    Ok(reader.maybe_parsed(name, Uses::parse)?.unwrap_or_default())
}

/// Adds a use to an update of the item that counts it.
pub(super) fn count_use(write: Write, name: &str, one: &Use) -> Write {
    let write = write.set("#uses = :uses").name("#uses", name).text(":uses", one.after.to_text());
    if one.before.is_empty() {
        write.and("attribute_not_exists(#uses)")
    } else {
        write.and("#uses = :used").text(":used", one.before.to_text())
    }
}
