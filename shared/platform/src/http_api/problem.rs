//! Every error that a response can have: one registry of codes, one format (RFC 9457, `application/problem+json`).

use std::borrow::Cow;
use std::fmt;

use domain::{InvitationId, InvitationState, Timestamp};

use super::field::FieldError;

/// The prefix of a problem's `type`; the code follows. `docs/errors.md` has a row per code.
pub const TYPE_BASE: &str = "urn:multipartner:problem:";

/// The most entries that `errors` can have.
pub const MAX_FIELD_ERRORS: usize = 20;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $status:literal, $title:literal, $remedy:literal $(, $retryable:ident)?;)*) => {
        /// A stable error code. Only the registry below knows its status, title, meaning and remedy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)* }

        impl Code {
            /// Every code, in the order of the registry.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The `code` member, in `snake_case`.
            pub fn name(self) -> &'static str { match self { $(Code::$variant => $name,)* } }

            /// The HTTP status.
            pub fn status(self) -> u16 { match self { $(Code::$variant => $status,)* } }

            /// A short summary, the same for every occurrence.
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title,)* } }

            /// When the code is returned, for the documentation.
            pub fn meaning(self) -> &'static str { match self { $(Code::$variant => concat!($($doc),+).trim_ascii_start(),)* } }

            /// What the caller can do, for the documentation.
            pub fn remedy(self) -> &'static str { match self { $(Code::$variant => $remedy,)* } }

            /// Whether the same request, sent again unchanged, can succeed.
            pub fn retryable(self) -> bool { match self { $(Code::$variant => codes!(@retryable $($retryable)?),)* } }
        }
    };
    (@retryable retryable) => { true };
    (@retryable) => { false };
}

