//! Sends the request of a task and reads what became of its lines.

use domain::{PartnerId, Timestamp};
use serde_json::Value;

use super::item::Item;
use super::kind::Kind;
use super::row::{Link, Outcome, Row};
use super::server::{Refused, Sent, Server, code, reason};
use super::tasks::Task;
use crate::api::{Answer, Call};
use crate::client::{ClientError, Rejection};

/// Who imports what.
pub struct Importer<'a> {
    pub server: &'a Server,
    pub kind: Kind,
    /// The caller, if it is a partner.
    pub partner: Option<PartnerId>,
}

impl Importer<'_> {
    pub async fn perform(&self, task: Task) -> Result<Vec<Row>, Refused> {
        match task {
            Task::Known(row) => Ok(vec![row]),
            Task::One(item) => Ok(vec![self.one(&item).await?]),
            Task::Batch(items) => self.batch(items).await,
        }
    }

    /// Sends a request.
    pub async fn send(&self, call: Call) -> Result<Sent, Refused> {
        match self.server.send(call).await? {
            // It concerns the caller, and so every line.
            Err(rejection) if self.partner.is_some() && code(&rejection) == "partner_not_active" => {
                Err(ClientError::Rejected(rejection).into())
            }
            sent => Ok(sent),
        }
    }

    async fn one(&self, item: &Item) -> Result<Row, Refused> {
        let own = self.own_path();
        let body = item.body.clone();
        let call = match self.kind {
            Kind::Customers => json("POST", "/v1/customers", body),
            Kind::Relationships => json("PUT", relationship_path(item), body),
            Kind::Invitations => {
                json("POST", format!("{own}/invitations"), body).idempotency_key(self.idempotency_key(item))
            }
            Kind::Subscriptions => json("POST", format!("{own}/subscriptions"), body),
        };
        Ok(match self.send(call).await? {
            Ok(answer) => self.row(item, &answer),
            Err(rejection) => failed(item, &rejection),
        })
    }

    /// The same line has the same key in every run.
    pub fn idempotency_key(&self, item: &Item) -> String {
        format!("import-{}", data_encoding::HEXLOWER.encode(&item.content(self.kind)[..16]))
    }

    pub fn own_path(&self) -> String {
        format!("/v1/partners/{}", self.partner.as_ref().map(PartnerId::as_str).unwrap_or_default())
    }

    fn row(&self, item: &Item, answer: &Answer) -> Row {
        let row = if answer.status == 201 && !answer.replayed() {
            Row::new(item.line, Outcome::Created, "")
        } else {
            Row::new(item.line, Outcome::Unchanged, unchanged(self.kind, item, answer.json()))
        };
        Row { link: link(answer), ..row }
    }

    /// Sends lines of one customer. A malformed line would reject the whole batch, so the others are then sent without it.
    async fn batch(&self, mut items: Vec<Item>) -> Result<Vec<Row>, Refused> {
        let mut rows = Vec::with_capacity(items.len());
        while !items.is_empty() {
            let bodies: Vec<_> = items.iter().map(|item| item.body.as_str()).collect();
            let body = format!("{{\"subscriptions\":[{}]}}", bodies.join(","));
            let path = format!("{}/subscriptions/batch", self.own_path());
            let sent = self.send(json("POST", path, body)).await?;
            let malformed = malformed(&sent, items.len());
            if malformed.is_empty() {
                rows.extend(items.iter().enumerate().map(|(at, item)| result(item, &sent, at)));
                break;
            }
            let mut index = 0..;
            items.retain(|item| {
                let at = index.next();
                let fault = malformed.iter().find(|fault| Some(fault.index) == at);
                rows.extend(fault.map(|fault| {
                    Row::new(item.line, Outcome::Failed, fault.detail.as_str()).with_code("validation_failed")
                }));
                fault.is_none()
            });
        }
        rows.sort_unstable_by_key(|row| row.line);
        Ok(rows)
    }
}

fn json(method: &str, path: impl Into<String>, body: String) -> Call {
    Call::new(method, path).header("content-type", "application/json").bytes(body)
}

fn relationship_path(item: &Item) -> String {
    let partner = item.partner.as_ref().map(PartnerId::as_str).unwrap_or_default();
    format!("/v1/partners/{partner}/customers/{}", item.customer)
}

fn failed(item: &Item, rejection: &Rejection) -> Row {
    Row::new(item.line, Outcome::Failed, reason(rejection)).with_code(code(rejection))
}

/// What a line asked for and did not get, because the record exists already.
fn unchanged(kind: Kind, item: &Item, answer: &Value) -> String {
    match kind {
        Kind::Relationships => {
            let since = |value: &Value| value.as_str().and_then(Timestamp::parse_with_offset);
            let asked: Value = serde_json::from_str(&item.body).unwrap_or_default();
            let recorded = &answer["relationship"]["since"];
            let is_same = since(&asked["since"]) == since(recorded);
            let recorded = recorded.as_str().unwrap_or_default();
            if is_same { String::new() } else { format!("the relationship is active since {recorded}, which was kept") }
        }
        Kind::Invitations => match answer["invitation"]["state"].as_str() {
            Some(state) if state != "pending" => format!("the invitation is {state}"),
            _ => String::new(),
        },
        Kind::Customers | Kind::Subscriptions => String::new(),
    }
}

fn link(answer: &Answer) -> Option<Link> {
    let text = |pointer| answer.text(pointer).unwrap_or_default().to_owned();
    answer.text("/invitation/invitation_id")?;
    Some(Link { accept_url: text("/accept_url"), expires_at: text("/invitation/expires_at") })
}

/// A malformed line of a batch.
struct Malformed {
    index: usize,
    detail: String,
}

fn malformed(sent: &Sent, count: usize) -> Vec<Malformed> {
    let errors = sent.as_ref().err().map(|rejection| rejection.errors.as_slice()).unwrap_or_default();
    let faults = errors.iter().filter_map(|error| {
        let (index, member) = error.pointer.strip_prefix("/subscriptions/")?.split_once('/')?;
        let index = index.parse().ok().filter(|index| *index < count)?;
        Some(Malformed { index, detail: format!("`{member}`: {}", error.detail) })
    });
    faults.collect()
}

/// The result of one line of a batch.
fn result(item: &Item, sent: &Sent, at: usize) -> Row {
    let answer = match sent {
        Ok(answer) => answer,
        Err(rejection) => return failed(item, rejection),
    };
    let result = &answer.json()["results"][at];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match result["outcome"].as_str() {
        Some("registered") => Row::new(item.line, Outcome::Created, ""),
        Some("replayed") => Row::new(item.line, Outcome::Unchanged, ""),
        Some(_) => {
            let problem = &result["problem"];
            Row::new(item.line, Outcome::Failed, text(&problem["detail"])).with_code(text(&problem["code"]))
        }
        None => Row::new(item.line, Outcome::Failed, "the response has no result for this line"),
    }
}
