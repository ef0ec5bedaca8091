//! What the catalog does not know about the operations: their ids, their groups, and what a caller must know to use them.

/// A group of operations.
pub struct Tag {
    pub name: &'static str,
    pub description: &'static str,
}

/// The groups, in the order of the reference.
pub const TAGS: &[Tag] = &[
    Tag {
        name: "Invitations",
        description: "A partner invites a customer, and cancels or renews the invitation. Each invitation has a link that the \
                      partner delivers. Multipartner sends no mail.",
    },
    Tag {
        name: "Answers",
        description: "The customer previews an invitation, and accepts or declines it: with the token of the link, with an access \
                      key of the customer, or with a session of its administrator.",
    },
    Tag {
        name: "Relationships and grants",
        description: "A relationship starts when a customer accepts. Grants of delegated administration belong to a \
                      relationship. Either side can end both.",
    },
    Tag {
        name: "Subscriptions",
        description: "After acceptance, a partner registers what it sold. A registered subscription never changes.",
    },
    Tag {
        name: "Webhook endpoints",
        description: "URLs of a partner or customer to which events are sent. Messages are signed as Standard Webhooks \
                      describes.",
    },
    Tag {
        name: "Events",
        description: "Every change writes one event. The lists are the audit log. With `after` they are a feed, oldest first.",
    },
    Tag {
        name: "Customers and partners",
        description: "An operator registers tenants as customers and enrolls partners.",
    },
    Tag { name: "Access keys", description: "An operator issues and revokes access keys. A key is shown only once." },
    Tag {
        name: "Sign-in",
        description: "An administrator of a customer signs in at the customer's own identity provider. Only the deployment's pages \
                      use these operations. Programs send access keys.",
    },
    Tag { name: "Service", description: "The current policy, this reference, and the page of an invitation's link." },
];

/// One operation.
pub struct Entry {
    /// The key of its route.
    pub key: &'static str,
    /// Its `operationId`.
    pub id: &'static str,
    /// The name of its [`Tag`].
    pub tag: &'static str,
    /// More than its summary, where that helps. Otherwise empty.
    pub description: &'static str,
}

const fn entry(key: &'static str, id: &'static str, tag: &'static str, description: &'static str) -> Entry {
    Entry { key, id, tag, description }
}

const INVITATIONS: &str = TAGS[0].name;
const ANSWERS: &str = TAGS[1].name;
const RELATIONSHIPS: &str = TAGS[2].name;
const SUBSCRIPTIONS: &str = TAGS[3].name;
const ENDPOINTS: &str = TAGS[4].name;
const EVENTS: &str = TAGS[5].name;
const ORGANIZATIONS: &str = TAGS[6].name;
const KEYS: &str = TAGS[7].name;
const SIGN_IN: &str = TAGS[8].name;
const SERVICE: &str = TAGS[9].name;

const CREATE: &str = "A repeat with the same idempotency key and the same content returns 201 with the current invitation, its \
                      current link and `Idempotent-Replayed: true`. The partner delivers the link in `accept_url`.";
const ACCEPT: &str = "The same decision again returns the first response. Any other decision returns 409 \
                      `invalid_transition`. `delegated_admin` is required if and only if the invitation asks for delegated \
                      administration.";
const DECLINE: &str = "The same decision again returns the first response. Declining needs no other proof.";
const REGISTER: &str = "The subscription id is the idempotency key: the same request again returns 200, the first record and \
                        `Idempotent-Replayed: true`. The partner of record is always the caller.";
const BATCH: &str = "All subscriptions must have the same customer. If anything in the request is malformed, the response is 422 and \
                     nothing is registered. Otherwise each subscription gets its own result, in the order of the request: what \
                     registering it alone would return. One transaction registers all that can be registered. If an id occurs \
                     twice, the second one with the same content is `replayed`, and one with other content is refused. The body \
                     has at most 256 KiB.";
const IMPORT: &str = "An operator attests a relationship that existed before this system. It is active, and it has no grants, because \
                      roles need the customer's consent. The customer's tenant must fit as for an invitation. A relationship that \
                      is active already is returned as it is, with 200. One that has ended returns 409 `invalid_transition`.";
