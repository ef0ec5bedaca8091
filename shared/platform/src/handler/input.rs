//! What handlers read from a request: bodies, ids in the path, idempotency keys. The inputs of a tuple are read in order.

use domain::{EndpointId, GrantId, InvitationId, KeyId, PartnerId, SubscriptionId, TenantId};

use serde_json::Value;

use super::Context;
use crate::http_api::body::{Body, Reader, Rules, document, empty_document};
use crate::http_api::object;
use crate::http_api::shape::{self, AnyText};
use crate::http_api::{Code, Problem};

/// Something that a handler reads from a request.
pub trait Input: Sized + Send + 'static {
    /// The codes that reading it can return.
    const CODES: &'static [Code];

    /// Reads it.
    ///
    /// # Errors
    /// One of [`Self::CODES`].
    fn read(context: &Context) -> Result<Self, Problem>;

    /// Adds it to a route's description.
    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>);
}

/// The codes of a body that must be present.
const BODY_CODES: &[Code] = &[
    Code::BodyMissing,
    Code::BodyEncodingInvalid,
    Code::BodyTooLarge,
    Code::MediaTypeUnsupported,
    Code::HeaderRepeated,
    Code::JsonInvalid,
    Code::JsonTooDeep,
    Code::JsonDuplicateKey,
    Code::ValidationFailed,
];

/// The codes of a body that may be absent.
const OPTIONAL_BODY_CODES: &[Code] = &[
    Code::BodyEncodingInvalid,
    Code::BodyTooLarge,
    Code::MediaTypeUnsupported,
    Code::HeaderRepeated,
    Code::JsonInvalid,
    Code::JsonTooDeep,
    Code::JsonDuplicateKey,
    Code::ValidationFailed,
];

/// Nothing.
pub struct Nothing;

impl Input for Nothing {
    const CODES: &'static [Code] = &[];

    fn read(_: &Context) -> Result<Self, Problem> {
        Ok(Self)
    }

    #[cfg(feature = "describe")]
    fn describe(_: &mut crate::describe::Sketch<'_>) {}
}

/// A JSON body.
pub struct Json<B>(pub B);

impl<B: Body + Send + 'static> Input for Json<B> {
    const CODES: &'static [Code] = BODY_CODES;

    fn read(context: &Context) -> Result<Self, Problem> {
        let document = document(context.request.body_up_to(B::MAX_BYTES)?)?;
        object::read(document, &context.rules()).map(Self)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.body::<B>(true);
    }
}

/// A JSON body that may be absent, which means the same as `{}`.
pub struct OptionalJson<B>(pub B);

impl<B: Body + Send + 'static> Input for OptionalJson<B> {
    const CODES: &'static [Code] = OPTIONAL_BODY_CODES;

    fn read(context: &Context) -> Result<Self, Problem> {
        let request = &context.request;
        let document = if request.has_body() { document(request.body()?)? } else { empty_document() };
        object::read(document, &context.rules()).map(Self)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.body::<B>(false);
    }
}

/// An object without members.
pub struct Empty;

impl Body for Empty {
    const NAME: &'static str = "Empty";

    fn members<R: Reader>(_: &mut R, _: &Rules<'_>) -> Option<Self> {
        Some(Self)
    }
}

/// No body, or an object without members.
pub type NoMembers = OptionalJson<Empty>;

/// The `data` of a webhook with the envelope `{type, timestamp?, data}`. The envelope's time is not even read, because the signed
/// header counts.
pub struct Envelope<B>(pub B);

/// The `data` of a webhook, and its type.
pub trait WebhookData: Body {
    /// The envelope's `type`.
    const TYPE: &'static str;
    /// The name of the envelope's schema.
    const ENVELOPE: &'static str;
}

/// An envelope whose data is not read yet.
struct Outer(Value);

impl Body for Outer {
    const NAME: &'static str = "Envelope";

    fn members<R: Reader>(reader: &mut R, _: &Rules<'_>) -> Option<Self> {
        let kind = reader.required("type", AnyText);
        let _ignored = reader.unread("timestamp", false, &shape::AnyValue);
        let data = reader.required("data", shape::AnyObject);
        kind?;
        data.map(Self)
    }
}

/// An envelope as it is described.
#[cfg(feature = "describe")]
struct Described<B>(std::marker::PhantomData<B>);

#[cfg(feature = "describe")]
impl<B: WebhookData> Body for Described<B> {
    const NAME: &'static str = B::ENVELOPE;

