//! What an engine consists of.

use dynoxide::Database;

use super::tokens::Tokens;

/// An open database, and the client request tokens in front of it. Clones share both.
#[derive(Clone)]
pub(super) struct Opened {
    pub database: Database,
    pub tokens: Tokens,
}

impl Opened {
    pub(super) fn new(database: Database) -> Self {
        Self { database, tokens: Tokens::default() }
    }
}