const ERASE: &str = "Permanently removes `accepted_by`, `contact_email`, `message` and `reason`. Everything else stays, and the \
                     invitation works as before. A repeat returns 200 and writes no event. A renewal can add a new message, which \
                     can be erased again.";
const END: &str = "All grants in the relationship end with it. Registered subscriptions do not change. A repeat returns 200 \
                   with the current relationship.";
const END_GRANT: &str = "Nothing else ends with it. A repeat returns 200 with the current grant.";
const NARROW: &str = "A grant can only be reduced: fewer of its roles, an earlier end in the future, `auto_extend` off. An `ends_at` \
                      also turns the extension off; turning it off alone keeps the end that is shown. The same request again \
                      returns 200 and writes no event.";
const GRANTS: &str = "The order is the end that was written last: when the grant started, was narrowed, or announced its extension. \
                      Grants that expired or were ended stay in the list, at the end that they had.";
const FEED: &str = "Newest first. With `after` the events are oldest first: start with an empty `after`, and go on with \
                    `after=<next_cursor>`. The feed is 12 seconds behind, and skips nothing.";
const CREATE_ENDPOINT: &str = "The endpoint is `pending` until it answers a challenge with 2xx. Messages for it wait until then. It is challenged at once \
     and twice more within five minutes; then it waits for `…/test` or a `PATCH`. A replay shows the endpoint as it is now.";
const UPDATE_ENDPOINT: &str = "Members that are absent do not change. A new URL, or `state` `active`, starts a new challenge. An operator can only send \
     `{\"state\": \"disabled\"}`.";
const TEST_ENDPOINT: &str = "An endpoint that is pending receives a challenge instead.";
const RESEND: &str = "Send either `event_id` or `since`. If the response has `next_since`, there was no time for all messages: \
                      continue from there.";
const DELIVERIES: &str = "Newest first.";
const ROTATE: &str = "Both secrets are live until the grace period ends. Each message then has one signature per secret. With `grace_hours` 0 \
     every older secret ends at once. A repeat with the same `Idempotency-Key` returns the same secret.";
const WEBHOOK: &str = "Sign the request with the partner's signing secret. `webhook-id` is the idempotency key. The envelope's \
                       `timestamp` is allowed and ignored, because the signed header counts.";
const IMMUTABLE: &str = "Returns 405 for every id and every caller, before anything is read.";

