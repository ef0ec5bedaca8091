//! The OpenAPI 3.1 document.

use domain::{EndpointId, GrantId, InvitationId, KeyId, PartnerId, SubscriptionId, TenantId};
use platform::describe::{Catalog, Operation, Parameter, ResponseBody, Security};
use serde_json::{Map, Value, json};

use super::components::Components;
use super::examples::Examples;
use super::operations::{Entry, TAGS, of_route};
use super::{members, responses, webhooks};
use crate::catalog;

const DESCRIPTION: &str = "\
A partner invites a customer to a reseller relationship. The customer accepts or declines, on a page or through this API. After \
acceptance the partner registers the subscriptions that it sells to the customer. Nothing that the customer already has changes.

Requests and responses are JSON in UTF-8. Times are UTC in RFC 3339. Members and words can be added to responses at any time, so \
ignore those that you do not know. Unknown members in requests are rejected.

**Callers.** Operators, partners and customers send an access key: `Authorization: Bearer mpk_…`. Partner systems can also send \
signed webhooks. An invited customer sends the token from its link in the body.

**Errors** are `application/problem+json` with a stable `code`. Only the gateway's own errors differ: for an unknown path or \
method (404), a body beyond 10 MB (413), too many requests (429), or a function that does not respond (5xx) it returns \
`{\"message\": \"…\"}`.

**Retries.** If `retryable` is true, send the same request again after `Retry-After`. Creating is idempotent: use the same \
`Idempotency-Key` for a retry, and it has no second effect.

**Lists** are pages: `{items, next_cursor?}`. Pass `next_cursor` as `cursor` to get the next page. A page can be short and still \
have a `next_cursor`.

**Caching.** A `GET` returns an `ETag`. Send it as `If-None-Match`, and get 304 without a body while nothing changed.";

/// Writes the document.
///
/// # Panics
/// If a route has no entry in [`super::operations`].
pub fn document(examples: &Examples) -> Value {
    let mut catalog = catalog();
    let mut components = Components::default();
    let operations = std::mem::take(&mut catalog.operations);
    responses::add_problem(&mut components);
    add_security(&mut components);
    let mut paths = Map::new();
    for operation in &operations {
        let (method, path) = operation.key.split_once(' ').expect("a route key");
        let mut writer = Writer { catalog: &mut catalog, components: &mut components, examples };
        let described = writer.operation(operation);
        let item = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        item[method.to_ascii_lowercase()] = described;
    }
    let webhooks = webhooks::webhooks(&mut components);
    components.add_schemas(catalog.schemas().expect("schemas"));
    members::describe(components.schemas());
    let tags: Vec<_> = TAGS.iter().map(|tag| json!({"name": tag.name, "description": tag.description})).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Multipartner API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Invitations, relationships, grants and subscriptions of customers with several partners.",
            "description": DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": "/", "description": "The deployment that serves this document."}],
        "tags": tags,
        "paths": paths,
        "webhooks": webhooks,
        "components": components.into_json(),
    });
    members::join_lines(&mut document);
    document
}

fn add_security(components: &mut Components) {
    let key = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "mpk_ and 43 base64url characters",
        "description": "An access key of an operator, partner or customer.",
    });
    components.add("securitySchemes", "key", key);
    let session = json!({
        "type": "apiKey", "in": "cookie", "name": "__Host-Http-session",
        "description": "The session of a customer's administrator who signed in at the customer's own identity provider. It is \
            not read if the request has `Authorization`. A `POST`, `PATCH` or `DELETE` with this cookie also needs the header \
            `x-multipartner: 1`, a JSON body or none, and `Sec-Fetch-Site: same-origin`, or without that header an `Origin` \
            that is this deployment's address. Otherwise it returns 403 `csrf_refused`. Programs use keys instead.",
    });
    components.add("securitySchemes", "session", session);
    let signature = json!({
        "type": "apiKey", "in": "header", "name": "webhook-signature",
        "description": "A webhook that is signed as Standard Webhooks describes. The signature covers \
            `webhook-id`, `webhook-timestamp` and the exact bytes of the body, joined by dots: HMAC-SHA256 under the decoded \
            signing secret (`whsec_…`), written as `v1,` and base64. All three headers are required.",
    });
    components.add("securitySchemes", "signature", signature);
}

/// Writes operations.
struct Writer<'a> {
    catalog: &'a mut Catalog,
    components: &'a mut Components,
    examples: &'a Examples,
}

