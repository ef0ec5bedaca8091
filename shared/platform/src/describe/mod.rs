//! What the routes say about themselves: the catalog from which the API's documentation is written. Only crate `tests`
//! turns the feature on; no function contains this.

mod schemas;

use std::collections::BTreeSet;
use std::future::Future;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::handler::{Answer, BOUNDARY_CODES, Caller, Context, Effect, Input, QueryReader};
use crate::http_api::body::{Body, Rules};
use crate::http_api::schemas::Schemas;
use crate::http_api::sketch;
use crate::http_api::{Code, InvalidField, Problem};

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// It does not, or by a token in the body.
    None,
    /// By an access key.
    Key,
    /// By an access key, or by the cookie of a session.
    KeyOrSession,
    /// By cookies, from a page of this deployment.
    Browser,
    /// By a signed webhook.
    Signature,
}

/// A parameter in the query or in a header. Parameters in the path are in the route's key.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// `query` or `header`.
    pub place: &'static str,
    /// Whether it must be present.
    pub required: bool,
    /// What it is, for a person.
    pub about: String,
    /// Its JSON Schema.
    pub schema: Value,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub struct RequestBody {
    /// Whether it must be present.
    pub required: bool,
    /// Its JSON Schema.
    pub schema: Value,
}

/// A successful response.
#[derive(Clone, Debug)]
pub struct ResponseBody {
    /// The status.
    pub status: u16,
    /// The media type.
    pub media: &'static str,
    /// The JSON Schema of the body, if it is described.
    pub schema: Option<Value>,
    /// Its own headers.
    pub headers: &'static [&'static str],
}

/// One route.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `METHOD /path/{parameter}`
    pub key: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// How the caller proves who it is.
    pub security: Security,
    /// What it does with the table.
    pub effect: Effect,
    /// Parameters in the query and in headers.
    pub parameters: Vec<Parameter>,
    /// The body, if there is one.
    pub body: Option<RequestBody>,
    /// The successful responses.
    pub responses: Vec<ResponseBody>,
    /// Every code that it can return.
    pub codes: BTreeSet<Code>,
}

/// Every route, and the named schemas.
pub struct Catalog {
    /// The routes, in the order in which they were added.
    pub operations: Vec<Operation>,
    bodies: Schemas,
    views: SchemaGenerator,
    policy: domain::Policy,
    now: domain::Timestamp,
}

impl Catalog {
    /// An empty catalog. The limits are those of the policy at this time.
    pub fn new(policy: domain::Policy, now: domain::Timestamp) -> Self {
        Self { operations: Vec::new(), bodies: Schemas::default(), views: schemas::generator(), policy, now }
    }

    /// The schema of another type, for example of a problem.
    pub fn schema<T: JsonSchema>(&mut self) -> Value {
        self.views.subschema_for::<T>().to_value()
    }

    /// The named schemas, of bodies and views.
    ///
    /// # Errors
    /// A name that both use.
    pub fn schemas(mut self) -> Result<Map<String, Value>, String> {
        let mut schemas = self.views.take_definitions(true);
        for (name, schema) in self.bodies.0 {
            if schemas.insert(name.clone(), schema).is_some() {
                return Err(format!("two schemas are named {name}"));
            }
        }
        Ok(schemas)
    }
}

/// What a route says in addition to its handler's signature.
pub struct About {
    /// Its key.
    pub key: &'static str,
    /// Its summary.
    pub summary: &'static str,
    /// What it does with the table.
    pub effect: Effect,
    /// Its own codes.
    pub codes: &'static [Code],
}