codes! {
    /// The function was invoked with something other than an API Gateway event of payload format 2.0.
    EventMalformed = "event_malformed", 400, "Malformed event",
        "Call the API through its gateway.";
    /// The route needs a body, and the request has none.
    BodyMissing = "body_missing", 400, "Missing request body",
        "Send a JSON body.";
    /// The body is not valid UTF-8, or not valid base64 where the gateway encoded it.
    BodyEncodingInvalid = "body_encoding_invalid", 400, "Invalid body encoding",
        "Send the body as UTF-8.";
    /// The body is not one JSON document. `detail` has the line and column.
    JsonInvalid = "json_invalid", 400, "Invalid JSON",
        "Correct the JSON at that place.";
    /// The JSON is nested deeper than 32 levels.
    JsonTooDeep = "json_too_deep", 400, "JSON nested too deeply",
        "Send only the members that the route documents.";
    /// An object in the body has the same member twice.
    JsonDuplicateKey = "json_duplicate_key", 400, "Duplicate member",
        "Send each member once.";
    /// The route needs an `Idempotency-Key` header, and the request has none.
    IdempotencyKeyMissing = "idempotency_key_missing", 400, "Missing Idempotency-Key",
        "Send a key of your own. Use a new key for each new request, and the same key for a retry.";
    /// The `Idempotency-Key` is not 1 to 255 printable ASCII characters without spaces and commas.
    IdempotencyKeyInvalid = "idempotency_key_invalid", 400, "Invalid Idempotency-Key",
        "Send a key of that form.";
    /// A header that may occur only once occurs twice.
    HeaderRepeated = "header_repeated", 400, "Duplicate header",
        "Send the header once.";
    /// The cursor is damaged, or belongs to another caller, list or filter.
    CursorInvalid = "cursor_invalid", 400, "Invalid cursor",
        "Request the first page again, without `cursor`.";
    /// The request has no `Authorization: Bearer mpk_…` header.
    TokenMissing = "token_missing", 401, "Missing access key",
        "Send an access key in that header.";
    /// The access key is malformed, unknown, expired or revoked.
    KeyInvalid = "key_invalid", 401, "Invalid access key",
        "Ask the operator for a new key.";
    /// The session is unknown, expired or was ended.
    SessionInvalid = "session_invalid", 401, "Invalid session",
        "Sign in again, or send an access key.";
    /// This browser has no started sign-in that belongs to this return, or it began more than 15 minutes ago.
    SignInExpired = "sign_in_expired", 401, "Sign-in expired",
        "Start to sign in again, in the same browser.";
    /// The identity provider did not confirm the sign-in.
    SignInFailed = "sign_in_failed", 401, "Sign-in failed",
        "Start to sign in again. If it fails each time, ask the operator: the log has the reason.";
    /// `webhook-id`, `webhook-timestamp` or `webhook-signature` is missing.
    SignatureMissing = "signature_missing", 401, "Missing webhook signature",
        "Sign the webhook as [Standard Webhooks](https://www.standardwebhooks.com) describes.";
    /// One of the three signature headers is malformed.
    SignatureMalformed = "signature_malformed", 401, "Malformed webhook signature",
        "Send `webhook-id` as 1 to 128 of `A–Z a–z 0–9 _ -`, `webhook-timestamp` in Unix seconds, and `webhook-signature` as `v1,` and base64.";
    /// No signature matches the body under a live signing secret of the partner, or the partner does not exist.
    SignatureInvalid = "signature_invalid", 401, "Webhook signature does not match",
        "Sign the exact bytes that you send, with the partner's current signing secret.";
    /// `webhook-timestamp` is more than 300 seconds from the server's time, which `detail` has.
    TimestampOutOfTolerance = "timestamp_out_of_tolerance", 401, "Webhook timestamp out of tolerance",
        "Correct your clock, and sign again for each attempt.";
    /// None of the key's roles permits this action, or the route is for another kind of caller.
    RoleNotPermitted = "role_not_permitted", 403, "Role not permitted",
        "Use a key with a permitted role. `GET /v1/policy` lists the roles for each action.";
    /// Only a global administrator of the customer may answer an invitation.
    ApproverNotPermitted = "approver_not_permitted", 403, "Approver not permitted",
        "Ask a global administrator of the customer to answer.";
    /// The person who signed in is not at home in the customer's tenant: a guest, a member of another directory, or a
    /// delegated administrator of a partner.
    ApproverNotHome = "approver_not_home", 403, "Not a member of this organization",
        "Sign in as an administrator of the customer, with an account of the customer.";
    /// The person who signed in has none of the directory roles that may act for the customer.
    NotAnApprover = "not_an_approver", 403, "Not an administrator",
        "Ask an administrator with one of the roles that `GET /v1/policy` lists, or activate the role and sign in again.";
    /// The link alone is not enough for this acceptance. `detail` says what needs more proof.
    AcceptProofRequired = "accept_proof_required", 403, "Stronger proof required",
        "Sign in as an administrator of the customer, or use an access key of the customer.";
    /// The partner is suspended.
    PartnerNotActive = "partner_not_active", 403, "Partner suspended",
        "Ask the operator to resume the partner.";
    /// The customer's tenant is enrolled as a partner, so it cannot be a customer.
    CustomerIsCspTenant = "customer_is_csp_tenant", 403, "Customer is a CSP tenant",
        "Use another tenant of that organization.";
    /// The partner has no active relationship with the customer, or the customer does not exist.
    NoActiveRelationship = "no_active_relationship", 403, "No active relationship",
        "Invite the customer first. Register after it has accepted.";
    /// The current policy does not serve this cloud.
    CloudNotSupported = "cloud_not_supported", 403, "Cloud not supported",
        "Use a cloud that `GET /v1/policy` lists.";
    /// A browser sent the request from another site.
    CrossSite = "cross_site", 403, "Cross-site request",
        "Send the request from the invitation's own page, or outside a browser.";
    /// The request reads or sets a cookie, and may come from a page of another site.
    CsrfRefused = "csrf_refused", 403, "Request not sent by this site",
        "Send `x-multipartner: 1` and a JSON body from a page of this deployment. A program sends an access key instead.";
    /// The resource does not exist, or the caller may not see it. A wrong link token also returns this code.
    NotFound = "not_found", 404, "Not found",
        "Check the id, and that the key belongs to its owner.";
    /// The `Accept` header excludes the media type of the response.
    NotAcceptable = "not_acceptable", 406, "Not acceptable",
        "Accept the media type that `detail` names, or leave the header out.";
    /// A registered subscription cannot be replaced, changed or deleted.
    SubscriptionImmutable = "subscription_immutable", 405, "Subscriptions cannot be changed",
        "Register another subscription with its own id.";
    /// The partner already has an open invitation for this customer. `invitation_id` names it.
    InvitationPending = "invitation_pending", 409, "Invitation already open",
        "Renew or cancel that invitation.";
    /// The relationship is already active, and the request asks for nothing more.
    RelationshipActive = "relationship_active", 409, "Relationship already active",
        "Nothing needs to be done. To ask for roles, send `delegated_admin`.";
    /// The current state does not allow this change. For example, the invitation was already answered.
    InvalidTransition = "invalid_transition", 409, "Not allowed in the current state",
        "Read the current state, then decide again.";
    /// The invitation is not in the version that the request names. Since then it was amended, renewed or changed in another way.
    InvitationChanged = "invitation_changed", 409, "Invitation changed",
        "Read the invitation again, and decide on what it asks for now.";
    /// The subscription id is already registered, with other content or by another partner.
    SubscriptionExists = "subscription_exists", 409, "Subscription id already in use",
        "Use another subscription id.";
    /// The tenant is already registered with different details.
    TenantExists = "tenant_exists", 409, "Tenant already registered",
        "Compare the details. Use `PATCH` to correct the customer.";
    /// The tenant is already enrolled with different details.
    PartnerExists = "partner_exists", 409, "Partner already enrolled",
        "Compare the details. Use `PATCH` to correct the partner.";
    /// The customer or partner is in use, so its cloud or market can no longer be corrected.
    CustomerInUse = "customer_in_use", 409, "Customer or partner in use",
        "Register another tenant with the right cloud and market.";
    /// The owner already has another webhook endpoint with this URL.
    EndpointExists = "endpoint_exists", 409, "Endpoint already exists",
        "Change the existing endpoint.";
    /// The owner already has as many webhook endpoints as the policy allows.
    EndpointLimit = "endpoint_limit", 409, "Endpoint limit reached",
        "Delete an endpoint that is no longer needed.";
    /// Two signing secrets are live at the moment.
    RotationInProgress = "rotation_in_progress", 409, "Rotation already in progress",
        "Wait until the old secret expires, then rotate again.";
    /// No identity provider is set up for this cloud, so its customers cannot sign in.
    SignInUnavailable = "sign_in_unavailable", 409, "Sign-in not set up",
        "Use an access key of the customer, or ask the operator to set up sign-in.";
    /// The same request is already in progress.
    IdempotencyInProgress = "idempotency_in_progress", 409, "Request already in progress",
        "Retry after the time in `Retry-After`. The retry returns the response of that request.", retryable;
    /// The invitation has expired, or a newer invitation replaced it.
    InvitationExpired = "invitation_expired", 410, "Invitation expired",
        "Ask the partner to renew the invitation.";
    /// The body is larger than 64 KiB.
    BodyTooLarge = "body_too_large", 413, "Body too large",
        "Send a smaller body.";
    /// The body is not `application/json` in UTF-8 without content encoding.
    MediaTypeUnsupported = "media_type_unsupported", 415, "Unsupported media type",
        "Send `Content-Type: application/json`, and no `Content-Encoding`.";
    /// Members or query parameters are invalid, missing or unknown. `errors` lists them.
    ValidationFailed = "validation_failed", 422, "Validation failed",
        "Correct every place that `errors` lists.";
    /// The idempotency key was already used for a request with other content.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "Idempotency key reused",
        "Use a new key for new content.";
    /// The webhook's `type` does not belong to this route.
    EventTypeUnknown = "event_type_unknown", 422, "Unknown event type",
        "Send `invitation.create` or `subscription.register`, each to its own route.";
    /// The partner and the customer are in different clouds, or a customer signs in to another cloud than its own.
    CloudMismatch = "cloud_mismatch", 422, "Different clouds",
        "Only a partner in the customer's cloud can serve it. Sign in to the customer's own cloud.";
    /// The partner and the customer are in different markets.
    MarketMismatch = "market_mismatch", 422, "Different markets",
        "Only a partner in the customer's market can serve it.";
    /// The customer's tenant is not registered.
    CustomerUnknown = "customer_unknown", 422, "Unknown customer",
        "Ask the operator to register the tenant.";
    /// The partner or customer that should own the key is not registered.
    PrincipalUnknown = "principal_unknown", 422, "Unknown key owner",
        "Enroll the partner or register the customer first.";
    /// Webhooks cannot be sent to this URL.
    EndpointUrlForbidden = "endpoint_url_forbidden", 422, "Endpoint URL not allowed",
        "Use an `https` URL on port 443 or 8443, with a host name that resolves to a public address.";
    /// The partner invited its own tenant.
    SelfRelationship = "self_relationship", 422, "Partner cannot be its own customer",
        "Invite another tenant.";
    /// The cloud or the kind of invitation requires delegated administration.
    DelegatedAdminRequired = "delegated_admin_required", 422, "Delegated administration required",
        "Ask for, or grant, at least one role. A customer that does not want to grant any can decline.";
    /// The answer grants a role, a duration or an extension that was not asked for.
    RolesExceedRequest = "roles_exceed_request", 422, "More granted than requested",
        "Grant at most what the invitation asks for.";
    /// The change would give a grant more roles, a later end or an extension, or would end it in the past.
    GrantNotNarrower = "grant_not_narrower", 422, "Grant not narrower",
        "Send fewer roles, an earlier end in the future, or `auto_extend: false`. To grant more, send an invitation.";
    /// `partner_of_record` names another partner.
    PartnerOfRecordMismatch = "partner_of_record_mismatch", 422, "Different partner of record",
        "Leave the member out, or send your own partner id.";
    /// A limit is used up, for example today's new invitations to a customer, or today's renewals. `detail` says which.
    RateLimited = "rate_limited", 429, "Rate limit exceeded",
        "Wait as long as `Retry-After` says.", retryable;
    /// The request failed because of an error in the service.
    Internal = "internal", 500, "Internal error",
        "Report the value of `instance` to the operator.";
    /// Conflicting writes kept the request from being committed. Nothing was written.
    Contention = "contention", 503, "Conflicting writes",
        "Retry the same request.", retryable;
    /// The database is throttling. Nothing was written.
    Throttled = "throttled", 503, "Database is throttling",
        "Retry the same request.", retryable;
    /// The identity provider does not respond, or not in time.
    ProviderUnavailable = "provider_unavailable", 503, "Identity provider unavailable",
        "Retry the same request. If the code was used meanwhile, start to sign in again.", retryable;
    /// It is not known whether the request took effect.
    OutcomeUnknown = "outcome_unknown", 503, "Outcome unknown",
        "Retry the same request. With an idempotency key it cannot take effect twice. Without one, read the current state first.", retryable;
    /// There was not enough time to start the request, or newer code wrote what it reads. Nothing was written.
    Deadline = "deadline", 503, "Not enough time",
        "Retry the same request.", retryable;
}