/// Every operation, in the order of the reference.
pub const OPERATIONS: &[Entry] = &[
    entry("POST /v1/partners/{partner_id}/invitations", "create_invitation", INVITATIONS, CREATE),
    entry("POST /v1/webhooks/{partner_id}/invitations", "create_invitation_by_webhook", INVITATIONS, WEBHOOK),
    entry("GET /v1/partners/{partner_id}/invitations", "list_partner_invitations", INVITATIONS, ""),
    entry("GET /v1/partners/{partner_id}/invitations/{invitation_id}", "get_partner_invitation", INVITATIONS, ""),
    entry(
        "POST /v1/partners/{partner_id}/invitations/{invitation_id}/renew",
        "renew_invitation",
        INVITATIONS,
        "The old link stops working at once. Without `expires_in_days` the new expiry is the later of the old expiry and the \
         default from now. `message` and `delegated_admin` amend the invitation, and `null` removes them. A concurrent renewal \
         with the same content returns the same link.",
    ),
    entry("POST /v1/partners/{partner_id}/invitations/{invitation_id}/cancel", "cancel_invitation", INVITATIONS, ""),
    entry("POST /v1/invitations/{invitation_id}/erase", "erase_invitation", INVITATIONS, ERASE),
    entry(
        "POST /v1/invitations/{invitation_id}/preview",
        "preview_invitation",
        ANSWERS,
        "Previewing changes nothing. A wrong or malformed token returns 404 `not_found`.",
    ),
    entry("POST /v1/invitations/{invitation_id}/accept", "accept_invitation", ANSWERS, ACCEPT),
    entry("POST /v1/invitations/{invitation_id}/decline", "decline_invitation", ANSWERS, DECLINE),
    entry("GET /v1/customers/{tenant_id}/invitations", "list_customer_invitations", ANSWERS, ""),
    entry(
        "GET /v1/customers/{tenant_id}/invitations/{invitation_id}",
        "preview_invitation_as_customer",
        ANSWERS,
        "`version` is what an acceptance must send.",
    ),
    entry(
        "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/accept",
        "accept_invitation_as_customer",
        ANSWERS,
        ACCEPT,
    ),
    entry(
        "POST /v1/customers/{tenant_id}/invitations/{invitation_id}/decline",
        "decline_invitation_as_customer",
        ANSWERS,
        DECLINE,
    ),
    entry("GET /v1/partners/{partner_id}/customers", "list_partner_customers", RELATIONSHIPS, ""),
    entry("GET /v1/partners/{partner_id}/customers/{tenant_id}", "get_partner_customer", RELATIONSHIPS, ""),
    entry("GET /v1/customers/{tenant_id}/partners", "list_customer_partners", RELATIONSHIPS, ""),
    entry("GET /v1/customers/{tenant_id}/partners/{partner_id}", "get_customer_partner", RELATIONSHIPS, ""),
    entry("PUT /v1/partners/{partner_id}/customers/{tenant_id}", "import_relationship", RELATIONSHIPS, IMPORT),
    entry("DELETE /v1/partners/{partner_id}/customers/{tenant_id}", "end_relationship_as_partner", RELATIONSHIPS, END),
    entry("DELETE /v1/customers/{tenant_id}/partners/{partner_id}", "end_relationship_as_customer", RELATIONSHIPS, END),
    entry("GET /v1/partners/{partner_id}/grants", "list_partner_grants", RELATIONSHIPS, GRANTS),
    entry("GET /v1/partners/{partner_id}/grants/{grant_id}", "get_partner_grant", RELATIONSHIPS, ""),
    entry("GET /v1/customers/{tenant_id}/grants", "list_customer_grants", RELATIONSHIPS, GRANTS),
    entry("GET /v1/customers/{tenant_id}/grants/{grant_id}", "get_customer_grant", RELATIONSHIPS, ""),
    entry("PATCH /v1/partners/{partner_id}/grants/{grant_id}", "narrow_grant_as_partner", RELATIONSHIPS, NARROW),
    entry("PATCH /v1/customers/{tenant_id}/grants/{grant_id}", "narrow_grant_as_customer", RELATIONSHIPS, NARROW),
    entry("DELETE /v1/partners/{partner_id}/grants/{grant_id}", "end_grant_as_partner", RELATIONSHIPS, END_GRANT),
    entry("DELETE /v1/customers/{tenant_id}/grants/{grant_id}", "end_grant_as_customer", RELATIONSHIPS, END_GRANT),
    entry("POST /v1/partners/{partner_id}/subscriptions", "register_subscription", SUBSCRIPTIONS, REGISTER),
    entry("POST /v1/partners/{partner_id}/subscriptions/batch", "register_subscriptions", SUBSCRIPTIONS, BATCH),
    entry("POST /v1/webhooks/{partner_id}/subscriptions", "register_subscription_by_webhook", SUBSCRIPTIONS, WEBHOOK),
    entry("GET /v1/partners/{partner_id}/subscriptions", "list_partner_subscriptions", SUBSCRIPTIONS, ""),
    entry("GET /v1/customers/{tenant_id}/subscriptions", "list_customer_subscriptions", SUBSCRIPTIONS, ""),
    entry(
        "GET /v1/partners/{partner_id}/subscriptions/{subscription_id}",
        "get_partner_subscription",
        SUBSCRIPTIONS,
        "",
    ),
    entry(
        "PUT /v1/partners/{partner_id}/subscriptions/{subscription_id}",
        "replace_subscription",
        SUBSCRIPTIONS,
        IMMUTABLE,
    ),
    entry(
        "PATCH /v1/partners/{partner_id}/subscriptions/{subscription_id}",
        "change_subscription",
        SUBSCRIPTIONS,
        IMMUTABLE,
    ),
    entry(
        "DELETE /v1/partners/{partner_id}/subscriptions/{subscription_id}",
        "delete_subscription",
        SUBSCRIPTIONS,
        IMMUTABLE,
    ),
    entry("POST /v1/partners/{partner_id}/endpoints", "create_partner_endpoint", ENDPOINTS, CREATE_ENDPOINT),
    entry("GET /v1/partners/{partner_id}/endpoints", "list_partner_endpoints", ENDPOINTS, ""),
    entry("GET /v1/partners/{partner_id}/endpoints/{endpoint_id}", "get_partner_endpoint", ENDPOINTS, ""),
    entry(
        "PATCH /v1/partners/{partner_id}/endpoints/{endpoint_id}",
        "update_partner_endpoint",
        ENDPOINTS,
        UPDATE_ENDPOINT,
    ),
    entry("DELETE /v1/partners/{partner_id}/endpoints/{endpoint_id}", "delete_partner_endpoint", ENDPOINTS, ""),
    entry(
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/rotate",
        "rotate_partner_endpoint_secret",
        ENDPOINTS,
        ROTATE,
    ),
    entry(
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/test",
        "test_partner_endpoint",
        ENDPOINTS,
        TEST_ENDPOINT,
    ),
    entry(
        "POST /v1/partners/{partner_id}/endpoints/{endpoint_id}/resend",
        "resend_partner_messages",
        ENDPOINTS,
        RESEND,
    ),
    entry(
        "GET /v1/partners/{partner_id}/endpoints/{endpoint_id}/deliveries",
        "list_partner_deliveries",
        ENDPOINTS,
        DELIVERIES,
    ),
    entry("POST /v1/customers/{tenant_id}/endpoints", "create_customer_endpoint", ENDPOINTS, CREATE_ENDPOINT),
    entry("GET /v1/customers/{tenant_id}/endpoints", "list_customer_endpoints", ENDPOINTS, ""),
    entry("GET /v1/customers/{tenant_id}/endpoints/{endpoint_id}", "get_customer_endpoint", ENDPOINTS, ""),
    entry(
        "PATCH /v1/customers/{tenant_id}/endpoints/{endpoint_id}",
        "update_customer_endpoint",
        ENDPOINTS,
        UPDATE_ENDPOINT,
    ),
    entry("DELETE /v1/customers/{tenant_id}/endpoints/{endpoint_id}", "delete_customer_endpoint", ENDPOINTS, ""),
    entry(
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/rotate",
        "rotate_customer_endpoint_secret",
        ENDPOINTS,
        ROTATE,
    ),
    entry(
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/test",
        "test_customer_endpoint",
        ENDPOINTS,
        TEST_ENDPOINT,
    ),
    entry(
        "POST /v1/customers/{tenant_id}/endpoints/{endpoint_id}/resend",
        "resend_customer_messages",
        ENDPOINTS,
        RESEND,
    ),
    entry(
        "GET /v1/customers/{tenant_id}/endpoints/{endpoint_id}/deliveries",
        "list_customer_deliveries",
        ENDPOINTS,
        DELIVERIES,
    ),
    entry("GET /v1/partners/{partner_id}/events", "list_partner_events", EVENTS, FEED),
    entry("GET /v1/customers/{tenant_id}/events", "list_customer_events", EVENTS, FEED),
    entry("GET /v1/events", "list_events", EVENTS, FEED),
    entry(
        "POST /v1/customers",
        "register_customer",
        ORGANIZATIONS,
        "A request that agrees with the current record returns 200. Other content returns 409 `tenant_exists`.",
    ),
    entry(
        "PATCH /v1/customers/{tenant_id}",
        "update_customer",
        ORGANIZATIONS,
        "`domain: null` removes the domain. The market can be corrected unless the tenant is enrolled as a partner, the cloud \
         also only until the customer is invited for the first time. Otherwise 409 `customer_in_use`.",
    ),
    entry(
        "DELETE /v1/customers/{tenant_id}/sessions",
        "end_customer_sessions",
        ORGANIZATIONS,
        "For example if an account of the customer was taken over. Its administrators can sign in again at once.",
    ),
    entry("GET /v1/customers/{tenant_id}", "get_customer", ORGANIZATIONS, ""),
    entry("GET /v1/customers", "list_customers", ORGANIZATIONS, ""),
    entry(
        "POST /v1/partners",
        "enroll_partner",
        ORGANIZATIONS,
        "An unknown tenant is registered at the same time. A request that agrees with the current record \
         returns 200 with the current signing secret. Other content returns 409 `partner_exists`.",
    ),
    entry(
        "PATCH /v1/partners/{partner_id}",
        "update_partner",
        ORGANIZATIONS,
        "`domain: null` removes the domain. The market can be corrected only while the partner has no relationship. Otherwise \
         409 `customer_in_use`.",
    ),
    entry("GET /v1/partners/{partner_id}", "get_partner", ORGANIZATIONS, ""),
    entry("GET /v1/partners", "list_partners", ORGANIZATIONS, ""),
    entry("POST /v1/partners/{partner_id}/suspend", "suspend_partner", ORGANIZATIONS, ""),
    entry("POST /v1/partners/{partner_id}/resume", "resume_partner", ORGANIZATIONS, ""),
    entry(
        "POST /v1/partners/{partner_id}/signing-secret/rotate",
        "rotate_partner_signing_secret",
        ORGANIZATIONS,
        "Both secrets are valid until the grace period ends. With `grace_hours` 0 every older secret ends at once. A repeat with \
         the same `Idempotency-Key` returns the same secret.",
    ),
    entry(
        "POST /v1/keys",
        "issue_key",
        KEYS,
        "A partner's key has one to six roles, a customer's key has `global_admin`, and an operator's key has none. From \
         `expires_at` on, which must be in the future, the key is rejected.",
    ),
    entry("DELETE /v1/keys/{key_id}", "revoke_key", KEYS, "A repeat returns 200."),
    entry("GET /v1/keys", "list_keys", KEYS, ""),
    entry("GET /v1/keys/{key_id}", "get_key", KEYS, ""),
    entry("GET /v1/me", "get_me", KEYS, ""),
    entry(
        "POST /v1/sign-in",
        "start_sign_in",
        SIGN_IN,
        "Only a page of the deployment can call this: it needs the header `x-multipartner: 1`. The response sets a cookie, which \
         `POST /v1/sessions` needs. Nothing is read: the response is the same for tenants that are no customers.",
    ),
    entry(
        "POST /v1/sessions",
        "create_session",
        SIGN_IN,
        "The response sets the session's cookie for 15 minutes, and ends the session that it replaces in this browser. The person's \
         home must be the customer's tenant, and the person must have one of the directory roles in `GET /v1/policy`.",
    ),
    entry(
        "DELETE /v1/sessions/current",
        "end_session",
        SIGN_IN,
        "Always succeeds. The session at the identity provider goes on: open `sign_out_url` to end it.",
    ),
    entry("GET /v1/policy", "get_policy", SERVICE, ""),
    entry("GET /openapi.json", "get_openapi_document", SERVICE, ""),
    entry("GET /docs", "open_reference", SERVICE, ""),
    entry(
        "GET /i/{invitation_id}",
        "open_invitation_page",
        SERVICE,
        "The page is the same for every id. Opening it changes nothing.",
    ),
    entry("HEAD /i/{invitation_id}", "check_invitation_page", SERVICE, ""),
    entry(
        "GET /c/{tenant_id}",
        "open_customer_page",
        SERVICE,
        "The page is the same for every id. Opening it changes nothing.",
    ),
    entry("HEAD /c/{tenant_id}", "check_customer_page", SERVICE, ""),
    entry(
        "GET /p/{partner_id}",
        "open_partner_page",
        SERVICE,
        "The page is the same for every id. Opening it changes nothing.",
    ),
    entry("HEAD /p/{partner_id}", "check_partner_page", SERVICE, ""),
    entry(
        "GET /signed-in/{cloud}",
        "open_signed_in_page",
        SERVICE,
        "The page is the same for every id. Opening it changes nothing.",
    ),
    entry("HEAD /signed-in/{cloud}", "check_signed_in_page", SERVICE, ""),
    entry("GET /assets/{file}", "get_page_file", SERVICE, ""),
    entry("HEAD /assets/{file}", "check_page_file", SERVICE, ""),
];

/// The entry of a route.
pub fn of_route(key: &str) -> Option<&'static Entry> {
    OPERATIONS.iter().find(|entry| entry.key == key)
}
