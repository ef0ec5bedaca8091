//! Checks every commit in order, based on the requests to the table: what a transaction may contain, and what must be
//! true when it commits.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ActorKind, Event, EventType, GrantId};
use serde_json::Value;
use tests::faults::{Record, TRANSACT};

use crate::table::event;

/// The state after all commits so far.
#[derive(Debug, Default)]
pub struct Ledger {
    tokens: BTreeSet<String>,
    /// Whether an invitation is of kind grant.
    is_grant: BTreeMap<String, bool>,
    active: BTreeSet<(String, String)>,
    /// Relationships that have ended at some time.
    ended: BTreeSet<(String, String)>,
    /// Grants that have not ended, with their customer and partner and the time at which they end.
    grants: BTreeMap<String, ((String, String), String)>,
    csp: BTreeSet<String>,
    /// The number of events so far.
    pub events: usize,
}

/// The writes of a request to the table: the name of each action, and the action itself.
pub fn writes(request: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let items = request["TransactItems"].as_array().into_iter().flatten();
    items.filter_map(Value::as_object).flatten().map(|(name, action)| (name.as_str(), action))
}

/// The partition key of a write.
pub fn partition(action: &Value) -> &str {
    let key = if action["Item"].is_object() { &action["Item"] } else { &action["Key"] };
    key["pk"]["S"].as_str().unwrap_or_default()
}

impl Ledger {
    /// Checks the requests to the table since the last call. Returns the number of events that they wrote.
    pub fn take(&mut self, records: &[Record]) -> Result<usize, String> {
        let mut events = 0;
        for record in records {
            if matches!(record.operation.as_str(), "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem") {
                return Err(format!("{} outside a transaction", record.operation));
            }
            let token = record.request["ClientRequestToken"].to_string();
            if record.operation == TRANSACT && record.done() && self.tokens.insert(token) {
                events += self.commit(&record.request)?;
            }
        }
        self.events += events;
        Ok(events)
    }

    fn commit(&mut self, request: &Value) -> Result<usize, String> {
        let mut found = Vec::new();
        let mut changes = 0;
        for (name, action) in writes(request) {
            let pk = partition(action);
            let guard = action["ConditionExpression"].as_str().unwrap_or_default();
            let is_put = name == "Put" && guard.starts_with("attribute_not_exists(pk)");
            match name {
                "Put" if pk.starts_with("EVENTS#") => found.push(event(&action["Item"]).ok_or("an invalid event")?),
                _ if pk.starts_with("SUBSCRIPTION#") && !is_put => return Err(format!("{name} of {pk} if {guard:?}")),
                "ConditionCheck" => {}
                "Put" | "Update" if guard.is_empty() => return Err(format!("{name} of {pk} without a condition")),
                "Put" => changes += 1,
                "Update" if action["UpdateExpression"] == "REMOVE gsi3pk, gsi3sk" => {}
                "Update" => changes += 1,
                _ => return Err(format!("{name} of {pk} is not allowed")),
            }
        }
        let is_registered = |event: &Event| event.event_type == EventType::SubscriptionRegistered;
        match (&found[..], changes) {
            ([], 0) => Ok(0),
            ([event], 1..) => self.event(event).map(|()| 1),
            // A batch has one event for each subscription.
            (events, changes) if events.len() == changes && events.iter().all(is_registered) => {
                events.iter().try_for_each(|event| self.event(event)).map(|()| events.len())
            }
            _ => Err(format!("{} events for {changes} changes", found.len())),
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), String> {
        let what = || format!("{} of {} at {}", event.event_type.as_str(), event.aggregate_id, event.occurred_at);
        let id = |text: Option<String>| text.unwrap_or_default();
        let customer = id(event.subject.customer_tenant_id.as_ref().map(ToString::to_string));
        let pair = (customer.clone(), id(event.subject.partner_id.as_ref().map(ToString::to_string)));
        let is_active = self.active.contains(&pair);
        let is_csp = self.csp.contains(&customer);
        let must = |holds: bool, why: &str| if holds { Ok(()) } else { Err(format!("{}: {why}", what())) };
        match event.event_type {
            EventType::InvitationCreated => {
                let is_grant = event.data["kind"] == "grant";
                must(!is_csp, "the customer is a CSP tenant")?;
                must(is_grant == is_active, "the kind does not match the state of the relationship")?;
                self.is_grant.insert(event.aggregate_id.clone(), is_grant);
            }
            EventType::InvitationAccepted => {
                let is_grant = self.is_grant.get(&event.aggregate_id).copied().unwrap_or_default();
                must(!is_csp, "the customer is a CSP tenant")?;
                must(is_grant == is_active, "the kind does not match the state of the relationship")?;
                let by_link = event.actor.kind == ActorKind::Link;
                must(
                    is_grant || !by_link || !self.ended.contains(&pair),
                    "a link started an ended relationship again",
                )?;
                self.active.insert(pair.clone());
                if let Some(grant) = &event.subject.grant_id {
                    let ends_at = event.data["grant"]["ends_at"].as_str().unwrap_or_default().to_owned();
                    self.grants.insert(grant.to_string(), (pair, ends_at));
                }
            }
            EventType::RelationshipImported => {
                must(!is_csp, "the customer is a CSP tenant")?;
                must(!is_active && !self.ended.contains(&pair), "the relationship is or was active")?;
                self.active.insert(pair);
            }
            EventType::RelationshipEnded => {
                must(self.active.remove(&pair), "the relationship was not active")?;
                self.ended.insert(pair.clone());
                let ended: BTreeSet<String> = event.data["grants"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|id| id.as_str().map(str::to_owned))
                    .collect();
                let now = event.occurred_at.to_string();
                for (grant, (_, ends_at)) in self.grants.iter().filter(|(_, (of, _))| *of == pair) {
                    must(ended.contains(grant) || *ends_at <= now, "it omits a grant that ends with it")?;
                }
                must(ended.iter().all(|grant| self.grants.contains_key(grant)), "it lists a grant that is not active")?;
                self.grants.retain(|_, (of, _)| *of != pair);
            }
            EventType::SubscriptionRegistered => {
                must(is_active, "there is no active relationship")?;
                must(!is_csp, "the customer is a CSP tenant")?;
            }
            EventType::GrantEnded
            | EventType::GrantExpired
            | EventType::GrantExpiring
            | EventType::GrantExtended
            | EventType::GrantNarrowed => {
                must(is_active, "the relationship is not active")?;
                let known = GrantId::parse(&event.aggregate_id).is_some_and(|id| self.grants.contains_key(id.as_str()));
                must(known, "the grant was not active")?;
                if let Some(ends_at) = event.data.get("ends_at").and_then(Value::as_str)
                    && event.event_type == EventType::GrantExtended
                    && let Some((_, end)) = self.grants.get_mut(&event.aggregate_id)
                {
                    // A grant can also be extended without an event. So an event only counts if its end is later.
                    *end = ends_at.max(end).to_owned();
                }
                if event.event_type == EventType::GrantNarrowed
                    && let Some((_, end)) = self.grants.get_mut(&event.aggregate_id)
                {
                    *end = event.data["ends_at"].as_str().unwrap_or_default().to_owned();
                }
                if matches!(event.event_type, EventType::GrantEnded | EventType::GrantExpired) {
                    self.grants.remove(&event.aggregate_id);
                }
            }
            EventType::PartnerEnrolled => {
                self.csp.insert(event.data["tenant_id"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
        Ok(())
    }
}
