//! The whole table, and the rules that it must follow at any time, regardless of the commands.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64;
use domain::{
    Actor, ActorKind, EndpointId, Event, EventType, GrantId, InvitationId, KeyId, PartnerId, Proof, Role, StateDigest,
    StateDigests, Subject, SubscriptionId, TenantId, Timestamp,
};
use platform::store::{Audit, Fault, Item};
use serde_json::Value;
use tests::Sim;

/// An item in the form of the SDK.
fn sdk_item(item: &Value) -> Item {
    item.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), sdk_value(value))).collect()
}

fn sdk_value(value: &Value) -> AttributeValue {
    let (kind, content) = value.as_object().and_then(|object| object.iter().next()).expect("a typed value");
    let text = || content.as_str().expect("a text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(BASE64.decode(text().as_bytes()).expect("base64").into()),
        "BOOL" => AttributeValue::Bool(*content == true),
        "L" => AttributeValue::L(content.as_array().into_iter().flatten().map(sdk_value).collect()),
        "M" => AttributeValue::M(sdk_item(content)),
        other => panic!("an unexpected type: {other}"),
    }
}

/// All items by key.
pub struct Table {
    items: BTreeMap<(String, String), Value>,
}

/// A string attribute, or an empty string if it is absent.
pub fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

/// A number attribute, or 0 if it is absent.
pub fn number(item: &Value, name: &str) -> i64 {
    item[name]["N"].as_str().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

/// The partition key and the sort key of an item.
pub fn key(item: &Value) -> (String, String) {
    (text(item, "pk").to_owned(), text(item, "sk").to_owned())
}

fn bytes(item: &Value, name: &str) -> Vec<u8> {
    BASE64.decode(item[name]["B"].as_str().unwrap_or_default().as_bytes()).unwrap_or_default()
}

/// Roles, days and automatic extension in an attribute.
fn admin(item: &Value, name: &str) -> Option<(Vec<String>, i64, bool)> {
    let map = item.get(name)?["M"].as_object()?;
    let roles = map["r"]["L"].as_array()?.iter().filter_map(|role| role["S"].as_str().map(str::to_owned)).collect();
    Some((roles, map["d"]["N"].as_str()?.parse().ok()?, map["x"]["BOOL"].as_bool()?))
}

/// Parses an item as an event.
pub fn event(item: &Value) -> Option<Event> {
    let event_type = EventType::parse(text(item, "event_type"))?;
    let (pk, sk) = key(item);
    let mut actor = text(item, "actor").split('#');
    let maybe = |name: &str| item.get(name).and_then(|value| value["S"].as_str());
    Some(Event {
        event_type,
        aggregate_id: pk.strip_prefix(&format!("EVENTS#{}#", event_type.aggregate().as_str()))?.to_owned(),
        sequence: sk.parse().ok()?,
        occurred_at: Timestamp::from_millis(number(item, "occurred")),
        subject: Subject {
            invitation_id: maybe("invitation").and_then(InvitationId::parse),
            grant_id: maybe("grant_id").and_then(GrantId::parse),
            subscription_id: maybe("subscription").and_then(SubscriptionId::parse),
            key_id: maybe("key_id").and_then(KeyId::parse),
            endpoint_id: maybe("endpoint").and_then(EndpointId::parse),
            partner_id: maybe("gsi1pk").and_then(|pk| PartnerId::parse(pk.strip_prefix("PARTNER#")?)),
            customer_tenant_id: maybe("gsi2pk").and_then(|pk| TenantId::parse(pk.strip_prefix("CUSTOMER#")?)),
        },
        actor: Actor {
            kind: ActorKind::parse(actor.next()?)?,
            id: actor.next()?.to_owned(),
            role: actor.next().and_then(Role::parse),
            claimed_role: actor.next().and_then(Role::parse),
            key_id: actor.next().and_then(KeyId::parse),
            approver: None,
            proof: actor.next().and_then(Proof::parse)?,
        },
        policy_version: u32::try_from(number(item, "policy")).ok()?,
        data: serde_json::from_str(text(item, "event_data")).ok()?,
        state: StateDigests {
            record: bytes(item, "state").try_into().ok()?,
            created: item.get("creates").map(|_| bytes(item, "creates").try_into()).transpose().ok()?,
            texts: texts(&item["texts"]["M"])?,
        },
    })
}

/// Digests of personal texts, by attribute.
fn texts(texts: &Value) -> Option<BTreeMap<String, Option<StateDigest>>> {
    let text = |(name, text): (&String, &Value)| {
        let digest = BASE64.decode(text["B"].as_str()?.as_bytes()).ok()?;
        let digest = if digest.is_empty() { None } else { Some(digest.try_into().ok()?) };
        Some((name.clone(), digest))
    };
    texts.as_object().into_iter().flatten().map(text).collect()
}

impl Table {
    /// Reads the table of a simulation.
    pub fn of(sim: &Sim) -> Self {
        Self::new(sim.items())
    }

    /// Creates a table with these items.
    pub fn new(items: Vec<Value>) -> Self {
        Self { items: items.into_iter().map(|item| (key(&item), item)).collect() }
    }

    /// The items whose partition key has this prefix.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Value> {
        let from = (prefix.to_owned(), String::new());
        self.items.range(from..).take_while(move |((pk, _), _)| pk.starts_with(prefix)).map(|(_, item)| item)
    }

    /// The item with this key.
    pub fn get(&self, pk: &str, sk: &str) -> Option<&Value> {
        self.items.get(&(pk.to_owned(), sk.to_owned()))
    }

    /// The types of all events, by aggregate and sequence.
    pub fn events(&self) -> BTreeMap<(String, String), String> {
        self.under("EVENTS#").map(|item| (key(item), text(item, "event_type").to_owned())).collect()
    }

    fn relationships(&self) -> impl Iterator<Item = &Value> {
        self.under("CUSTOMER#").filter(|item| !text(item, "sk").contains("#GRANT#"))
    }

    fn grants(&self) -> impl Iterator<Item = &Value> {
        self.under("CUSTOMER#").filter(|item| text(item, "sk").contains("#GRANT#"))
    }

    /// All violations of the rules at the time `now`.
    pub fn violations(&self, now: Timestamp, daily_limit: i64) -> Vec<String> {
        let mut check = Check { table: self, chains: BTreeMap::new(), now, found: Vec::new() };
        check.chains();
        check.invitations();
        check.relationships(daily_limit);
        check.grants();
        check.subscriptions();
        check.partners();
        let mut audit = Audit::default();
        self.items.values().for_each(|item| audit.take(&sdk_item(item)));
        check.found.extend(audit.finish().faults.iter().map(Fault::to_string));
        check.found
    }
}

