//! Every error an answer can carry: one registry of codes, one shape on the wire (RFC 9457, `application/problem+json`).

use std::borrow::Cow;
use std::fmt;

use domain::{InvitationId, InvitationState};

use super::field::FieldError;

/// The prefix of a problem's `type`; the code follows. `docs/errors.md` has a row per code.
pub const TYPE_BASE: &str = "urn:multipartner:problem:";

/// The most entries `errors` holds.
pub const MAX_FIELD_ERRORS: usize = 20;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $status:literal, $title:literal $(, $retryable:ident)?;)*) => {
        /// A stable error code. The registry below is the only place that knows its status and title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])* $variant,)* }

        impl Code {
            /// Every code there is, in the order of the registry.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The name on the wire, `snake_case`.
            pub fn name(self) -> &'static str { match self { $(Code::$variant => $name,)* } }

            /// The HTTP status.
            pub fn status(self) -> u16 { match self { $(Code::$variant => $status,)* } }

            /// The short human-readable summary, the same for every occurrence.
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title,)* } }

            /// Whether the same request may succeed when it is sent again unchanged.
            pub fn retryable(self) -> bool { match self { $(Code::$variant => codes!(@retryable $($retryable)?),)* } }
        }
    };
    (@retryable retryable) => { true };
    (@retryable) => { false };
}