/// A response that is an error. `detail` never holds a secret, a token or a piece of the raw body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which error.
    pub code: Code,
    /// What happened this time, for a person.
    pub detail: Cow<'static, str>,
    /// Invalid members and parameters, at most [`MAX_FIELD_ERRORS`].
    pub errors: Vec<FieldError>,
    /// Headers besides the usual ones (`Retry-After`, `Allow`).
    pub headers: Vec<(&'static str, String)>,
    /// The existing record that conflicts, if the caller may see it.
    pub extension: Option<Box<(&'static str, String)>>,
    /// What failed, for the log only.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem with this detail.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), headers: Vec::new(), extension: None, cause: None }
    }

    /// 404 `not_found`: the same text for what is absent, foreign or hidden.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "Not found. Check the id, and that the key belongs to its owner.")
    }

    /// 422 `validation_failed` with these entries.
    pub fn validation(mut errors: Vec<FieldError>) -> Self {
        errors.truncate(MAX_FIELD_ERRORS);
        Self {
            errors,
            ..Self::new(Code::ValidationFailed, "The request is not valid. Correct every place that `errors` lists.")
        }
    }

    /// 500 `internal`. The cause is logged under the request's id, and is not in the response.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let detail =
            "The request failed because of an error in the service. Report the value of `instance` to the operator.";
        Self { cause: Some(cause.to_string()), ..Self::new(Code::Internal, detail) }
    }

    /// 409 `invitation_pending`, naming the one that is open.
    pub fn invitation_pending(open: &InvitationId) -> Self {
        let detail = "This customer already has an open invitation. Renew or cancel the one in `invitation_id`.";
        Self::new(Code::InvitationPending, detail).about("invitation_id", open.as_str())
    }

    /// 429 `rate_limited` until the next UTC midnight. `what` is in the plural.
    pub fn daily_limit(limit: u32, what: &str, now: Timestamp) -> Self {
        let from = now.next_midnight();
        let detail = format!(
            "The limit of {limit} {what} per customer and UTC day is reached. The next one is possible from {from}."
        );
        Self::new(Code::RateLimited, detail).retry_after(now.seconds_to_midnight())
    }

    /// 403 `partner_not_active`.
    pub fn partner_not_active() -> Self {
        Self::new(Code::PartnerNotActive, "The partner is suspended. Ask the operator to resume it.")
    }

    /// 409 `invalid_transition` for an invitation that has been answered.
    pub fn answered_already(state: InvitationState) -> Self {
        Self::new(Code::InvalidTransition, format!("The invitation is already {state}. Read its current state."))
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

    /// Names the record that conflicts, for example `invitation_id`.
    pub fn about(mut self, member: &'static str, id: impl Into<String>) -> Self {
        self.extension = Some(Box::new((member, id.into())));
        self
    }

    /// The body of the response.
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