/// The state of a check.
struct Check<'a> {
    table: &'a Table,
    /// Events by partition key.
    chains: BTreeMap<String, Vec<Event>>,
    now: Timestamp,
    found: Vec<String>,
}

impl Check<'_> {
    fn wrong(&mut self, what: impl Into<String>) {
        self.found.push(what.into());
    }

    fn events(&self, of: &Value) -> Vec<Event> {
        self.chains.get(&events_of(of)).cloned().unwrap_or_default()
    }

    /// Checks that sequences are contiguous, that hash chains are valid, and that each aggregate has the last sequence
    /// and hash.
    fn chains(&mut self) {
        let mut ends: BTreeMap<String, (u64, [u8; 32])> = BTreeMap::new();
        for item in self.table.under("EVENTS#") {
            let (pk, sk) = key(item);
            let Some(event) = event(item) else {
                self.wrong(format!("{pk} {sk}: cannot parse the event"));
                continue;
            };
            let (before, hash) = ends.get(&pk).copied().unwrap_or_default();
            let hash = event.hash_after(&hash);
            if event.sequence != before + 1 {
                self.wrong(format!("{pk}: sequence {} follows {before}", event.sequence));
            }
            if bytes(item, "event_hash") != hash {
                self.wrong(format!("{pk} {sk}: the hash chain is broken"));
            }
            ends.insert(pk.clone(), (event.sequence, hash));
            self.chains.entry(pk).or_default().push(event);
        }
        for item in self.table.items.values().filter(|item| !text(item, "pk").starts_with("EVENTS#")) {
            let (sequence, hash) = ends.remove(&events_of(item)).unwrap_or_default();
            let stored = (number(item, "event_seq"), bytes(item, "event_hash"));
            if stored != (i64::try_from(sequence).unwrap_or(i64::MAX), hash.to_vec()) {
                self.wrong(format!("{:?}: sequence {} or hash differs from event {sequence}", key(item), stored.0));
            }
        }
        for pk in ends.into_keys() {
            self.wrong(format!("{pk}: events without an item for the aggregate"));
        }
    }

    fn invitations(&mut self) {
        let mut open: BTreeMap<(String, String), String> = BTreeMap::new();
        for item in self.table.under("INVITATION#") {
            let pk = text(item, "pk");
            let answer = self.states(item);
            self.answer(item);
            let pair = (text(item, "gsi2pk").to_owned(), text(item, "gsi1pk").to_owned());
            let relationship = self.table.get(&pair.0, &pair.1);
            let active = relationship.filter(|found| text(found, "relation") == "active");
            let period = active.map_or("", |found| text(found, "period"));
            let acceptable = match text(item, "kind") {
                "grant" => text(item, "period") == period,
                _ => period.is_empty(),
            };
            if answer == "pending" && number(item, "expires") > self.now.millis() && acceptable {
                let id = id_of(item);
                if let Some(other) = open.insert(pair.clone(), id.to_owned()) {
                    self.wrong(format!("{pair:?}: both {other} and {id} are open"));
                }
                if relationship.is_none_or(|found| text(found, "open_invitation") != id) {
                    self.wrong(format!("{pk}: open, but not `open_invitation` of its relationship"));
                }
            }
        }
    }

    /// Checks that the state of an invitation matches its events. Returns the answer according to the events.
    fn states(&mut self, item: &Value) -> &'static str {
        let pk = text(item, "pk");
        let (mut answer, mut renewals, mut announced) = ("pending", 0, false);
        for (at, event) in self.events(item).iter().enumerate() {
            if (at == 0) != (event.event_type == EventType::InvitationCreated) || answer != "pending" {
                self.wrong(format!("{pk}: {} is out of order", event.event_type.as_str()));
            }
            match event.event_type {
                EventType::InvitationAccepted => answer = "accepted",
                EventType::InvitationDeclined => answer = "declined",
                EventType::InvitationCancelled => answer = "cancelled",
                EventType::InvitationRenewed => (renewals, announced) = (renewals + 1, false),
                EventType::InvitationExpired if announced => self.wrong(format!("{pk}: expired twice")),
                EventType::InvitationExpired => announced = true,
                _ => {}
            }
        }
        let pair = (text(item, "gsi2pk"), text(item, "gsi1pk"));
        let ends = self.table.get(pair.0, pair.1).map(|relationship| self.events(relationship)).unwrap_or_default();
        let cancelled_by_end = ends.iter().any(|event| event.data.get("invitation_id") == Some(&id_of(item).into()));
        if cancelled_by_end && (answer != "pending" || announced) {
            self.wrong(format!("{pk}: was over when its relationship ended"));
        }
        if cancelled_by_end != (text(item, "cancel_reason") == "relationship_ended") {
            self.wrong(format!("{pk}: the reason why it was cancelled does not match the events"));
        }
        let answer = if cancelled_by_end { "cancelled" } else { answer };
        let expected = (answer, 1 + renewals + i64::from(answer != "pending"), 1 + renewals);
        let stored = (text(item, "answer"), number(item, "version"), number(item, "token_gen"));
        if expected != stored {
            self.wrong(format!("{pk}: is {stored:?}, expected {expected:?} from its events"));
        }
        let due = if answer == "pending" && !announced { number(item, "expires") } else { 0 };
        if text(item, "gsi3sk").parse().unwrap_or(0) != due {
            self.wrong(format!("{pk}: due at {:?} instead of {due}", text(item, "gsi3sk")));
        }
        answer
    }

    /// Checks that the granted access is within the requested access, and that the grant exists exactly if access was
    /// granted.
    fn answer(&mut self, invitation: &Value) {
        let pk = text(invitation, "pk");
        let asked = admin(invitation, "asked");
        let as_asked = invitation["granted"]["BOOL"] == true;
        let granted = if as_asked { asked.clone() } else { admin(invitation, "granted") };
        let grant_key = format!("{}#GRANT#grt_{}", text(invitation, "gsi1pk"), &id_of(invitation)["inv_".len()..]);
        let grant = self.table.get(text(invitation, "gsi2pk"), &grant_key);
        if grant.and_then(|grant| admin(grant, "granted")) != granted {
            self.wrong(format!("{pk}: the grant differs from the granted access"));
        }
        let (Some((roles, days, extends)), Some(grant)) = (granted, grant) else { return };
        let within = asked.is_some_and(|(all, most, may_extend)| {
            roles.iter().all(|role| all.contains(role)) && days <= most && (may_extend || !extends)
        });
        if !within || text(invitation, "answer") != "accepted" {
            self.wrong(format!("{pk}: grants more than requested, or was not accepted"));
        }
        if extends && roles.iter().any(|role| role == "global_administrator") {
            self.wrong(format!("{pk}: global_administrator has automatic extension"));
        }
        let period = match text(invitation, "kind") {
            "grant" => text(invitation, "period"),
            _ => id_of(invitation),
        };
        if text(grant, "period") != period || number(grant, "starts") != number(invitation, "decided") {
            self.wrong(format!("{pk}: its grant has a different period or start"));
        }
    }

    fn relationships(&mut self, daily_limit: i64) {
        let mut by_pair: BTreeMap<(&str, &str), Vec<&Value>> = BTreeMap::new();
        for item in self.table.under("INVITATION#") {
            by_pair.entry((text(item, "gsi2pk"), text(item, "gsi1pk"))).or_default().push(item);
        }
        for item in self.table.relationships() {
            let pair = (text(item, "pk"), text(item, "sk"));
            let invitations = by_pair.remove(&pair).unwrap_or_default();
            let begun = |found: &&&Value| text(found, "answer") == "accepted" && text(found, "kind") == "reseller";
            let began = invitations.iter().filter(begun).count();
            let ended = self.events(item).len();
            let expected = match (began, began.checked_sub(ended)) {
                (0, Some(0)) => "none",
                (_, Some(0)) => "ended",
                (_, Some(1)) => "active",
                _ => "impossible",
            };
            if text(item, "relation") != expected {
                self.wrong(format!("{pair:?}: is {}, but {began} began and {ended} ended", text(item, "relation")));
            }
            let period = invitations.iter().filter(begun).find(|found| id_of(found) == text(item, "period"));
            if began > 0 && period.is_none_or(|found| number(found, "decided") != number(item, "since")) {
                self.wrong(format!("{pair:?}: no accepted invitation matches its period and start"));
            }
            let named = text(item, "open_invitation");
            let open = invitations.iter().find(|found| id_of(found) == named);
            let fits = |found: &&Value| {
                text(found, "answer") == "pending" && number(found, "expires") == number(item, "open_until")
            };
            if !named.is_empty() && !open.is_some_and(fits) {
                self.wrong(format!("{pair:?}: open invitation {named} is not pending or expires at another time"));
            }
            self.counters(item, &invitations, daily_limit);
        }
        for pair in by_pair.into_keys() {
            self.wrong(format!("{pair:?}: invitations without a relationship"));
        }
    }

    /// Checks that the counter of each day is the number of invitations created on that day, and within the limit.
    fn counters(&mut self, relationship: &Value, invitations: &[&Value], daily_limit: i64) {
        let made = |day: &str| {
            let that_day = |found: &&&Value| Timestamp::from_millis(number(found, "created")).day() == day;
            i64::try_from(invitations.iter().filter(that_day).count()).unwrap_or(i64::MAX)
        };
        let counters = relationship.as_object().into_iter().flatten();
        for (name, day) in counters.filter_map(|(name, _)| Some((name, name.strip_prefix("invited_")?))) {
            if made(day) != number(relationship, name) || made(day) > daily_limit {
                self.wrong(format!("{:?}: {name} is wrong or too high, {} created", key(relationship), made(day)));
            }
        }
        let today = self.now.day();
        if made(&today) > number(relationship, &format!("invited_{today}")) {
            self.wrong(format!("{:?}: today's invitations are not counted", key(relationship)));
        }
    }

    fn grants(&mut self) {
        for item in self.table.grants() {
            let name = format!("{:?}", key(item));
            let events = self.events(item);
            let (mut over, mut last) = (false, i64::MAX);
            for event in &events {
                if over {
                    self.wrong(format!("{name}: {} after the grant ended", event.event_type.as_str()));
                }
                let days = event.data.get("days").and_then(Value::as_i64);
                if event.event_type == EventType::GrantNarrowed {
                    // The notices begin again with the new end.
                    last = i64::MAX;
                    continue;
                }
                over = matches!(event.event_type, EventType::GrantEnded | EventType::GrantExpired);
                if event.event_type == EventType::GrantExpiring && days.is_none_or(|days| days >= last) {
                    self.wrong(format!("{name}: expiring in {days:?} days follows {last} days"));
                }
                last = days.unwrap_or(last);
            }
            let is_ended = events.last().is_some_and(|event| event.event_type == EventType::GrantEnded);
            if (text(item, "grant_state") == "ended") != is_ended || item.get("ended").is_some() != is_ended {
                self.wrong(format!("{name}: its state does not match its events"));
            }
            if over && item.get("gsi3sk").is_some() {
                self.wrong(format!("{name}: over, but still due"));
            }
            let tail = text(item, "sk").rsplit_once("#GRANT#grt_").map_or("", |(_, tail)| tail);
            if self.table.get(&format!("INVITATION#inv_{tail}"), "INVITATION").is_none() {
                self.wrong(format!("{name}: has no invitation"));
            }
        }
    }

    fn subscriptions(&mut self) {
        for item in self.table.under("SUBSCRIPTION#") {
            let pk = text(item, "pk");
            let first = self.events(item).first().cloned();
            let same = first.is_some_and(|event| {
                event.occurred_at.millis() == number(item, "registered")
                    && event.subject.partner_id.is_some_and(|id| format!("PARTNER#{id}") == text(item, "gsi1pk"))
                    && event.data["quantity"] == number(item, "quantity")
                    && event.data["offer_id"] == text(item, "offer")
                    && event.data["service"] == text(item, "service")
                    && event.data["term"] == text(item, "term")
                    && event.data["billing_cycle"] == text(item, "billing")
            });
            if !same || number(item, "event_seq") != 1 {
                self.wrong(format!("{pk}: does not match its only event"));
            }
            let pair = self.table.get(text(item, "gsi2pk"), text(item, "gsi1pk"));
            if pair.is_none_or(|pair| text(pair, "relation") == "none") {
                self.wrong(format!("{pk}: there has never been a relationship"));
            }
            let tenant = format!("TENANT#{}", text(item, "gsi2pk").trim_start_matches("CUSTOMER#"));
            let cloud = self.table.get(&tenant, "TENANT").map_or("", |tenant| text(tenant, "cloud"));
            if cloud != text(item, "cloud") || !pk.starts_with(&format!("SUBSCRIPTION#{cloud}#")) {
                self.wrong(format!("{pk}: does not match the cloud of its tenant, {cloud:?}"));
            }
        }
    }

    fn partners(&mut self) {
        let mut partners = 0;
        for item in self.table.under("PARTNER#") {
            partners += 1;
            let id = text(item, "pk").trim_start_matches("PARTNER#");
            let tenant = self.table.get(&format!("TENANT#{}", text(item, "tenant")), "TENANT");
            let agrees = tenant.is_some_and(|tenant| {
                text(tenant, "csp_partner") == id
                    && text(tenant, "cloud") == text(item, "cloud")
                    && text(tenant, "market") == text(item, "market")
            });
            if !agrees {
                self.wrong(format!("PARTNER#{id}: does not match its tenant"));
            }
        }
        let csp = self.table.under("TENANT#").filter(|tenant| tenant.get("csp_partner").is_some()).count();
        if csp != partners {
            self.wrong(format!("{csp} CSP tenants, but {partners} partners"));
        }
    }
}

/// The id of an invitation.
fn id_of(invitation: &Value) -> &str {
    text(invitation, "pk").trim_start_matches("INVITATION#")
}

/// The partition key of the events of an aggregate.
fn events_of(item: &Value) -> String {
    let (pk, sk) = key(item);
    let Some(customer) = pk.strip_prefix("CUSTOMER#") else { return format!("EVENTS#{pk}") };
    match sk.rsplit_once("#GRANT#") {
        Some((_, grant)) => format!("EVENTS#GRANT#{grant}"),
        None => format!("EVENTS#RELATIONSHIP#{customer}#{}", sk.trim_start_matches("PARTNER#")),
    }
}
