//! What an engine consists of.

use dynoxide::Database;

use super::marks::{Marked, Marks};
use super::tokens::Tokens;

/// An open database, the client request tokens in front of it, and which shards were written to. Clones share all of them.
#[derive(Clone)]
pub(super) struct Opened {
    pub database: Database,
    pub tokens: Tokens,
    pub marks: Marks,
}

impl Opened {
    pub(super) fn new(database: Database) -> Self {
        let marks = Marks::default();
        // What the database has from before.
        marks.note(&Marked::All);
        Self { database, tokens: Tokens::default(), marks }
    }
}
