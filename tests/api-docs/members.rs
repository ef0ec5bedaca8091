//! Descriptions of members that are declared without one: those of request bodies, and of messages.

use serde_json::{Map, Value, json};

/// A member by the name of its schema (empty for any) and its own name, and its description.
#[rustfmt::skip]
const MEMBERS: &[(&str, &str, &str)] = &[
    ("", "token", "The token of the invitation's link: the text after `#`."),
    ("", "accepted_by", "The person who accepts."),
    ("AcceptByLink", "delegated_admin", "What is granted: `as_requested`, `refused`, or less than was asked for; without `duration`, for as long as was asked. Required if and only if the invitation asks for delegated administration."),
    ("AcceptByKey", "delegated_admin", "What is granted: `as_requested`, `refused`, or less than was asked for; without `duration`, for as long as was asked. Required if and only if the invitation asks for delegated administration."),
    ("InvitationRequest", "delegated_admin", "Delegated administration that the partner asks for, or `null`."),
    ("RenewalRequest", "delegated_admin", "Delegated administration that the partner asks for. `null` removes it."),
    ("AcceptedByClaim", "role", "The role that the person claims to have in the customer's tenant."),
    ("AcceptedByClaim", "name", "The person's name."),
    ("AcceptedByRequest", "name", "The person's name."),
    ("AcceptedByView", "name", "The person's name."),
    ("", "email", "The person's email address."),
    ("SignInRequest", "invitation_id", "The invitation from whose page the person signs in."),
    ("SessionRequest", "code", "The code that the identity provider returned."),
    ("SessionRequest", "state", "The state that the identity provider returned."),
    ("SessionRequest", "iss", "The `iss` that the identity provider returned, if it did (RFC 9207). It must be the issuer of the sign-in."),
    ("", "session", "The session."),
    ("", "reason", "Why the customer declines. The partner can read it."),
    ("", "invitation", "The invitation."),
    ("", "relationship", "The relationship."),
    ("", "grant", "The grant."),
    ("", "subscription", "The subscription."),
    ("", "customer", "The customer."),
    ("", "partner", "The partner."),
    ("", "endpoint", "The endpoint."),
    ("", "delivery", "The message."),
    ("", "decided_at", "When the decision was made."),
    ("", "created_at", "When it was created."),
    ("", "registered_at", "When it was registered."),
    ("", "revoked_at", "When the key was revoked."),
    ("", "ended_at", "When the relationship ended."),
    ("", "occurred_at", "When it happened."),
    ("NarrowingRequest", "roles", "The roles that stay, out of the grant's present roles."),
    ("NarrowingRequest", "ends_at", "A new end in the future, not later than the present one."),
    ("NarrowingRequest", "auto_extend", "Only `false`: the grant no longer extends itself."),
    ("ImportRequest", "since", "When the relationship began, as the operator attests: a time that is not in the future."),
    ("ImportRequest", "external_reference", "The partner's own reference. Customers do not see it."),
    ("RegistrationBatch", "subscriptions", "The subscriptions to register, all for one customer."),
    ("", "outcome", "What became of it."),
    ("", "problem", "Why it was refused."),
    ("RegistrationRequest", "external_reference", "The partner's own reference. Customers do not see it."),
    ("RegistrationRequest", "started_on", "When the subscription started, as the partner states: at most tomorrow (UTC)."),
    ("", "starts_at", "When the grant starts."),
    ("", "ends_at", "When the grant ends, or extends itself."),
    ("", "auto_extend", "Whether the grant extends itself at its end."),
    ("", "cloud", "The cloud of the tenant."),
    ("", "market", "The market of the tenant: an ISO 3166-1 alpha-2 code."),
    ("", "domain", "A DNS domain of the organization. Only the operator asserts it."),
    ("", "name", "The name of the organization."),
    ("KeyRequest", "name", "A name for the key, for people."),
    ("KeyView", "name", "The name of the key."),
    ("", "tenant_id", "The organization's tenant: a UUID."),
    ("", "customer_tenant_id", "The customer's tenant: a UUID."),
    ("", "grants", "The grants in the relationship."),
    ("", "items", "The items of this page."),
    ("", "roles", "Directory roles."),
    ("KeyRequest", "roles", "The roles of the key."),
    ("KeyView", "roles", "The roles of the key."),
    ("MeView", "roles", "The roles of the caller's key."),
    ("", "event_types", "The types of events that are sent. `null` or absent means all."),
    ("EndpointChange", "event_types", "The types of events that are sent. `null` means all."),
    ("", "description", "A description for people."),
    ("EndpointChange", "description", "A description for people. `null` removes it."),
    ("EndpointChange", "state", "`active` starts a new challenge. `disabled` stops all messages."),
    ("", "url", "Where messages are sent: an `https` URL on port 443 or 8443 with a public address."),
    ("", "contact_email", "The address of a contact at the customer. Shown only to the partner and the operator."),
    ("", "external_reference", "The partner's own reference. Shown only to the partner and the operator."),
    ("AcceptByKey", "version", "The version of the invitation that is accepted, from its preview. If the invitation has changed since, nothing is accepted."),
    ("RenewalRequest", "message", "A message to the customer. `null` removes it."),
    ("", "expires_in_days", "Days until the invitation expires."),
    ("", "message", "A message to the customer."),
    ("", "data", "The content."),
    ("", "type", "The type of the message."),
    ("", "timestamp", "The time of the message. It is ignored."),
    ("", "principal", "Who owns the key."),
    ("", "kind", "The kind of the actor."),
    ("PrincipalRequest", "kind", "The kind of the owner."),
    ("PrincipalRequest", "id", "The partner's id, or the customer's tenant. Operators have none."),
    ("PrincipalView", "id", "The partner's id, or the customer's tenant. Operators have none."),
    ("", "subscription_id", "The partner's own id of the subscription. It is compared without case."),
    ("", "service", "The service, for example `azure`."),
    ("", "offer_id", "The offer in the partner's catalog."),
    ("", "quantity", "How many units were sold."),
    ("", "billing_cycle", "How often the subscription is billed."),
    ("", "term", "How long the subscription runs (ISO 8601 duration)."),
    ("", "friendly_name", "A name for people."),
    ("", "partner_of_record", "The partner of record. It must be the caller's own id."),
    ("", "event_id", "The id of the event or message to send again."),
    ("", "since", "Send again all messages from this time on that did not arrive."),
    ("", "expires_at", "From this time on it is rejected."),
    ("", "grace_hours", "Hours for which the old secret stays valid."),
    ("", "actor", "Who caused the event."),
    ("", "proof", "What proves who the actor is."),
    ("", "subject", "The ids of everything that the event is about."),
    ("", "state", "The state."),
    ("", "status", "The status."),
    ("DelegatedAdminRequest", "duration", "How long the grant runs: `P<days>D`."),
    ("RolePolicy", "create_invitation", "The roles that may invite customers."),
    ("RolePolicy", "manage_invitation", "The roles that may cancel and renew invitations."),
    ("RolePolicy", "register_subscription", "The roles that may register subscriptions."),
    ("RolePolicy", "end_relationship", "The roles that may end relationships."),
    ("RolePolicy", "end_grant", "The roles that may end grants."),
    ("RolePolicy", "manage_endpoints", "The roles that may manage webhook endpoints."),
    ("RolePolicy", "read", "The roles that may read."),
    ("PolicyVersion", "roles", "Which roles may do what."),
    ("PolicyVersion", "effective_from", "The time from which the version is in force."),
    ("PolicyView", "roles", "Which roles may do what."),
    ("PolicyView", "effective_from", "The time from which the version is in force."),
    ("InvitationView", "kind", "What the invitation asks for."),
    ("MeView", "kind", "The kind of the caller."),
    ("PrincipalView", "kind", "The kind of the owner."),
    ("EventView", "type", "The type of the event."),
    ("WebhookEvent", "type", "The type of the event."),
];

