//! Cursors: where a list continues. A cursor is bound to its caller, list and filter. It does not contain the partition,
//! which always comes from the caller, so a forged cursor cannot show another caller's data.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::error::PageError;
use super::item::{Item, text, text_of};
use super::keys::{self, ItemKind, Key};
use super::query::Index;
use domain::{Timestamp, digest};

/// More bytes than any key of the table has, and no more than DynamoDB allows.
const LONGEST: usize = 1_024;

/// One list as one caller sees it.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) index: Index,
    /// The partition; of a sharded list, what its partitions begin with.
    pub(super) partition: String,
    pub(super) is_sharded: bool,
    /// The prefix of the list's entries.
    pub(super) prefix: String,
    /// Caller, list and filter as text.
    pub(super) binding: String,
}

impl Scope {
    /// The position of an item, as a query's start key.
    pub(super) fn position_of(&self, item: &Item) -> Item {
        let names = [keys::PK, keys::SK, self.index.pk, self.index.sk];
        names.iter().filter_map(|name| item.get(*name).map(|value| ((*name).to_owned(), value.clone()))).collect()
    }

    /// The list's entry at a position.
    pub(super) fn entry<'a>(&self, position: &'a Item) -> &'a str {
        text_of(position, self.index.sk).unwrap_or_default()
    }

    /// The partition of a shard. A list that is not sharded has only shard 0.
    pub(super) fn shard(&self, number: u8) -> String {
        if self.is_sharded { format!("{}{number}", self.partition) } else { self.partition.clone() }
    }

    /// The shard of a position; `None` if it is in none.
    pub(super) fn shard_of(&self, position: &Item) -> Option<u8> {
        let partition = text_of(position, self.index.pk)?;
        if self.is_sharded { keys::parse_shard(&self.partition, partition) } else { Some(0) }
    }

    /// The time of a position's entry, in the lists whose entries are a kind and a time.
    pub(super) fn time_of(&self, position: &Item) -> Option<Timestamp> {
        Timestamp::parse_sortable(self.entry(position).strip_prefix(&self.prefix)?)
    }

    /// The entry of a time in these lists.
    pub(super) fn entry_at(&self, at: Timestamp) -> String {
        format!("{}{}", self.prefix, at.sortable())
    }

    /// A position as a cursor: `[check, pk, sk, listed, shard]` in base64url.
    pub(super) fn encode(&self, position: &Item) -> String {
        let part = |name: &str| text_of(position, name).unwrap_or_default().to_owned();
        let shard = self.shard_of(position).unwrap_or_default().to_string();
        let parts = [part(keys::PK), part(keys::SK), part(self.index.sk), shard];
        let check = self.check(&parts);
        BASE64URL_NOPAD.encode(json!([check, parts[0], parts[1], parts[2], parts[3]]).to_string().as_bytes())
    }

    /// # Errors
    /// [`PageError::Cursor`] if the cursor is damaged or belongs to another scope.
    pub(super) fn decode(&self, cursor: &str) -> Result<Item, PageError> {
        let read = || {
            let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
            let parts: Vec<String> = serde_json::from_slice(&bytes).ok()?;
            let [check, rest @ ..] = <[String; 5]>::try_from(parts).ok()?;
            (check == self.check(&rest) && self.is_position(&rest[0], &rest[1], &rest[2])).then_some(rest)
        };
        let [pk, sk, listed, shard] = read().ok_or(PageError::Cursor)?;
        let partition = self.shard(keys::parse_shard_number(&shard).ok_or(PageError::Cursor)?);
        let named = [(keys::PK, pk), (keys::SK, sk), (self.index.pk, partition), (self.index.sk, listed)];
        let position: Item = named.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
        let is_possible = !self.is_sharded || (self.shard_of(&position).is_some() && self.time_of(&position).is_some());
        if is_possible { Ok(position) } else { Err(PageError::Cursor) }
    }

    /// Whether an item with this key can be in the list with this entry. The check value is not secret, so anyone can compute it
    /// for a position that the table would reject.
    fn is_position(&self, pk: &str, sk: &str, listed: &str) -> bool {
        let key = Key { pk: pk.to_owned(), sk: sk.to_owned() };
        let is_listed = listed.starts_with(&self.prefix) && listed < format!("{}~", self.prefix).as_str();
        let is_key = !sk.is_empty() && key.kind() != ItemKind::Other;
        is_listed && is_key && [pk, sk, listed].iter().all(|part| part.len() <= LONGEST)
    }

    fn check(&self, parts: &[String; 4]) -> String {
        let binding = [self.partition.as_bytes(), self.binding.as_bytes()];
        let parts = parts.each_ref().map(|part| part.as_bytes());
        let hash = digest("cursor", &[binding[0], binding[1], parts[0], parts[1], parts[2], parts[3]]);
        BASE64URL_NOPAD.encode(&hash[..12])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(binding: &str) -> Scope {
        let (partition, prefix, binding) = ("PARTNER#p".into(), "P".into(), binding.into());
        Scope { index: Index::PARTNER, partition, is_sharded: false, prefix, binding }
    }

    #[test]
    fn a_cursor_is_valid_only_unchanged_and_in_its_own_scope() {
        let scope_a = scope("a");
        let names = [keys::PK, keys::SK, keys::GSI1_PK, keys::LISTED];
        let item: Item = names.iter().map(|name| ((*name).to_owned(), text("PARTNER#p"))).collect();
        let cursor = scope_a.encode(&scope_a.position_of(&item));
        assert_eq!(scope_a.decode(&cursor).unwrap(), item);
        assert!(scope("b").decode(&cursor).is_err());
        assert!(Scope { partition: "PARTNER#q".into(), ..scope("a") }.decode(&cursor).is_err());
        for cut in 0..cursor.len() {
            assert!(scope_a.decode(&cursor[..cut]).is_err());
        }
        let forged = BASE64URL_NOPAD.encode(json!(["x", "y", "z", "w", "0"]).to_string().as_bytes());
        assert!(scope_a.decode(&forged).is_err());
    }

    #[test]
    fn a_cursor_of_a_sharded_list_names_one_of_its_shards_and_a_time() {
        let scope = Scope { partition: "OPERATOR#EVENT#".into(), is_sharded: true, prefix: "P#".into(), ..scope("a") };
        let position = |shard: &str, listed: &str| -> Item {
            let named =
                [(keys::PK, "INVITATION#i"), (keys::SK, "INVITATION"), (keys::GSI1_PK, shard), (keys::LISTED, listed)];
            named.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
        };
        let right = position("OPERATOR#EVENT#31", "P#1795369200123");
        assert_eq!(scope.decode(&scope.encode(&right)).unwrap(), right);
        for (shard, listed) in
            [("32", "P#1795369200123"), ("+1", "P#1795369200123"), ("", "P#1795369200123"), ("0", "P#x")]
        {
            let parts = ["INVITATION#i", "INVITATION", listed, shard].map(str::to_owned);
            let check = scope.check(&parts);
            let forged = json!([check, parts[0], parts[1], parts[2], parts[3]]).to_string();
            assert!(scope.decode(&BASE64URL_NOPAD.encode(forged.as_bytes())).is_err(), "{shard} {listed}");
        }
    }

    /// The table answers these positions with an error of its own.
    #[test]
    fn a_cursor_with_a_right_check_value_and_an_impossible_position_is_invalid() {
        let scope = scope("a");
        let right = ["INVITATION#i", "INVITATION", "P#1"];
        let decode = |parts: [&str; 3]| {
            let parts = [parts[0], parts[1], parts[2], "0"].map(str::to_owned);
            let forged = json!([scope.check(&parts), parts[0], parts[1], parts[2], parts[3]]).to_string();
            scope.decode(&BASE64URL_NOPAD.encode(forged.as_bytes()))
        };
        assert!(decode(right).is_ok());
        let long = format!("INVITATION#{}", "x".repeat(LONGEST));
        let entry = format!("P#{}", "x".repeat(LONGEST));
        for (part, wrong) in [
            (0, ""),
            (0, "x"),
            (0, "\u{0}"),
            (0, long.as_str()),
            (1, ""),
            (1, long.as_str()),
            (2, ""),
            (2, "Q"),
            (2, "P~"),
            (2, entry.as_str()),
        ] {
            let mut parts = right;
            parts[part] = wrong;
            assert!(decode(parts).is_err(), "{part}: {wrong}");
        }
        assert!(decode(["CUSTOMER#c", "", "P#1"]).is_err());
    }
}
