//! The table.
//!
//! - `keys`: every key; `schema`: the table; `item`, `write`, `transact`, `read`: the frame around every call
//! - a file per aggregate says how its items are written and read: `tenant`, `partner`, `access_key`, `invitation`,
//!   `relationship`, `grant`, `subscription`, `event`, `endpoint`, `delivery`; `outbox` is what waits to be published
//!   or needs a ticket
//! - a file per command on several of them is its transaction: `create`, `answer`, `renew`, `end`, `due`
//! - a new access pattern is a query in `page` (lists) or beside the aggregate it reads
//!
//! What writes is closed to the outside: a function can only do what a method here does.

mod access_key;
mod answer;
mod audit;
mod cache;
mod change;
pub mod client;
mod create;
mod cursor;
mod delivery;
mod due;
mod end;
mod endpoint;
mod error;
mod event;
mod grant;
mod invitation;
mod item;
pub mod keys;
mod outbox;
mod page;
mod partner;
mod read;
mod relationship;
mod renew;
mod retry;
pub mod schema;
mod secrets;
mod subscription;
mod tenant;
mod terms;
mod transact;
mod write;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use answer::{Answered, InvitationChange};
pub use audit::{Audit, AuditError, Audited};
pub use change::Registered;
pub use create::Created;
pub use delivery::{DeliveryPage, Health, Settled};
pub use due::{Due, DuePage};
pub use end::Ended;
pub use endpoint::{EndpointChange, EndpointCreated};
pub use error::StoreError;
pub use item::{CorruptItem, Item, SCHEMA};
pub use outbox::{Marked, OutboxPage, Outgoing, Waiting};
pub use page::{List, Page, PageError, PageRequest};
pub use partner::Enrolled;
pub use renew::Renewed;
pub use retry::{Step, retry_on_change};
pub use subscription::Registering;
pub use terms::{CustomerRequirements, TenantRefusal};

use self::cache::Cache;
use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::random::Random;
use domain::{AccessKey, KeyId, Partner, PartnerId, TenantId, Timestamp};

/// Twins of a request may change an item between reading and writing it. It is read again this often at most; then
/// [`StoreError::Contention`] is the answer.
pub const TRIES: usize = 3;

/// The time of a request's decisions, and when to give up.
#[derive(Clone, Copy, Debug)]
pub struct OpContext {
    /// The time every write of this request carries.
    pub occurred_at: Timestamp,
    /// When to give up.
    pub deadline: Deadline,
}

/// The table and what is remembered of it.
pub struct Store {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    partners: Cache<PartnerId, Partner>,
    tenant_names: Cache<TenantId, String>,
    keys: Cache<KeyId, AccessKey>,
}

impl Store {
    /// A store over a client.
    pub fn new(client: Client, table: String, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            client,
            table,
            clock,
            random,
            partners: Cache::default(),
            tenant_names: Cache::default(),
            keys: Cache::default(),
        }
    }
}
