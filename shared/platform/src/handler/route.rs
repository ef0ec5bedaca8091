//! Routes: a key as the template has it, and the handler whose signature says who calls, what is read and what is
//! returned.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::Context;
use super::answer::Answer;
use super::caller::Caller;
use super::input::Input;
use crate::http_api::{Code, Problem, Response};

/// The future of a handler.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// What a route does with the table, and so which errors of the table it can return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does not use the table.
    Computes,
    /// It reads the table.
    Reads,
    /// It reads the table, and writes one item that no other command writes. So no other item can conflict.
    WritesOwn,
    /// It reads and writes the table.
    Writes,
}

impl Effect {
    /// The codes that every route with this effect can return.
    pub fn codes(self) -> &'static [Code] {
        match self {
            Self::Computes => &[],
            Self::Reads => &[Code::Internal, Code::Throttled, Code::Deadline],
            Self::WritesOwn => {
                &[Code::Internal, Code::Throttled, Code::Deadline, Code::OutcomeUnknown, Code::IdempotencyInProgress]
            }
            Self::Writes => &[
                Code::Internal,
                Code::Throttled,
                Code::Deadline,
                Code::Contention,
                Code::OutcomeUnknown,
                Code::IdempotencyInProgress,
            ],
        }
    }
}

/// A route and its handler.
#[derive(Clone, Copy)]
pub struct Route {
    /// As the template has it: `METHOD /path/{parameter}`.
    pub key: &'static str,
    /// The media type of successful responses.
    pub media: &'static str,
    /// Serves a request.
    pub handler: fn(Context) -> HandlerFuture,
    /// Adds the route to the catalog.
    #[cfg(feature = "describe")]
    pub describe: fn(&mut crate::describe::Catalog),
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Serves a request: identifies the caller, reads the input, calls the handler, writes the answer. In this order, so that
/// a caller without rights learns nothing about its input.
pub fn serve<H, F, C, I, A>(context: Context, handler: H) -> HandlerFuture
where
    H: Fn(Context, C, I) -> F + Send + 'static,
    F: Future<Output = Result<A, Problem>> + Send,
    C: Caller,
    I: Input,
    A: Answer,
{
    Box::pin(async move {
        let caller = C::identify(&context).await?;
        let input = I::read(&context)?;
        handler(context, caller, input).await?.into_response()
    })
}

/// The media type of a handler's answers.
pub const fn media<H, F, C, I, A>(_: &H) -> &'static str
where
    H: Fn(Context, C, I) -> F,
    F: Future<Output = Result<A, Problem>>,
    A: Answer,
{
    A::MEDIA
}

/// A function's routes.
///
/// ```ignore
/// routes! {
///     /// Cancel an invitation.
///     "POST /v1/partners/{partner_id}/invitations/{invitation_id}/cancel" => cancel, writes [InvalidTransition];
/// }
/// ```
///
/// Each handler is an `async fn(Context, impl Caller, impl Input) -> Result<impl Answer, Problem>`. The first line of
/// the comment is the summary. `computes`, `reads`, `writes_own` or `writes` is the route's [`Effect`]. The list has the codes that this
/// route can return beyond those of its caller, input and effect.
#[macro_export]
macro_rules! routes {
    ($(#[doc = $summary:literal] $key:literal => $handler:expr, $effect:ident [$($code:ident),* $(,)?];)*) => {
        &[$($crate::route!($summary, $key, $handler, $effect, [$($code),*])),*]
    };
}

/// One route of [`routes!`].
#[cfg(not(feature = "describe"))]
#[macro_export]
macro_rules! route {
    ($summary:literal, $key:literal, $handler:expr, $effect:ident, [$($code:ident),*]) => {
        $crate::handler::Route {
            key: $key,
            media: $crate::handler::media(&$handler),
            handler: |context| $crate::handler::serve(context, $handler),
        }
    };
}

/// One route of [`routes!`].
#[cfg(feature = "describe")]
#[macro_export]
macro_rules! route {
    ($summary:literal, $key:literal, $handler:expr, $effect:ident, [$($code:ident),*]) => {
        $crate::handler::Route {
            key: $key,
            media: $crate::handler::media(&$handler),
            handler: |context| $crate::handler::serve(context, $handler),
            describe: |catalog| {
                let codes = &[$($crate::http_api::Code::$code),*];
                let effect = $crate::effect!($effect);
                $crate::describe::add(catalog, $crate::describe::About { key: $key, summary: $summary, effect, codes }, &$handler);
            },
        }
    };
}

/// The [`Effect`] by its word in [`routes!`].
#[doc(hidden)]
#[macro_export]
macro_rules! effect {
    (computes) => {
        $crate::handler::Effect::Computes
    };
    (reads) => {
        $crate::handler::Effect::Reads
    };
    (writes_own) => {
        $crate::handler::Effect::WritesOwn
    };
    (writes) => {
        $crate::handler::Effect::Writes
    };
}
