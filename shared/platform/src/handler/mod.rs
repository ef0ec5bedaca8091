//! What handlers are made of: callers, inputs and answers, which their signatures name.
//!
//! - [`Caller`]: who calls, and whether it may
//! - [`Input`]: what is read from the request
//! - [`Answer`]: what is returned, as a view
//! - [`routes!`](crate::routes): the table of a function's routes

mod answer;
mod app;
mod caller;
mod context;
mod from_store;
mod input;
pub mod list;
mod operating;
mod own_page;
mod rotation;
mod route;
mod signed_in;
pub mod views;

pub use answer::{
    Answer, Asset, BOUNDARY_CODES, Created, CreatedAt, CreatedOnce, CreatedOnceAt, Found, Html, JsonDocument, Never,
    Queued, REPLAYED, Replayable, View, WithCookies,
};
pub use app::{App, EndpointRules};
pub use caller::{
    ActingPartner, Anyone, Caller, Credential, CustomerKey, KeyHolder, KeyOrSession, LinkHolder, Operator, Owning,
    PartnerKey, Permission, Reading, ReadingCustomer, ReadingPartner, SignedWebhook, permission,
};
pub use context::Context;
pub use input::{
    Empty, Envelope, IdempotencyKey, Input, Json, NoMembers, Nothing, OptionalIdempotencyKey, OptionalJson, Path,
    PathId, UnneededIdempotencyKey, WebhookData,
};
pub use list::{All, Filter, ListQuery, QueryReader};
pub use operating::{CustomerOrOperator, PartnerOrOperator};
pub use own_page::OwnPage;
pub use rotation::{Rotation, RotationBody};
pub use route::{Effect, HandlerFuture, Route, media, serve};
pub use signed_in::SignedIn;
