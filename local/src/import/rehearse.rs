//! A rehearsal: reads what the server has, and says what each line would do. It changes nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::InvitationId;
use serde_json::{Map, Value};

use super::item::Item;
use super::kind::Kind;
use super::perform::Importer;
use super::row::{Outcome, Row};
use super::server::{Refused, Sent, code, reason};
use super::tasks::Task;
use crate::api::Call;
use crate::client::Rejection;

pub struct Rehearsal<'a> {
    importer: Importer<'a>,
    /// Partners and relationships, which many lines share.
    read: Mutex<HashMap<String, Option<Value>>>,
}

/// Why a line would fail: a code of the API, and words.
type Failure = (&'static str, &'static str);

const TENANT_EXISTS: Failure =
    ("tenant_exists", "the customer is registered with another name, domain, cloud or market");
const NO_PARTNER: Failure = ("not_found", "no partner has this id. Enroll the partner first");
const NO_CUSTOMER: Failure = ("customer_unknown", "no customer has this tenant id. Import customers first");
const SELF: Failure = ("self_relationship", "the tenant is that of the partner");
const CSP_TENANT: Failure = ("customer_is_csp_tenant", "the tenant is itself a partner");
const CLOUD: Failure = ("cloud_mismatch", "partner and customer are in different clouds");
const MARKET: Failure = ("market_mismatch", "partner and customer are in different markets");
const ENDED: Failure = ("invalid_transition", "the relationship has ended. Only the customer can start it again");
const ACTIVE: Failure = ("relationship_active", "the relationship is active, and the line asks for no roles");
const NO_RELATIONSHIP: Failure = ("no_active_relationship", "there is no active relationship with this customer");
const OTHER_PARTNER: Failure = ("partner_of_record_mismatch", "the line names another partner of record");
const SUBSCRIPTION_EXISTS: Failure = ("subscription_exists", "the subscription is registered with other details");

enum Finding {
    New(&'static str),
    Same,
    Fails(Failure),
}

impl<'a> Rehearsal<'a> {
    pub fn new(importer: Importer<'a>) -> Self {
        Self { importer, read: Mutex::default() }
    }

    pub async fn perform(&self, task: Task) -> Result<Vec<Row>, Refused> {
        let items = match task {
            Task::Known(row) => return Ok(vec![would(row)]),
            Task::One(item) => vec![item],
            Task::Batch(items) => items,
        };
        let mut rows = Vec::new();
        for item in &items {
            rows.push(self.row(item).await?);
        }
        Ok(rows)
    }

    async fn row(&self, item: &Item) -> Result<Row, Refused> {
        let found = match self.importer.kind {
            Kind::Customers => self.customer(item).await,
            Kind::Relationships => self.relationship(item).await,
            Kind::Invitations => self.invitation(item).await,
            Kind::Subscriptions => self.subscription(item).await,
        };
        let row = |outcome, message: &str| Row::new(item.line, outcome, message);
        match found {
            Ok(Finding::New(note)) => Ok(row(Outcome::WouldCreate, note)),
            Ok(Finding::Same) => Ok(row(Outcome::Unchanged, "")),
            Ok(Finding::Fails((code, message))) => Ok(row(Outcome::WouldFail, message).with_code(code)),
            Err(Unread::Refused(refused)) => Err(refused),
            Err(Unread::Rejected(rejection)) => {
                Ok(row(Outcome::WouldFail, &reason(&rejection)).with_code(code(&rejection)))
            }
        }
    }

    async fn customer(&self, item: &Item) -> Result<Finding, Unread> {
        let Some(before) = self.get(format!("/v1/customers/{}", item.customer)).await? else {
            return Ok(Finding::New(""));
        };
        Ok(same_or(agrees(item, &before["customer"]), TENANT_EXISTS))
    }

    async fn relationship(&self, item: &Item) -> Result<Finding, Unread> {
        let partner_path = item.partner.as_ref().map(|partner| format!("/v1/partners/{partner}")).unwrap_or_default();
        let Some(partner) = self.get_once(partner_path.clone()).await? else { return Ok(Finding::Fails(NO_PARTNER)) };
        match self.state(&partner_path, item).await?.as_deref() {
            Some("active") => return Ok(Finding::Same),
            Some("ended") => return Ok(Finding::Fails(ENDED)),
            _ => {}
        }
        let customer = self.get(format!("/v1/customers/{}", item.customer)).await?;
        let Some(customer) = customer else { return Ok(Finding::Fails(NO_CUSTOMER)) };
        let (partner, customer) = (&partner["partner"], &customer["customer"]);
        Ok(match () {
            () if partner["tenant_id"] == customer["tenant_id"] => Finding::Fails(SELF),
            () if customer["partner_id"].is_string() => Finding::Fails(CSP_TENANT),
            () if partner["cloud"] != customer["cloud"] => Finding::Fails(CLOUD),
            () if partner["market"] != customer["market"] => Finding::Fails(MARKET),
            () => Finding::New(""),
        })
    }

