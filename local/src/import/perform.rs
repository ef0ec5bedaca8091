//! Sends the request of a task and reads what became of its lines.

use domain::{PartnerId, Timestamp};
use serde_json::Value;

use super::item::Item;
use super::kind::Kind;
use super::row::{Link, Outcome, Row};
use super::server::{Refused, Server, reason};
use super::tasks::Task;
use crate::api::{Answer, Call};

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

    async fn one(&self, item: &Item) -> Result<Row, Refused> {
        let body = item.body.clone();
        let json = |method, path: String| Call::new(method, path).header("content-type", "application/json").bytes(body);
        let own = self.own_path();
        let call = match self.kind {
            Kind::Customers => json("POST", "/v1/customers".to_owned()),
            Kind::Relationships => json("PUT", relationship_path(item)),
            Kind::Invitations => json("POST", format!("{own}/invitations")).idempotency_key(self.idempotency_key(item)),
            Kind::Subscriptions => json("POST", format!("{own}/subscriptions")),
        };
        let answer = self.server.send(call).await?;
        Ok(self.row(item, &answer))
    }

    /// The same line has the same key in every run.
    pub fn idempotency_key(&self, item: &Item) -> String {
        format!("import-{}", data_encoding::HEXLOWER.encode(&item.content(self.kind)[..16]))
    }

    pub fn own_path(&self) -> String {
        format!("/v1/partners/{}", self.partner.as_ref().map(PartnerId::as_str).unwrap_or_default())
    }

    fn row(&self, item: &Item, answer: &Answer) -> Row {
        match answer.status {
            201 if !answer.replayed() => Row { link: link(answer), ..Row::new(item.line, Outcome::Created, "") },
            200 | 201 => {
                let message = unchanged(self.kind, item, answer.json());
                Row { link: link(answer), ..Row::new(item.line, Outcome::Unchanged, message) }
            }
            _ => Row::new(item.line, Outcome::Failed, reason(answer)).with_code(answer.code()),
        }
    }

    /// Sends lines of one customer. A malformed line would reject the whole batch, so the others are then sent without it.
    async fn batch(&self, mut items: Vec<Item>) -> Result<Vec<Row>, Refused> {
        let mut rows = Vec::with_capacity(items.len());
        while !items.is_empty() {
            let bodies: Vec<_> = items.iter().map(|item| item.body.as_str()).collect();
            let body = format!("{{\"subscriptions\":[{}]}}", bodies.join(","));
            let path = format!("{}/subscriptions/batch", self.own_path());
            let call = Call::new("POST", path).header("content-type", "application/json").bytes(body);
            let answer = self.server.send(call).await?;
            let malformed = malformed(&answer, items.len());
            if malformed.is_empty() {
                rows.extend(items.iter().enumerate().map(|(at, item)| result(item, &answer, at)));
                break;
            }
            let mut at = 0;
            items.retain(|item| {
                let fault = malformed.iter().find(|(index, _)| *index == at).map(|(_, fault)| fault);
                at += 1;
                if let Some(fault) = fault {
                    rows.push(Row::new(item.line, Outcome::Failed, fault).with_code(answer.code()));
                }
                fault.is_none()
            });
        }
        rows.sort_unstable_by_key(|row| row.line);
        Ok(rows)
    }
}

fn relationship_path(item: &Item) -> String {
    let partner = item.partner.as_ref().map(PartnerId::as_str).unwrap_or_default();
    format!("/v1/partners/{partner}/customers/{}", item.customer)
}

/// What a line asked for and did not get, because the record exists already.
fn unchanged(kind: Kind, item: &Item, answer: &Value) -> String {
    match kind {
        Kind::Relationships => {
            let since = |value: &Value| value.as_str().and_then(Timestamp::parse_with_offset);
            let asked: Value = serde_json::from_str(&item.body).unwrap_or_default();
            let is_same = since(&asked["since"]) == since(&answer["relationship"]["since"]);
            let recorded = answer["relationship"]["since"].as_str().unwrap_or_default();
            if is_same { String::new() } else { format!("the relationship is active since {recorded}. That was kept") }
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

/// The lines of a batch that are malformed, and why.
fn malformed(answer: &Answer, count: usize) -> Vec<(usize, String)> {
    let errors = answer.json()["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fault = |error: &Value| {
        let (index, member) = error["pointer"].as_str()?.strip_prefix("/subscriptions/")?.split_once('/')?;
        let index = index.parse().ok().filter(|index| *index < count)?;
        Some((index, format!("`{member}`: {}", error["detail"].as_str().unwrap_or_default())))
    };
    if answer.status == 422 { errors.iter().filter_map(fault).collect() } else { Vec::new() }
}

/// The result of one line of a batch.
fn result(item: &Item, answer: &Answer, at: usize) -> Row {
    let result = &answer.json()["results"][at];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match result["outcome"].as_str() {
        Some("registered") => Row::new(item.line, Outcome::Created, ""),
        Some("replayed") => Row::new(item.line, Outcome::Unchanged, ""),
        Some(_) => {
            let problem = &result["problem"];
            Row::new(item.line, Outcome::Failed, text(&problem["detail"])).with_code(text(&problem["code"]))
        }
        // The whole batch was rejected.
        None => Row::new(item.line, Outcome::Failed, reason(answer)).with_code(answer.code()),
    }
}