codes! {
    /// The invocation is not an API Gateway payload 2.0 event.
    EventMalformed = "event_malformed", 400, "The request could not be read";
    /// A body is needed and there is none.
    BodyMissing = "body_missing", 400, "The request has no body";
    /// The gateway marked the body as base64, and it is not.
    BodyEncodingInvalid = "body_encoding_invalid", 400, "The body is not valid base64 or UTF-8";
    /// The body is not one JSON document.
    JsonInvalid = "json_invalid", 400, "The body is not valid JSON";
    /// The body nests deeper than 32 levels.
    JsonTooDeep = "json_too_deep", 400, "The body is nested too deeply";
    /// An object names a member twice.
    JsonDuplicateKey = "json_duplicate_key", 400, "The body names a member twice";
    /// The route needs an `Idempotency-Key`.
    IdempotencyKeyMissing = "idempotency_key_missing", 400, "The Idempotency-Key header is missing";
    /// The `Idempotency-Key` is not 1 to 255 printable ASCII characters without comma.
    IdempotencyKeyInvalid = "idempotency_key_invalid", 400, "The Idempotency-Key header is malformed";
    /// A header that must stand once stands twice.
    HeaderRepeated = "header_repeated", 400, "A header is repeated";
    /// The cursor is not one that this list gave this caller.
    CursorInvalid = "cursor_invalid", 400, "The cursor does not belong to this list";
    /// There is no bearer key.
    TokenMissing = "token_missing", 401, "No key was presented";
    /// The bearer key is malformed, unknown or revoked.
    KeyInvalid = "key_invalid", 401, "The key is not valid";
    /// One of the three signature headers is missing.
    SignatureMissing = "signature_missing", 401, "The webhook is not signed";
    /// One of the three signature headers is malformed.
    SignatureMalformed = "signature_malformed", 401, "The webhook's signature headers are malformed";
    /// No signature matches a live secret of this partner.
    SignatureInvalid = "signature_invalid", 401, "The webhook's signature does not match";
    /// The signed timestamp is further than 300 s from the clock.
    TimestampOutOfTolerance = "timestamp_out_of_tolerance", 401, "The webhook's timestamp is too far from the clock";
    /// The caller's roles do not allow this action.
    RoleNotPermitted = "role_not_permitted", 403, "The role does not allow this";
    /// Only a global administrator of the customer answers.
    ApproverNotPermitted = "approver_not_permitted", 403, "Only a global administrator of the customer may answer";
    /// The cloud takes answers by customer key only.
    AcceptProofRequired = "accept_proof_required", 403, "This cloud takes answers by customer key only";
    /// The partner is suspended.
    PartnerNotActive = "partner_not_active", 403, "The partner is not active";
    /// The customer's tenant is itself a CSP tenant.
    CustomerIsCspTenant = "customer_is_csp_tenant", 403, "The customer's tenant itself sells";
    /// Partner and customer have no active relationship.
    NoActiveRelationship = "no_active_relationship", 403, "There is no active relationship with this customer";
    /// The policy does not serve this cloud.
    CloudNotSupported = "cloud_not_supported", 403, "This cloud is not served";
    /// A browser sent the request from another site.
    CrossSite = "cross_site", 403, "Requests from other sites are refused";
    /// Nothing here, or nothing the caller may know of.
    NotFound = "not_found", 404, "Not found";
    /// The caller takes no answer in JSON.
    NotAcceptable = "not_acceptable", 406, "Answers are JSON";
    /// A registered subscription never changes.
    SubscriptionImmutable = "subscription_immutable", 405, "A registered subscription never changes";
    /// The partner already has an open invitation for this customer.
    InvitationPending = "invitation_pending", 409, "An invitation is already pending";
    /// The relationship is already active.
    RelationshipActive = "relationship_active", 409, "The relationship is already active";
    /// The state does not allow this step.
    InvalidTransition = "invalid_transition", 409, "The current state does not allow this";
    /// The subscription id is taken.
    SubscriptionExists = "subscription_exists", 409, "A subscription with this id is already registered";
    /// A customer with this tenant id is registered with other facts.
    TenantExists = "tenant_exists", 409, "The tenant is already registered with other facts";
    /// A partner with this tenant id is enrolled with other facts.
    PartnerExists = "partner_exists", 409, "The tenant is already enrolled with other facts";
    /// The owner has an endpoint at this address already.
    EndpointExists = "endpoint_exists", 409, "There is an endpoint at this address already";
    /// The owner has as many endpoints as the policy allows.
    EndpointLimit = "endpoint_limit", 409, "There are as many endpoints as may be";
    /// Two signing secrets are live; wait until the old one ends.
    RotationInProgress = "rotation_in_progress", 409, "A rotation is already in progress";
    /// A twin of this request is being committed.
    IdempotencyInProgress = "idempotency_in_progress", 409, "The same request is still being processed", retryable;
    /// The invitation's time is over.
    InvitationExpired = "invitation_expired", 410, "The invitation has expired";
    /// The body is larger than 64 KiB.
    BodyTooLarge = "body_too_large", 413, "The body is too large";
    /// The body is not `application/json` in UTF-8.
    MediaTypeUnsupported = "media_type_unsupported", 415, "The media type is not supported";
    /// One or more members are wrong; `errors` says which.
    ValidationFailed = "validation_failed", 422, "The request is not valid";
    /// The key was used for another request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The idempotency key was used for another request";
    /// The webhook's `type` does not belong to this route.
    EventTypeUnknown = "event_type_unknown", 422, "The event type is not known here";
    /// Partner and customer are in different clouds.
    CloudMismatch = "cloud_mismatch", 422, "The clouds differ";
    /// Partner and customer are in different markets.
    MarketMismatch = "market_mismatch", 422, "The markets differ";
    /// The customer's tenant is not registered.
    CustomerUnknown = "customer_unknown", 422, "The customer is not known";
    /// The key's principal is not registered.
    PrincipalUnknown = "principal_unknown", 422, "The principal is not known";
    /// Webhooks may not be sent to this address.
    EndpointUrlForbidden = "endpoint_url_forbidden", 422, "Webhooks may not be sent there";
    /// A partner can't be its own customer.
    SelfRelationship = "self_relationship", 422, "A partner cannot be its own customer";
    /// The cloud, or the kind of invitation, needs delegated administration.
    DelegatedAdminRequired = "delegated_admin_required", 422, "Delegated administration is required here";
    /// The answer grants more than was asked.
    RolesExceedRequest = "roles_exceed_request", 422, "More was granted than was asked";
    /// The body names another partner of record.
    PartnerOfRecordMismatch = "partner_of_record_mismatch", 422, "The partner of record is somebody else";
    /// The day's limit is used up.
    RateLimited = "rate_limited", 429, "Too many invitations today", retryable;
    /// Something failed on our side; the request id finds it in the log.
    Internal = "internal", 500, "Something failed on our side";
    /// Other writes kept getting in the way.
    Contention = "contention", 503, "Too much is happening at once", retryable;
    /// The table is throttling.
    Throttled = "throttled", 503, "The table is busy", retryable;
    /// Whether the request took effect is not known; sending it again tells.
    OutcomeUnknown = "outcome_unknown", 503, "The outcome is not known", retryable;
    /// There is too little time left to begin.
    Deadline = "deadline", 503, "There was not enough time", retryable;
}

