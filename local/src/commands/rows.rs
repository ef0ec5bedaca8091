//! The columns of lists. The headings are the names of the API's members.

use std::fmt::Display;

use platform::handler::views::{
    CustomerRow, CustomerView, DeliveryView, EndpointView, EventView, GrantView, InvitationView, KeyView, PartnerRow,
    PartnerView, SubscriptionView,
};

pub trait Row {
    const HEADINGS: &'static [&'static str];

    fn cells(&self) -> Vec<String>;
}

macro_rules! rows {
    ($($type:ty: $this:ident { $($heading:literal => $cell:expr,)* })*) => {$(
        impl Row for $type {
            const HEADINGS: &'static [&'static str] = &[$($heading),*];

            fn cells(&self) -> Vec<String> {
                let $this = self;
                vec![$($cell.to_string()),*]
            }
        }
    )*};
}

rows! {
    PartnerView: it {
        "partner_id" => it.partner_id,
        "name" => it.name,
        "domain" => or_dash(it.domain.as_ref()),
        "tenant_id" => it.tenant_id,
        "cloud" => it.cloud,
        "market" => it.market.as_str(),
        "status" => it.status,
    }
    CustomerView: it {
        "tenant_id" => it.tenant_id,
        "name" => it.name,
        "domain" => or_dash(it.domain.as_ref()),
        "cloud" => it.cloud,
        "market" => it.market.as_str(),
        "partner_id" => or_dash(it.partner_id.as_ref()),
    }
    KeyView: it {
        "key_id" => it.key_id,
        "principal" => or_dash(it.principal.id.as_ref().or(Some(&it.principal.kind.to_string()))),
        "roles" => list(&it.roles),
        "name" => it.name,
        "expires_at" => or_dash(it.expires_at.as_ref()),
        "revoked_at" => or_dash(it.revoked_at.as_ref()),
    }
    InvitationView: it {
        "invitation_id" => it.invitation_id,
        "kind" => it.kind,
        "state" => it.state,
        "partner_name" => it.partner_name,
        "customer_tenant_id" => it.customer_tenant_id,
        "roles" => it.delegated_admin.as_ref().map_or_else(|| "-".to_owned(), |admin| list(&admin.roles)),
        "expires_at" => it.expires_at,
    }
    GrantView: it {
        "grant_id" => it.grant_id,
        "partner_id" => it.partner_id,
        "customer_tenant_id" => it.customer_tenant_id,
        "roles" => list(&it.roles),
        "state" => it.state,
        "ends_at" => it.ends_at,
        "auto_extend" => it.auto_extend,
    }
    CustomerRow: it {
        "customer_tenant_id" => it.customer_tenant_id,
        "name" => or_dash(it.name.as_ref()),
        "state" => it.state,
        "since" => or_dash(it.since.as_ref()),
        "ended_at" => or_dash(it.ended_at.as_ref()),
        "grants" => it.grants.len(),
        "external_reference" => or_dash(it.external_reference.as_ref()),
    }
    PartnerRow: it {
        "partner_id" => it.partner_id,
        "name" => or_dash(it.name.as_ref()),
        "state" => it.state,
        "partner_status" => it.partner_status,
        "since" => or_dash(it.since.as_ref()),
        "ended_at" => or_dash(it.ended_at.as_ref()),
        "grants" => it.grants.len(),
    }
    SubscriptionView: it {
        "subscription_id" => it.subscription_id.as_str(),
        "customer_tenant_id" => it.customer_tenant_id,
        "service" => it.service,
        "offer_id" => it.offer_id,
        "quantity" => it.quantity,
        "billing_cycle" => it.billing_cycle,
        "term" => it.term,
        "friendly_name" => or_dash(it.friendly_name.as_ref()),
        "partner_of_record" => it.partner_of_record,
        "registered_at" => it.registered_at,
    }
    EventView: it {
        "occurred_at" => it.occurred_at,
        "type" => it.event_type,
        "subject" => subject(it),
        "actor" => format!("{} {}", it.actor.kind, it.actor.id),
        "event_id" => it.event_id,
    }
    EndpointView: it {
        "endpoint_id" => it.endpoint_id,
        "url" => it.url,
        "state" => it.state,
        "event_types" => it.event_types.as_ref().map_or_else(|| "all".to_owned(), |types| list(types)),
        "description" => or_dash(it.description.as_ref()),
    }
    DeliveryView: it {
        "event_id" => it.event_id,
        "purpose" => it.purpose,
        "state" => it.state,
        "attempt" => it.attempt,
        "last_status" => or_dash(it.last_status.as_ref()),
        "created_at" => it.created_at,
        "next_at" => or_dash(it.next_at.as_ref()),
        "failure" => or_dash(it.failure.as_ref()),
    }
}

fn or_dash(value: Option<&impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn list(items: &[impl Display]) -> String {
    if items.is_empty() { "-".to_owned() } else { items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") }
}

/// The id of the record that the event is about.
fn subject(event: &EventView) -> String {
    let subject = &event.subject;
    let ids = [
        subject.subscription_id.as_ref().map(|id| id.as_str()),
        subject.grant_id.as_ref().map(|id| id.as_str()),
        subject.invitation_id.as_ref().map(|id| id.as_str()),
        subject.key_id.as_ref().map(|id| id.as_str()),
        subject.endpoint_id.as_ref().map(|id| id.as_str()),
        subject.customer_tenant_id.as_ref().map(|id| id.as_str()),
        subject.partner_id.as_ref().map(|id| id.as_str()),
    ];
    ids.into_iter().flatten().next().unwrap_or("-").to_owned()
}
