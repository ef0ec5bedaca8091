//! What handlers return. The type says the status and the headers; the view in it says the body.

use crate::http_api::{Code, Problem, Response, SET_COOKIE};

/// The body of a response: it can be written, and with feature `describe` it can be described.
#[cfg(not(feature = "describe"))]
pub trait View: serde::Serialize + Send + 'static {}

/// The body of a response: it can be written, and it can be described.
#[cfg(feature = "describe")]
pub trait View: serde::Serialize + schemars::JsonSchema + Send + 'static {}

#[cfg(not(feature = "describe"))]
impl<V: serde::Serialize + Send + 'static> View for V {}

#[cfg(feature = "describe")]
impl<V: serde::Serialize + schemars::JsonSchema + Send + 'static> View for V {}

/// What a handler returns when it succeeds.
pub trait Answer: Send + 'static {
    /// The media type.
    const MEDIA: &'static str = "application/json";

    /// The response.
    ///
    /// # Errors
    /// 500 `internal` if it cannot be written.
    fn into_response(self) -> Result<Response, Problem>;

    /// Adds the responses to a route's description.
    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>);
}

/// Marks a response as a replay of an earlier one.
pub const REPLAYED: &str = "idempotent-replayed";

/// 200 with a view.
pub struct Found<V>(pub V);

/// 200 with a view, the same whether or not this request changed something.
pub struct Replayable<V> {
    view: V,
    replayed: bool,
}

impl<V> Replayable<V> {
    /// `replayed` says whether an earlier request did it.
    pub fn new(view: V, replayed: bool) -> Self {
        Self { view, replayed }
    }

    /// This request did it.
    pub fn done(view: V) -> Self {
        Self { view, replayed: false }
    }

    /// An earlier request did it.
    pub fn replayed(view: V) -> Self {
        Self { view, replayed: true }
    }
}

/// 201 with a view, also when the request is repeated.
pub struct Created<V> {
    view: V,
    location: Option<String>,
    replayed: bool,
}

impl<V> Created<V> {
    /// This request created it.
    pub fn new(view: V) -> Self {
        Self { view, location: None, replayed: false }
    }

    /// An earlier request created it.
    pub fn replayed(view: V) -> Self {
        Self { view, location: None, replayed: true }
    }
}

/// [`Created`], with the `location` of what was created.
pub struct CreatedAt<V>(Created<V>);

impl<V> CreatedAt<V> {
    /// Adds the path of what was created.
    pub fn new(created: Created<V>, location: String) -> Self {
        Self(Created { location: Some(location), ..created })
    }
}

/// 201 with a view the first time, 200 when the request is repeated.
pub struct CreatedOnce<V>(Created<V>);

impl<V> CreatedOnce<V> {
    /// This request created it.
    pub fn new(view: V) -> Self {
        Self(Created::new(view))
    }

    /// An earlier request created it.
    pub fn replayed(view: V) -> Self {
        Self(Created::replayed(view))
    }

    /// Adds the `location` of what was created.
    pub fn at(self, location: String) -> CreatedOnceAt<V> {
        CreatedOnceAt(Created { location: Some(location), ..self.0 })
    }
}

/// [`CreatedOnce`], with the `location` of what was created.
pub struct CreatedOnceAt<V>(Created<V>);

/// A view with a certain status, and `Set-Cookie` headers.
pub struct WithCookies<V, const STATUS: u16> {
    pub view: V,
    pub cookies: Vec<String>,
}

/// 202 with a view: what was asked for happens soon.
pub struct Queued<V>(pub V);

/// 200 with a document that is not JSON, or is JSON by itself.
pub struct Html(pub Response);

/// Nothing: the route only returns problems.
pub enum Never {}

fn respond(status: u16, view: &impl View, replayed: bool, location: Option<String>) -> Result<Response, Problem> {
    let mut response = Response::json(status, view)?;
    if let Some(location) = location {
        response = response.with_header("location", location);
    }
    Ok(if replayed { response.with_header(REPLAYED, "true") } else { response })
}

impl<V: View> Answer for Found<V> {
    fn into_response(self) -> Result<Response, Problem> {
        respond(200, &self.0, false, None)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.response::<V>(200, &[]);
    }
}

impl<V: View, const STATUS: u16> Answer for WithCookies<V, STATUS> {
    fn into_response(self) -> Result<Response, Problem> {
        let response = respond(STATUS, &self.view, false, None)?;
        Ok(self.cookies.into_iter().fold(response, |response, cookie| response.with_header(SET_COOKIE, cookie)))
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.response::<V>(STATUS, &[SET_COOKIE]);
    }
}

impl<V: View> Answer for Replayable<V> {
    fn into_response(self) -> Result<Response, Problem> {
        respond(200, &self.view, self.replayed, None)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.response::<V>(200, &[REPLAYED]);
    }
}

impl<V: View> Answer for Created<V> {
    fn into_response(self) -> Result<Response, Problem> {
        respond(201, &self.view, self.replayed, self.location)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.response::<V>(201, &[REPLAYED]);
    }
}

impl<V: View> Answer for CreatedAt<V> {
    fn into_response(self) -> Result<Response, Problem> {
        self.0.into_response()
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.response::<V>(201, &["location", REPLAYED]);
    }
}

fn once<V: View>(created: Created<V>) -> Result<Response, Problem> {
    let status = if created.replayed { 200 } else { 201 };
    respond(status, &created.view, created.replayed, created.location)
}

impl<V: View> Answer for CreatedOnce<V> {
    fn into_response(self) -> Result<Response, Problem> {
        once(self.0)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.response::<V>(201, &[]);
        operation.response::<V>(200, &[REPLAYED]);
    }
}

impl<V: View> Answer for CreatedOnceAt<V> {
    fn into_response(self) -> Result<Response, Problem> {
        once(self.0)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.response::<V>(201, &["location"]);
        operation.response::<V>(200, &["location", REPLAYED]);
    }
}

impl<V: View> Answer for Queued<V> {
    fn into_response(self) -> Result<Response, Problem> {
        respond(202, &self.0, false, None)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.response::<V>(202, &[]);
    }
}

impl Answer for Html {
    const MEDIA: &'static str = "text/html";

    fn into_response(self) -> Result<Response, Problem> {
        Ok(self.0)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.document(Self::MEDIA);
    }
}

/// 200 with a JSON document that was written before.
pub struct JsonDocument(pub Response);

impl Answer for JsonDocument {
    fn into_response(self) -> Result<Response, Problem> {
        Ok(self.0)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.document(Self::MEDIA);
    }
}

/// 200 with a file of a page. Its media type depends on the file.
pub struct Asset(pub Response);

impl Answer for Asset {
    const MEDIA: &'static str = "*/*";

    fn into_response(self) -> Result<Response, Problem> {
        Ok(self.0)
    }

    #[cfg(feature = "describe")]
    fn describe(operation: &mut crate::describe::Sketch<'_>) {
        operation.document(Self::MEDIA);
    }
}

impl Answer for Never {
    fn into_response(self) -> Result<Response, Problem> {
        match self {}
    }

    #[cfg(feature = "describe")]
    fn describe(_: &mut crate::describe::Sketch<'_>) {}
}

/// The codes that only the boundary returns, for every route.
pub const BOUNDARY_CODES: &[Code] = &[Code::EventMalformed, Code::NotAcceptable];
