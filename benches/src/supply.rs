//! The data that the measured requests need: partners with keys, and customers, invitations and ids that are used once. Our own
//! functions make it, before the time that is measured.

use std::collections::VecDeque;
use std::path::Path;

use serde_json::{Value, json};

use crate::contender::{Build, Command};
use crate::engine::Engine;
use crate::error::{BenchError, Result};
use crate::events::{Events, Partner};
use crate::process::Process;

/// The first partner's requests are the warm ones. A function has not seen the others, so a request of another one is as after
/// the caches have expired.
const PARTNERS: usize = 4;
/// What `BatchWriteItem` takes.
const BATCH: usize = 25;
/// Customers that are made at once.
const CUSTOMERS: usize = 500;

/// The master key of the sample events, which everybody knows.
const MASTER_KEY: &str = "the master key of the sample events, which everybody knows";

/// What a request is made of.
#[derive(Clone, Debug)]
pub enum Feed {
    /// The same event each time.
    Fixed(Vec<u8>),
    /// A request of a command that succeeds, each with new ids.
    Command(Command),
}

pub struct Supply {
    pub engine: Engine,
    pub events: Events,
    pub partners: Vec<Partner>,
    /// A customer with which every partner has an active relationship.
    pub customer: String,
    /// The item of a registered customer, which other customers are copied from.
    tenant: Value,
    customers: VecDeque<String>,
    creator: Process,
    /// Invitations with their tokens, for each partner.
    invitations: Vec<VecDeque<(String, String)>>,
    used: u64,
}

impl Supply {
    /// # Errors
    /// If a function is not built or does not what it should.
    pub fn start(engine: Engine, events: Events, build: &Build, folder: &Path) -> Result<Self> {
        let variables = variables(&format!("http://{}", engine.address), &events)?;
        let start = |function: &str| {
            let missing = || BenchError::NotBuilt(build.folder.join(function).display().to_string());
            let launch = build.launch(function).ok_or_else(missing)?;
            Process::start(&launch, &variables, &folder.join(format!("supply-{function}.log")))
        };
        let (mut administer, creator) = (start("administer")?, start(Command::Create.function())?);
        let mut partners = Vec::new();
        for number in 0..PARTNERS {
            partners.push(enroll(&mut administer, &events, number)?);
        }
        let customer = "c0c0c0c0-0000-4000-8000-000000000000".to_owned();
        let body = json!({"tenant_id": customer, "name": "Contoso", "cloud": "public", "market": "US"});
        let registered = administer.invoke(events.operator("administer/register-customer", &body)?)?;
        registered.expect("register a customer", 201)?;
        let mut supply = Self {
            engine,
            events,
            partners,
            customer: customer.clone(),
            tenant: Value::Null,
            customers: VecDeque::new(),
            creator,
            invitations: vec![VecDeque::new(); PARTNERS],
            used: 0,
        };
        supply.tenant = supply.engine.item(&format!("TENANT#{customer}"), "TENANT")?;
        let mut accept = start(Command::Accept.function())?;
        for partner in 0..PARTNERS {
            let (invitation, token) = supply.invite(partner, &customer)?;
            accept.invoke(supply.events.accept(&invitation, &token)?)?.expect("accept", 200)?;
        }
        Ok(supply)
    }

    /// The next event, as this partner sends it.
    ///
    /// # Errors
    /// If what it needs cannot be made.
    pub fn next(&mut self, feed: &Feed, partner: usize) -> Result<Vec<u8>> {
        match feed {
            Feed::Fixed(event) => Ok(event.clone()),
            Feed::Command(Command::Create) => {
                let (customer, key) = (self.customer()?, self.id("key"));
                self.events.create(&self.partners[partner], &key, &invitation_body(&customer))
            }
            Feed::Command(Command::Accept) => {
                let (invitation, token) = self.invitation(partner)?;
                self.events.accept(&invitation, &token)
            }
            Feed::Command(Command::Register) => {
                let body = subscription_body(&self.id("subscription"), &self.customer);
                self.events.register(&self.partners[partner], &body)
            }
        }
    }

    /// Makes what so many requests need, so that it is not made between them.
    ///
    /// # Errors
    /// As [`Supply::next`].
    pub fn prepare(&mut self, feed: &Feed, count: usize) -> Result<()> {
        while matches!(feed, Feed::Command(Command::Create)) && self.customers.len() < count {
            self.make_customers()?;
        }
        while matches!(feed, Feed::Command(Command::Accept)) && self.invitations[0].len() < count {
            self.make_invitation(0)?;
        }
        Ok(())
    }

