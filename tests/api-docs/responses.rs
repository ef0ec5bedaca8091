//! Responses: their headers, and the errors by status.

use std::collections::{BTreeMap, BTreeSet};

use platform::http_api::{Code, FieldCode, MAX_FIELD_ERRORS, TYPE_BASE};
use serde_json::{Map, Value, json};

use super::components::Components;

/// The name of a status, as it is used in names of components.
fn status_name(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        410 => "Gone",
        413 => "ContentTooLarge",
        415 => "UnsupportedMediaType",
        422 => "UnprocessableContent",
        429 => "TooManyRequests",
        500 => "InternalServerError",
        503 => "ServiceUnavailable",
        other => panic!("status {other} has no name yet"),
    }
}

/// A header of responses.
pub fn header(components: &mut Components, name: &str) -> Value {
    let (component, description, schema) = match name {
        "x-request-id" => ("XRequestId", "The id of the request, for support.", json!({"type": "string"})),
        "etag" => ("ETag", "Identifies the content. Send it as `If-None-Match`.", json!({"type": "string"})),
        "location" => {
            ("Location", "The path of what was created.", json!({"type": "string", "format": "uri-reference"}))
        }
        "idempotent-replayed" => (
            "IdempotentReplayed",
            "`true` if an earlier request had this effect already. Otherwise absent.",
            json!({"type": "string", "const": "true"}),
        ),
        "retry-after" => (
            "RetryAfter",
            "When to retry, in seconds. Present with each retryable code.",
            json!({"type": "integer", "minimum": 0}),
        ),
        "www-authenticate" => {
            ("WwwAuthenticate", "The scheme that is expected. Absent on webhook routes.", json!({"type": "string"}))
        }
        "set-cookie" => (
            "SetCookie",
            "Sets or clears a cookie of the browser. One header for each cookie; all are `HttpOnly` and `SameSite=Strict`.",
            json!({"type": "string"}),
        ),
        "allow" => ("Allow", "The methods that are allowed.", json!({"type": "string"})),
        other => panic!("header {other} is not described yet"),
    };
    components.add("headers", component, json!({"description": description, "schema": schema}))
}

/// Headers by name. A header that is always present is marked as required.
pub fn headers(components: &mut Components, names: &[&str]) -> Value {
    let all = std::iter::once("x-request-id").chain(names.iter().copied());
    all.map(|name| (name.to_owned(), header(components, name))).collect::<Map<_, _>>().into()
}

/// What all problems have in common.
pub fn add_problem(components: &mut Components) {
    let field_codes: Vec<_> = FieldCode::ALL.iter().map(|code| code.as_str()).collect();
    let example = json!({
        "pointer": "/quantity", "code": "range", "detail": "a whole number from 1 to 1000000000 is expected"
    });
    let error = json!({
        "description": "One invalid member or query parameter.",
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "properties": {
            "pointer": {
                "description": "JSON pointer (RFC 6901) into the body, or `?name` for a query parameter.",
                "type": "string",
            },
            "code": {
                "description": "The kind of fault: a member is missing (`required`), does not exist here (`unknown`), has \
                                another JSON type (`type`), another form (`format`), is outside its limits (`range`), or is \
                                not an allowed value (`value`).",
                "type": "string",
                "enum": field_codes,
            },
            "detail": {"description": "What is expected there, for a person.", "type": "string"},
        },
        "examples": [example],
    });
    let problem = json!({
        "description": "Why a request was rejected (RFC 9457).",
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance", "code", "retryable"],
        "properties": {
            "type": {
                "description": format!("`{TYPE_BASE}` and the code."),
                "type": "string",
                "pattern": format!("^{TYPE_BASE}[a-z_]+$"),
            },
            "title": {"description": "A short summary, the same for every occurrence of the code.", "type": "string"},
            "status": {"description": "The HTTP status.", "type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"description": "What was wrong this time, and what to do. For a person; it can change.", "type": "string"},
            "instance": {
                "description": "The request: `urn:request:` and the value of `x-request-id`.",
                "type": "string",
                "pattern": "^urn:request:.+$",
            },
            "code": {"description": "The stable code. Program against it.", "type": "string", "pattern": "^[a-z_]+$"},
            "retryable": {
                "description": "Whether the same request, sent again unchanged, can succeed.",
                "type": "boolean",
            },
            "errors": {
                "description": "The invalid places. Present if and only if the code is `validation_failed`.",
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_FIELD_ERRORS,
                "items": {"$ref": "#/components/schemas/FieldError"},
            },
        },
    });
    components.add("schemas", "FieldError", error);
    components.add("schemas", "Problem", problem);
    let gateway = json!({
        "description": "An error of the gateway itself, which no function has seen.",
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"description": "A short text.", "type": "string"}},
    });
    let gateway = components.add("schemas", "GatewayError", gateway);
    let description = "The gateway itself returns this for an unknown path or method (404), a body beyond 10 MB (413), too \
                       many requests (429), or a function that does not respond (5xx).";
    let response = json!({"description": description, "content": {"application/json": {"schema": gateway}}});
    components.add("responses", "Gateway", response);
}

/// The responses with errors, by status.
pub fn problems(components: &mut Components, codes: &BTreeSet<Code>) -> Map<String, Value> {
    let mut by_status = BTreeMap::<u16, BTreeSet<Code>>::new();
    for code in codes {
        by_status.entry(code.status()).or_default().insert(*code);
    }
    // Only finishing a sign-in returns this code. Its final problems clear the cookie of the sign-in.
    let ends_sign_in = codes.contains(&Code::SignInFailed);
    let described = |(status, codes): (u16, BTreeSet<Code>)| {
        let clears_cookie = codes.contains(&Code::SessionInvalid) || ends_sign_in && matches!(status, 401 | 403 | 422);
        (status.to_string(), problem(components, status, &codes, clears_cookie))
    };
    by_status.into_iter().map(described).collect()
}

fn problem(components: &mut Components, status: u16, codes: &BTreeSet<Code>, clears_cookie: bool) -> Value {
    let name = status_name(status);
    let names: Vec<_> = codes.iter().map(|code| code.name()).collect();
    let mut members = json!({
        "code": {"description": "The stable code.", "type": "string", "enum": names},
        "status": {"description": "The HTTP status.", "type": "integer", "enum": [status]},
    });
    if codes.contains(&Code::InvitationPending) {
        members["invitation_id"] = json!({
            "description": "The invitation that is open. Present if and only if the code is `invitation_pending`.",
            "type": "string",
            "pattern": "^inv_[a-z2-7]{26}$",
        });
    }
    let schema = json!({"allOf": [
        {"$ref": "#/components/schemas/Problem"}, {"type": "object", "properties": members},
    ]});
    let schema = components.add("schemas", &format!("{name}Problem"), schema);
    let lines = codes.iter().map(|code| format!("- `{}`: {}", code.name(), code.meaning()));
    let response = json!({
        "description": lines.collect::<Vec<_>>().join("\n"),
        "headers": headers(components, &problem_headers(status, codes, clears_cookie)),
        "content": {"application/problem+json": {"schema": schema}},
    });
    components.add("responses", name, response)
}

fn problem_headers(status: u16, codes: &BTreeSet<Code>, clears_cookie: bool) -> Vec<&'static str> {
    let own = match status {
        401 if codes.contains(&Code::TokenMissing) => Some("www-authenticate"),
        405 => Some("allow"),
        _ if codes.iter().any(|code| code.retryable()) => Some("retry-after"),
        _ => None,
    };
    own.into_iter().chain(clears_cookie.then_some("set-cookie")).collect()
}