impl Writer<'_> {
    fn operation(&mut self, operation: &Operation) -> Value {
        let Entry { id, tag, description, .. } =
            of_route(operation.key).unwrap_or_else(|| panic!("{} has no entry in operations.rs", operation.key));
        let security = match operation.security {
            Security::None => json!([]),
            Security::Key => json!([{"key": []}]),
            Security::KeyOrSession => json!([{"key": []}, {"session": []}]),
            // Anyone may sign in or out. The cookies that these routes read have names of their own.
            Security::Browser => json!([]),
            Security::Signature => json!([{"signature": []}]),
        };
        let mut described = json!({
            "operationId": id,
            "tags": [tag],
            "summary": operation.summary.trim_end_matches('.'),
            "security": security,
            "responses": self.responses(operation),
        });
        let parameters = self.parameters(operation);
        for (name, value) in [("description", json!(description)), ("parameters", json!(parameters))] {
            if value != json!("") && value != json!([]) {
                described[name] = value;
            }
        }
        if let Some(body) = &operation.body {
            let status = operation.responses.first().map_or(0, |response| response.status);
            let example = self.examples.request(operation.key, status).unwrap_or_else(|| json!({}));
            let content = json!({"application/json": {"schema": body.schema, "example": example}});
            described["requestBody"] = json!({"required": body.required, "content": content});
        }
        described
    }

    fn parameters(&mut self, operation: &Operation) -> Vec<Value> {
        let path = operation.key.split_once(' ').map_or("", |(_, path)| path);
        let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let mut parameters: Vec<_> = names.map(|name| self.path_parameter(name)).collect();
        parameters.extend(operation.parameters.iter().map(|parameter| self.own_parameter(parameter)));
        if operation.security == Security::Signature {
            parameters.extend(webhooks::signature_headers(self.components));
        }
        if is_conditional(operation) {
            let parameter = json!({
                "name": "If-None-Match", "in": "header",
                "description": "The `ETag` of an earlier response. While it is current, the response is 304 without a body.",
                "schema": {"type": "string"},
            });
            parameters.push(self.components.add("parameters", "IfNoneMatch", parameter));
        }
        if operation.security == Security::Browser {
            let parameter = json!({
                "name": "x-multipartner", "in": "header", "required": true,
                "description": "A page of another site cannot send it. The browser adds `Sec-Fetch-Site` or `Origin`, which must be those of \
                    a page of this deployment.",
                "schema": {"type": "string", "const": "1"},
            });
            parameters.push(self.components.add("parameters", "XMultipartner", parameter));
        }
        parameters
    }

    fn path_parameter(&mut self, name: &str) -> Value {
        let (component, description, schema) = match name {
            "cloud" => ("Cloud", "The cloud whose sign-in page was used.", json!({"type": "string"})),
            "endpoint_id" => ("EndpointId", "The endpoint.", self.catalog.schema::<EndpointId>()),
            "file" => ("File", "The name of the file.", json!({"type": "string"})),
            "grant_id" => ("GrantId", "The grant.", self.catalog.schema::<GrantId>()),
            "invitation_id" => ("InvitationId", "The invitation.", self.catalog.schema::<InvitationId>()),
            "key_id" => ("KeyId", "The public id of the key.", self.catalog.schema::<KeyId>()),
            "partner_id" => ("PartnerId", "The partner.", self.catalog.schema::<PartnerId>()),
            "subscription_id" => ("SubscriptionId", "The subscription.", self.catalog.schema::<SubscriptionId>()),
            "tenant_id" => ("TenantId", "The customer's tenant.", self.catalog.schema::<TenantId>()),
            other => panic!("path parameter {other} is not described yet"),
        };
        let parameter = json!({
            "name": name, "in": "path", "required": true, "description": description, "schema": schema,
        });
        self.components.add("parameters", component, parameter)
    }

    fn own_parameter(&mut self, parameter: &Parameter) -> Value {
        let Parameter { name, place, required, about, schema } = parameter;
        let mut described = json!({"name": name, "in": place, "description": about, "schema": schema});
        if *required {
            described["required"] = json!(true);
        }
        if *name == "after" {
            described["allowEmptyValue"] = json!(true);
        }
        self.components.add("parameters", &pascal_case(name), described)
    }

    fn responses(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut all = responses::problems(self.components, &operation.codes);
        for (index, response) in operation.responses.iter().enumerate() {
            all.insert(response.status.to_string(), self.success(operation, response, index == 0));
        }
        if is_conditional(operation) {
            let response = json!({
                "description": "The content did not change.",
                "headers": responses::headers(self.components, &["etag"]),
            });
            all.insert("304".into(), self.components.add("responses", "NotModified", response));
        }
        all
    }

    fn success(&mut self, operation: &Operation, response: &ResponseBody, is_first: bool) -> Value {
        let mut names = response.headers.to_vec();
        if is_conditional(operation) {
            names.push("etag");
        }
        let mut described = json!({
            "description": description_of(response),
            "headers": responses::headers(self.components, &names),
        });
        if operation.key.starts_with("HEAD ") {
            return described;
        }
        let mut content = match (&response.schema, response.media) {
            (Some(schema), _) => json!({"schema": schema}),
            (None, "application/json") => json!({"schema": {"type": "object"}}),
            (None, _) => json!({"schema": {"type": "string"}}),
        };
        if is_first && response.schema.is_some() {
            let example = self.examples.response(operation.key, response.status);
            content["example"] = example.unwrap_or_else(|| panic!("no sample event of {} succeeds", operation.key));
        }
        described["content"] = json!({response.media: content});
        described
    }
}

fn description_of(response: &ResponseBody) -> &'static str {
    let may_repeat = response.headers.contains(&platform::handler::REPLAYED);
    match (response.status, response.schema.is_some()) {
        (201, _) if may_repeat => "Created, now or by an earlier request.",
        (201, _) => "Created.",
        (202, _) => "Accepted: it happens soon.",
        (_, true) if may_repeat => "Done, now or by an earlier request.",
        (_, true) => "The current content.",
        (_, false) => "The document.",
    }
}

/// Whether the response has an `ETag`.
fn is_conditional(operation: &Operation) -> bool {
    let has = |media| operation.responses.iter().any(|response| response.media == media);
    operation.key.starts_with("GET ") && has("application/json") || has("*/*")
}

pub fn pascal_case(name: &str) -> String {
    let words = name.split(['-', '_', '.']);
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    words.filter(|word| !word.is_empty()).map(capital).collect()
}
