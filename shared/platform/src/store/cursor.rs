//! Cursors: where a list continues. A cursor is bound to its caller, list and filter. It does not contain the partition,
//! which always comes from the caller, so a forged cursor cannot show another caller's data.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::error::PageError;
use super::item::{Item, text, text_of};
use super::keys;
use super::query::Index;
use domain::digest;

/// One list as one caller sees it.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) index: Index,
    pub(super) partition: String,
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

    /// A position as a cursor: `[check, pk, sk, listed]` in base64url.
    pub(super) fn encode(&self, position: &Item) -> String {
        let part = |name: &str| text_of(position, name).unwrap_or_default().to_owned();
        let parts = [part(keys::PK), part(keys::SK), part(self.index.sk)];
        let check = self.check(&parts);
        BASE64URL_NOPAD.encode(json!([check, parts[0], parts[1], parts[2]]).to_string().as_bytes())
    }

    /// # Errors
    /// [`PageError::Cursor`] if the cursor is damaged or belongs to another scope.
    pub(super) fn decode(&self, cursor: &str) -> Result<Item, PageError> {
        let read = || {
            let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
            let parts: Vec<String> = serde_json::from_slice(&bytes).ok()?;
            let [check, rest @ ..] = <[String; 4]>::try_from(parts).ok()?;
            (check == self.check(&rest) && rest[2].starts_with(&self.prefix)).then_some(rest)
        };
        let [pk, sk, listed] = read().ok_or(PageError::Cursor)?;
        let partition = self.partition.clone();
        let named = [(keys::PK, pk), (keys::SK, sk), (self.index.pk, partition), (self.index.sk, listed)];
        Ok(named.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect())
    }

    fn check(&self, parts: &[String; 3]) -> String {
        let binding = [self.partition.as_bytes(), self.binding.as_bytes()];
        let parts = parts.each_ref().map(|part| part.as_bytes());
        let hash = digest("cursor", &[binding[0], binding[1], parts[0], parts[1], parts[2]]);
        BASE64URL_NOPAD.encode(&hash[..12])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(binding: &str) -> Scope {
        Scope { index: Index::PARTNER, partition: "PARTNER#p".into(), prefix: "P".into(), binding: binding.into() }
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
        let forged = BASE64URL_NOPAD.encode(json!(["x", "y", "z", "w"]).to_string().as_bytes());
        assert!(scope_a.decode(&forged).is_err());
    }
}
