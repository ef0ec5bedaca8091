//! One file per command, or per group of commands.

pub mod args;
pub mod completions;
pub mod confirm;
pub mod connection;
pub mod customer;
pub mod dynamodb;
pub mod endpoint;
mod entries;
pub mod events;
pub mod export;
mod follow;
pub mod grant;
mod host;
pub mod import;
pub mod invitation;
pub mod invite;
pub mod key;
pub mod keygen;
pub mod listen;
pub mod open;
pub mod partner;
pub mod policy;
pub mod profile;
pub mod relationship;
mod rows;
pub mod serve;
pub mod session;
pub mod sign_in;
pub mod subscription;
mod tail;
#[cfg(test)]
mod tests;
pub mod verify;
pub mod webhook;
pub mod whoami;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::exit::UsageError;

/// Why a command failed. `exit` knows what it means.
pub type Failure = Box<dyn std::error::Error>;

pub type Done = Result<(), Failure>;

/// The members of a change, in which `null` removes a value.
pub struct Clear;

impl Clear {
    /// The arguments that are given, and null for each member that an option clears.
    pub fn members<T: Serialize>(arguments: &T, cleared: &[(&str, bool)]) -> Result<Map<String, Value>, Failure> {
        let mut members = match session::body(arguments)? {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.extend(cleared.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| ((*name).to_owned(), Value::Null)));
        Ok(members)
    }

    /// As [`Clear::members`], with at least one.
    pub fn of<T: Serialize>(arguments: &T, cleared: &[(&str, bool)]) -> Result<Value, Failure> {
        let members = Self::members(arguments, cleared)?;
        if members.is_empty() {
            return Err(UsageError("name what to change; --help lists the options".to_owned()).into());
        }
        Ok(members.into())
    }
}