    /// A registered customer without an invitation.
    ///
    /// # Errors
    /// As [`Supply::next`].
    pub fn customer(&mut self) -> Result<String> {
        if self.customers.is_empty() {
            self.make_customers()?;
        }
        Ok(self.customers.pop_front().unwrap_or_default())
    }

    /// An id that was not used before.
    pub fn id(&mut self, kind: &str) -> String {
        self.used += 1;
        format!("{kind}-{}", self.used)
    }

    fn invitation(&mut self, partner: usize) -> Result<(String, String)> {
        if self.invitations[partner].is_empty() {
            self.make_invitation(partner)?;
        }
        Ok(self.invitations[partner].pop_front().unwrap_or_default())
    }

    fn make_customers(&mut self) -> Result<()> {
        for _ in 0..CUSTOMERS / BATCH {
            let mut batch = Vec::new();
            for _ in 0..BATCH {
                self.used += 1;
                let id = format!("c0c0c0c0-0000-4000-8000-{:012x}", self.used);
                let mut item = self.tenant.clone();
                item["pk"] = json!({"S": format!("TENANT#{id}")});
                batch.push(item);
                self.customers.push_back(id);
            }
            self.engine.put(batch)?;
        }
        Ok(())
    }

    fn make_invitation(&mut self, partner: usize) -> Result<()> {
        let customer = self.customer()?;
        let made = self.invite(partner, &customer)?;
        self.invitations[partner].push_back(made);
        Ok(())
    }

    fn invite(&mut self, partner: usize, customer: &str) -> Result<(String, String)> {
        let key = self.id("key");
        let event = self.events.create(&self.partners[partner], &key, &invitation_body(customer))?;
        Ok(link(&self.creator.invoke(event)?.expect("create", 201)?))
    }
}

/// The invitation's id and the token in its link.
pub fn link(created: &Value) -> (String, String) {
    let url = created["accept_url"].as_str().unwrap_or_default();
    let token = url.split_once('#').map(|(_, token)| token).unwrap_or_default();
    (created["invitation"]["invitation_id"].as_str().unwrap_or_default().to_owned(), token.to_owned())
}

pub fn invitation_body(customer: &str) -> Value {
    json!({"customer_tenant_id": customer, "delegated_admin": null})
}

pub fn subscription_body(id: &str, customer: &str) -> Value {
    json!({
        "subscription_id": id, "customer_tenant_id": customer, "service": "azure", "offer_id": "azure-plan",
        "quantity": 1, "billing_cycle": "monthly", "term": "P1M",
    })
}

fn enroll(administer: &mut Process, events: &Events, number: usize) -> Result<Partner> {
    let tenant = format!("90070000-0000-4000-8000-{number:012x}");
    let body = json!({"tenant_id": tenant, "name": "Northwind", "cloud": "public", "market": "US"});
    let enrolled = administer.invoke(events.operator("administer/enrol-partner", &body)?)?;
    let enrolled = enrolled.expect("enroll a partner", 201)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let id = text(&enrolled["partner"]["partner_id"]);
    let body = json!({"principal": {"kind": "partner", "id": id}, "roles": ["global_admin"], "name": "bench"});
    let issued = administer.invoke(events.operator("administer/issue-key", &body)?)?.expect("issue a key", 201)?;
    Ok(Partner { id, key: text(&issued["key"]), secret: text(&enrolled["signing_secret"]) })
}

/// The variables that Lambda and the template set.
///
/// # Errors
/// If the samples are missing.
pub fn variables(endpoint: &str, events: &Events) -> Result<Vec<(String, String)>> {
    let operator_key_hash = events.operator_key_hash()?;
    let variables = [
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-printed"),
        ("TABLE_NAME", crate::engine::TABLE),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
        ("AWS_USE_FIPS_ENDPOINT", "false"),
        ("PUBLIC_BASE_URL", ""),
        ("MASTER_KEY_1", MASTER_KEY),
        ("OPERATOR_KEY_HASH", &operator_key_hash),
        ("WEBHOOK_QUEUE_URL", "http://127.0.0.1:9/000000000000/webhooks"),
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9"),
        ("ALLOW_LOOPBACK_ENDPOINTS", "false"),
    ];
    Ok(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
}