    fn members<R: Reader>(reader: &mut R, rules: &Rules<'_>) -> Option<Self> {
        reader.required("type", shape::OneOf { all: &[B::TYPE], as_str: |kind| kind });
        let _ignored = reader.unread("timestamp", false, &shape::AnyValue);
        reader
            .required("data", crate::http_api::object::ObjectOf::<B>::new(rules))
            .map(|_| Self(std::marker::PhantomData))
    }
}

impl<B: WebhookData + Send + 'static> Input for Envelope<B> {
    const CODES: &'static [Code] =
        &[Code::JsonInvalid, Code::JsonTooDeep, Code::JsonDuplicateKey, Code::ValidationFailed, Code::EventTypeUnknown];

    fn read(context: &Context) -> Result<Self, Problem> {
        let document = document(context.request.body()?)?;
        // A wrong type says more than the errors in its data.
        if document.get("type").and_then(Value::as_str).is_some_and(|kind| kind != B::TYPE) {
            let detail = format!("This route accepts only webhooks of type `{}`.", B::TYPE);
            return Err(Problem::new(Code::EventTypeUnknown, detail));
        }
        let Outer(data) = object::read(document, &context.rules())?;
        object::read_member("data", data, &context.rules()).map(Self)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.body::<Described<B>>(true);
    }
}

/// An id in the path. A malformed id is answered like an unknown one.
pub struct Path<T>(pub T);

/// A type of ids that occur in paths.
pub trait PathId: Sized + Send + 'static {
    /// The name of the path parameter.
    const NAME: &'static str;

    /// Reads the parameter's text.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! path_ids {
    ($($id:ident = $name:literal,)*) => {$(
        impl PathId for $id {
            const NAME: &'static str = $name;

            fn parse(text: &str) -> Option<Self> {
                $id::parse(text)
            }
        }
    )*};
}

path_ids! {
    EndpointId = "endpoint_id",
    GrantId = "grant_id",
    InvitationId = "invitation_id",
    KeyId = "key_id",
    PartnerId = "partner_id",
    SubscriptionId = "subscription_id",
    TenantId = "tenant_id",
}

impl<T: PathId> Path<T> {
    /// The id, if the text in the path is one.
    pub fn parse(context: &Context) -> Option<T> {
        T::parse(context.request.path(T::NAME))
    }
}

impl<T: PathId> Input for Path<T> {
    const CODES: &'static [Code] = &[Code::NotFound];

    fn read(context: &Context) -> Result<Self, Problem> {
        Self::parse(context).map(Self).ok_or_else(Problem::not_found)
    }

    // The route's key names the parameter.
    #[cfg(feature = "describe")]
    fn describe(_: &mut crate::describe::Sketch<'_>) {}
}

/// An `Idempotency-Key` that must be present.
pub struct IdempotencyKey(pub String);

impl Input for IdempotencyKey {
    const CODES: &'static [Code] =
        &[Code::IdempotencyKeyMissing, Code::IdempotencyKeyInvalid, Code::IdempotencyKeyReused, Code::HeaderRepeated];

    fn read(context: &Context) -> Result<Self, Problem> {
        let detail =
            "The `Idempotency-Key` header is missing. Send a text of your own that is different for each new request.";
        let missing = || Problem::new(Code::IdempotencyKeyMissing, detail);
        context.request.idempotency_key()?.map(Self).ok_or_else(missing)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.idempotency_key(true);
    }
}

/// An `Idempotency-Key` that may be absent.
pub struct OptionalIdempotencyKey(pub Option<String>);

impl Input for OptionalIdempotencyKey {
    const CODES: &'static [Code] = &[Code::IdempotencyKeyInvalid, Code::IdempotencyKeyReused, Code::HeaderRepeated];

    fn read(context: &Context) -> Result<Self, Problem> {
        context.request.idempotency_key().map(Self)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.idempotency_key(false);
    }
}

/// An `Idempotency-Key` that has no effect, because the body has an id of its own. It must still be well formed.
pub struct UnneededIdempotencyKey;

impl Input for UnneededIdempotencyKey {
    const CODES: &'static [Code] = &[Code::IdempotencyKeyInvalid, Code::HeaderRepeated];

    fn read(context: &Context) -> Result<Self, Problem> {
        context.request.idempotency_key().map(|_| Self)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.idempotency_key(false);
    }
}

macro_rules! tuples {
    ($(($($input:ident),*))*) => {$(
        impl<$($input: Input),*> Input for ($($input),*) {
            const CODES: &'static [Code] = &[];

            fn read(context: &Context) -> Result<Self, Problem> {
                Ok(($($input::read(context)?),*))
            }

            #[cfg(feature = "describe")]
            fn describe(operation: &mut crate::describe::Sketch<'_>) {
                $(operation.input::<$input>();)*
            }
        }
    )*};
}

tuples! {
    (A, B)
    (A, B, C)
}