/// Adds a route.
pub fn add<H, F, C, I, A>(catalog: &mut Catalog, about: About, _: &H)
where
    H: Fn(Context, C, I) -> F,
    F: Future<Output = Result<A, Problem>>,
    C: Caller,
    I: Input,
    A: Answer,
{
    let operation = Operation {
        key: about.key,
        summary: about.summary.trim(),
        security: C::security(),
        effect: about.effect,
        parameters: Vec::new(),
        body: None,
        responses: Vec::new(),
        codes: BTreeSet::new(),
    };
    let mut sketch = Sketch { catalog, operation };
    sketch.codes(C::CODES);
    if C::security() == Security::KeyOrSession && !about.key.starts_with("GET ") {
        sketch.codes(&[Code::CsrfRefused]);
    }
    sketch.input::<I>();
    sketch.codes(about.effect.codes());
    sketch.codes(about.codes);
    sketch.codes(BOUNDARY_CODES);
    A::describe(&mut sketch);
    let operation = sketch.operation;
    catalog.operations.push(operation);
}

/// A route that is being described.
pub struct Sketch<'a> {
    catalog: &'a mut Catalog,
    operation: Operation,
}

impl Sketch<'_> {
    fn codes(&mut self, codes: &[Code]) {
        self.operation.codes.extend(codes);
    }

    /// Adds an input.
    pub fn input<I: Input>(&mut self) {
        self.codes(I::CODES);
        I::describe(self);
    }

    /// Adds a body.
    pub fn body<B: Body>(&mut self, required: bool) {
        let Catalog { bodies, policy, now, .. } = &mut *self.catalog;
        let rules = Rules { policy: policy.at(*now), now: *now };
        let schema = sketch::describe::<B>(bodies, &rules);
        self.operation.body = Some(RequestBody { required, schema });
    }

    /// Adds an `Idempotency-Key`.
    pub fn idempotency_key(&mut self, required: bool) {
        self.operation.parameters.push(Parameter {
            name: "Idempotency-Key",
            place: "header",
            required,
            about: "A text of your own. A request with the same key and the same content returns the first response."
                .into(),
            schema: json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-+\\--~]+$"}),
        });
    }

    /// The reader of a list's filters.
    pub fn query(&mut self) -> Parameters<'_> {
        Parameters(&mut self.operation.parameters)
    }

    /// Adds `limit` and `cursor`.
    pub fn page_parameters(&mut self) {
        let limits = &self.catalog.policy.at(self.catalog.now).limits;
        let (most, usual) = (limits.page_max, limits.page_default);
        self.operation.parameters.push(Parameter {
            name: "limit",
            place: "query",
            required: false,
            about: "The largest number of items on the page.".into(),
            schema: json!({"type": "integer", "minimum": 1, "maximum": most, "default": usual}),
        });
        self.operation.parameters.push(Parameter {
            name: "cursor",
            place: "query",
            required: false,
            about: "The `next_cursor` of the page before, unchanged, with the same filters.".into(),
            schema: json!({"type": "string"}),
        });
    }

    /// Adds a successful response.
    pub fn response<V: JsonSchema>(&mut self, status: u16, headers: &'static [&'static str]) {
        let schema = Some(self.catalog.schema::<V>());
        self.operation.responses.push(ResponseBody { status, media: "application/json", schema, headers });
    }

    /// Adds a response whose body is a document.
    pub fn document(&mut self, media: &'static str) {
        self.operation.responses.push(ResponseBody { status: 200, media, schema: None, headers: &[] });
    }
}

/// Writes down the filters of a list.
pub struct Parameters<'a>(&'a mut Vec<Parameter>);

impl Parameters<'_> {
    fn push(&mut self, name: &'static str, about: &str, schema: Value) {
        self.0.push(Parameter { name, place: "query", required: false, about: about.to_owned(), schema });
    }
}

impl QueryReader for Parameters<'_> {
    fn word<T: Copy>(
        &mut self,
        name: &'static str,
        about: &'static str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let words: Vec<_> = all.iter().map(|word| as_str(*word)).collect();
        self.push(name, about, json!({"type": "string", "enum": words}));
        None
    }

    fn text<T>(
        &mut self,
        name: &'static str,
        about: &'static str,
        _: &'static str,
        _: fn(&str) -> Option<T>,
    ) -> Option<T> {
        self.push(name, about, json!({"type": "string"}));
        None
    }

    fn invalid(&mut self, _: &'static str, _: InvalidField) {}
}