/// Adds the descriptions to members that have none.
pub fn describe(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas {
        describe_schema(name, schema);
    }
}

/// Adds the descriptions in one schema.
pub fn describe_schema(name: &str, schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(properties) = members.get_mut("properties").and_then(Value::as_object_mut) {
                for (member, property) in properties {
                    describe_member(name, member, property);
                }
            }
            for (key, member) in members {
                if key != "example" && key != "examples" {
                    describe_schema(name, member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| describe_schema(name, item)),
        _ => {}
    }
}

fn describe_member(schema: &str, member: &str, property: &mut Value) {
    let find = |schema: &str| MEMBERS.iter().find(|known| known.0 == schema && known.1 == member);
    if property.get("description").is_none()
        && let Some((_, _, description)) = find(schema).or_else(|| find(""))
        && property.is_object()
    {
        property["description"] = json!(description);
    }
}

/// Doc comments are wrapped at the width of the source. Joins the lines of each paragraph in every description.
pub fn join_lines(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "description" => *text = joined(text),
                    other => join_lines(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

fn joined(text: &str) -> String {
    text.replace("\n\n", "\u{0}")
        .replace("\n- ", "\u{1}")
        .replace('\n', " ")
        .replace('\u{0}', "\n\n")
        .replace('\u{1}', "\n- ")
}
