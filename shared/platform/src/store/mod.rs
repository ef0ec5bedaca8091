//! The table.
//!
//! - `keys`: every key; `schema`: the table; `item`, `write`, `transact`, `retry`, `read`, `query`: the basis of every call
//! - one file per kind of item says how it is written and read: `tenant`, `partner`, `access_key`, `session`,
//!   `invitation`, `relationship`, `grant`, `subscription`, `event`, `endpoint`, `delivery`; `outbox` finds what waits to be published or
//!   needs a ticket; `record` ties an event to the change it describes; `state` says what belongs to a record
//! - one file per command on several items is its transaction: `create`, `answer`, `renew`, `batch`, `import`, `end`, `narrow`,
//!   `due`; `erase` removes personal texts
//! - a new access pattern is a query in `page`, `feed`, `relationships` or `grants` (lists), or in the file of the item it reads
//!
//! Writes are private to this module: a function can only call the methods here.

mod access_key;
mod answer;
mod audit;
mod backoff;
mod batch;
mod cache;
mod change;
pub mod client;
mod create;
mod cursor;
mod customer;
mod delivery;
mod due;
mod end;
mod endpoint;
mod endpoint_list;
mod erase;
mod error;
mod event;
mod feed;
mod grant;
mod grants;
mod import;
mod invitation;
mod item;
pub mod keys;
mod list;
mod master_key;
mod narrow;
mod op_context;
mod outbox;
mod page;
mod partner;
mod preview;
mod query;
mod read;
mod record;
mod relationship;
mod relationships;
mod release;
mod renew;
mod retry;
pub mod schema;
mod secrets;
mod session;
mod session_tenant;
mod shards;
mod state;
mod subject;
mod subscription;
mod table;
mod tenant;
mod transact;
mod uses;
mod write;

pub use aws_sdk_dynamodb::Client;

pub use answer::{Answered, InvitationChange};
pub use audit::{Audit, AuditError, Audited, Fault, Head, Problem};
pub use batch::{Batch, Blocked, InBatch};
pub use change::Registered;
pub use create::Created;
pub use customer::{CustomerRequirements, TenantRefusal};
pub use delivery::{DeliveryPage, Health, Incoming, Resent, Settled};
pub use due::{Due, DuePage};
pub use end::Ended;
pub use endpoint::{EndpointChange, EndpointCreated, EndpointLimits};
pub use error::{PageError, StoreError};
pub use grants::{GrantFilter, GrantRow};
pub use import::Imported;
pub use item::{CorruptItem, Item, SCHEMA};
pub use list::{List, Page, PageRequest};
pub use master_key::Confirmed;
pub use op_context::OpContext;
pub use outbox::{Marked, OutboxPage, Outgoing, Waiting};
pub use partner::Enrolled;
pub use preview::Parties;
pub use renew::Renewed;
pub use retry::{Step, retry_on_change};
pub use session_tenant::SessionTenant;
pub use subject::EventSubject;
pub use subscription::Registering;
pub use table::Store;