    async fn invitation(&self, item: &Item) -> Result<Finding, Unread> {
        let own = self.importer.own_path();
        if let Some(partner) = &self.importer.partner {
            let id = InvitationId::from_idempotency_key(partner, "key", &self.importer.idempotency_key(item));
            if self.get(format!("{own}/invitations/{id}")).await?.is_some() {
                return Ok(Finding::Same);
            }
        }
        let body: Value = serde_json::from_str(&item.body).unwrap_or_default();
        let is_active = self.state(&own, item).await?.as_deref() == Some("active");
        Ok(match is_active {
            true if body["delegated_admin"].is_null() => Finding::Fails(ACTIVE),
            true => Finding::New("it would ask for a grant, because the relationship is active"),
            // A partner cannot read other tenants, nor learn whether they are registered.
            false => Finding::New("if the customer is registered and has no pending invitation"),
        })
    }

    async fn subscription(&self, item: &Item) -> Result<Finding, Unread> {
        let own = self.importer.own_path();
        let body: Value = serde_json::from_str(&item.body).unwrap_or_default();
        let partner = self.importer.partner.as_ref().map(domain::PartnerId::as_str);
        if body["partner_of_record"].as_str().is_some_and(|named| Some(named) != partner) {
            return Ok(Finding::Fails(OTHER_PARTNER));
        }
        if let Some(before) = self.get(format!("{own}/subscriptions/{}", item.key)).await? {
            return Ok(same_or(agrees(item, &before["subscription"]), SUBSCRIPTION_EXISTS));
        }
        let is_active = self.state(&own, item).await?.as_deref() == Some("active");
        Ok(if is_active { Finding::New("") } else { Finding::Fails(NO_RELATIONSHIP) })
    }

    /// The state of the relationship with a line's customer; `None` if there was never one.
    async fn state(&self, partner: &str, item: &Item) -> Result<Option<String>, Unread> {
        let found = self.get_once(format!("{partner}/customers/{}", item.customer)).await?;
        Ok(found.and_then(|found| found["relationship"]["state"].as_str().map(str::to_owned)))
    }

    /// [`get`](Self::get), at most about once for each path.
    async fn get_once(&self, path: String) -> Result<Option<Value>, Unread> {
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let found = self.get(path.clone()).await?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(path, found.clone());
        Ok(found)
    }

    /// The record at a path; `None` if there is none.
    async fn get(&self, path: String) -> Result<Option<Value>, Unread> {
        found(self.importer.send(Call::get(path)).await.map_err(Unread::Refused)?)
    }
}

/// A record could not be read.
enum Unread {
    Refused(Refused),
    Rejected(Box<Rejection>),
}

fn found(sent: Sent) -> Result<Option<Value>, Unread> {
    match sent {
        Ok(answer) => Ok(Some(answer.json().clone())),
        Err(rejection) if rejection.status == 404 => Ok(None),
        Err(rejection) => Err(Unread::Rejected(rejection)),
    }
}

fn same_or(is_same: bool, failure: Failure) -> Finding {
    if is_same { Finding::Same } else { Finding::Fails(failure) }
}

/// Whether the record has every value that the line gives, and no optional value that the line leaves out. An optional value of
/// a customer may be left out.
fn agrees(item: &Item, record: &Value) -> bool {
    let asked: Map<String, Value> = serde_json::from_str(&item.body).unwrap_or_default();
    let is_subscription = record.get("subscription_id").is_some();
    let left_out = ["friendly_name", "external_reference", "started_on"];
    let is_same = |(name, value): (&String, &Value)| match name.as_str() {
        "subscription_id" => record[name].as_str().map(str::to_ascii_lowercase) == Some(item.key.clone()),
        _ => record[name] == *value,
    };
    let has_more =
        is_subscription && left_out.iter().any(|name| !asked.contains_key(*name) && record.get(name).is_some());
    asked.iter().all(is_same) && !has_more
}

/// The result of a line that is never sent.
fn would(row: Row) -> Row {
    let outcome = if row.outcome == Outcome::Failed { Outcome::WouldFail } else { row.outcome };
    Row { outcome, ..row }
}