/// An answer that is an error. `detail` never holds a secret, a token or a piece of the raw body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which error.
    pub code: Code,
    /// What happened this time, for a person.
    pub detail: Cow<'static, str>,
    /// InvalidField members, at most [`MAX_FIELD_ERRORS`].
    pub errors: Vec<FieldError>,
    /// Headers beside the usual ones (`Retry-After`, `Allow`).
    pub headers: Vec<(&'static str, String)>,
    /// The existing thing the refusal is about, where the caller may know of it.
    pub extension: Option<Box<(&'static str, String)>>,
    /// What failed inside; for the log, never for the answer.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem with this detail.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), headers: Vec::new(), extension: None, cause: None }
    }

    /// 404 `not_found`: the same words for what is absent, foreign or hidden.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here for this caller.")
    }

    /// 422 `validation_failed` with these entries.
    pub fn validation(mut errors: Vec<FieldError>) -> Self {
        errors.truncate(MAX_FIELD_ERRORS);
        Self { errors, ..Self::new(Code::ValidationFailed, "One or more members are not valid; see `errors`.") }
    }

    /// 500 `internal`. The cause goes to the log, under the request's id, and never into the answer.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let detail = "The request was not carried out. The request id finds the cause in the log.";
        Self { cause: Some(cause.to_string()), ..Self::new(Code::Internal, detail) }
    }

    /// 409 `invitation_pending`, naming the one that is open.
    pub fn invitation_pending(open: &InvitationId) -> Self {
        let detail = "An invitation for this customer is open already.";
        Self::new(Code::InvitationPending, detail).about("invitation_id", open.as_str())
    }

    /// 403 `partner_not_active`.
    pub fn partner_not_active() -> Self {
        Self::new(Code::PartnerNotActive, "The partner is suspended; ask the operator.")
    }

    /// 409 `invalid_transition` for an invitation that has been answered.
    pub fn answered_already(state: InvitationState) -> Self {
        Self::new(Code::InvalidTransition, format!("The invitation is {state} already."))
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds `Retry-After` in whole seconds.
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header("retry-after", seconds.to_string())
    }

    /// Names the thing that stands in the way, for example `invitation_id`.
    pub fn about(mut self, member: &'static str, id: impl Into<String>) -> Self {
        self.extension = Some(Box::new((member, id.into())));
        self
    }

    /// The body on the wire.
    pub fn to_json(&self, request_id: &str) -> String {
        let mut body = serde_json::json!({
            "type": format!("{TYPE_BASE}{}", self.code.name()),
            "title": self.code.title(),
            "status": self.code.status(),
            "detail": self.detail,
            "instance": format!("urn:request:{request_id}"),
            "code": self.code.name(),
            "retryable": self.code.retryable(),
        });
        if !self.errors.is_empty() {
            body["errors"] = serde_json::json!(self.errors);
        }
        if let Some((member, id)) = self.extension.as_deref() {
            body[*member] = serde_json::json!(id);
        }
        body.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTATION: &str = include_str!("../../../../docs/errors.md");

    /// The cells of each row that begins with a code.
    fn rows() -> Vec<Vec<&'static str>> {
        let cells = |row: &'static str| row.trim_matches('|').split('|').map(str::trim).collect();
        DOCUMENTATION.lines().filter(|line| line.starts_with("| `")).map(cells).collect()
    }

    #[test]
    fn every_code_is_documented() {
        let documented: Vec<String> = rows().iter().map(|cells| cells[..3].join(" ")).collect();
        let retryable = |code: &Code| if code.retryable() { "yes" } else { "no" };
        let row = |code: &Code| format!("`{}` {} {}", code.name(), code.status(), retryable(code));
        assert_eq!(documented, Code::ALL.iter().map(row).collect::<Vec<_>>(), "docs/errors.md, in this order");
        assert!(rows().iter().all(|cells| cells.len() == 5 && cells[3..].iter().all(|cell| cell.ends_with('.'))));
    }
}
