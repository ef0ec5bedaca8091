//! The frame rule (MP-30 to MP-35): existing subscriptions never change.
//!
//! Several partners send random commands, valid and hostile, with duplicates, faults, clock jumps and runs of the job
//! `expire-due`. After every step, all existing subscriptions are compared byte for byte. A registration may add
//! exactly one subscription: its own.
//!
//! `STORE_FRAME_SEEDS` sets the number of seeds, `STORE_FRAME_FIRST` the first seed, and `STORE_FRAME_COMMANDS` the
//! number of commands per seed. To run a million commands:
//! `STORE_FRAME_SEEDS=100 STORE_FRAME_COMMANDS=10000 cargo test --release -p tests --test store frame`.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use local::TABLE;
use serde_json::{Value, json};
use tests::parties::{acceptance, link, registration};
use tests::rng::{Rng, from_env};
use tests::{Answer, Call, Customer, Partner, SimOptions, World};

use crate::ledger::{Ledger, partition};
use crate::table::{Table, text};

/// Percentage of requests to the table that get a fault.
const FAULTS: u64 = 12;
const DAILY_LIMIT: i64 = 5;

/// An invitation, as its partner and its customer know it.
#[derive(Clone, Debug)]
struct Invited {
    partner: usize,
    customer: usize,
    asks: bool,
    id: String,
    /// All known tokens of the invitation, newest last.
    tokens: Vec<String>,
}

/// A command to send.
#[derive(Clone, Debug)]
struct Command {
    name: &'static str,
    call: Call,
    /// The ids of the subscriptions that it may add.
    registers: Vec<String>,
    /// Indexes of the partner and the customer of the invitation in the response.
    parties: Option<(usize, usize)>,
}

/// Subscriptions by partition key, as stored in the table.
type Subscriptions = BTreeMap<String, Value>;

/// A run of one seed.
struct Play {
    world: World,
    rng: Rng,
    partners: Vec<Partner>,
    customers: Vec<Customer>,
    invited: Vec<Invited>,
    history: Vec<Command>,
    /// The invitation that all commands of a concurrent batch target.
    focus: Option<Invited>,
    before: Subscriptions,
    ledger: Ledger,
    /// The latest time so far, in milliseconds. The clock can also jump back.
    latest: i64,
    requests: u64,
    faults: u64,
    answers: BTreeMap<String, u64>,
}

impl Play {
    async fn new(seed: u64) -> Self {
        let world = World::simulated(SimOptions { seed, ..SimOptions::default() }).await;
        let mut partners = Vec::new();
        for (cloud, market) in
            [("public", "US"), ("public", "US"), ("public", "US"), ("us_gov", "US"), ("public", "DE")]
        {
            partners.push(world.partner_in(cloud, market).await);
        }
        let mut customers = Vec::new();
        for cloud in ["public", "public", "us_gov", "public", "public"] {
            customers.push(world.customer_in(cloud, "US").await);
        }
        let mut play = Self {
            world,
            rng: Rng::new(seed),
            partners,
            customers,
            invited: Vec::new(),
            history: Vec::new(),
            focus: None,
            before: Subscriptions::new(),
            ledger: Ledger::default(),
            latest: 0,
            requests: 0,
            faults: 0,
            answers: BTreeMap::new(),
        };
        play.ledger.take(&play.world.sim().faults.take()).expect("the setup breaks no rule");
        play.world.sim().faults.latency(seed, Duration::from_millis(4));
        play.world.sim().faults.random(seed, FAULTS);
        play
    }

    /// Sends this many commands, and stops at the first violation.
    async fn run(&mut self, commands: u64) -> Result<(), String> {
        let mut done = 0;
        while done < commands {
            match self.rng.below(100) {
                0..4 => self.jump(),
                4..7 => {
                    let _ = self.world.sim().expire_due().await;
                    self.check("expire-due", &[], &[])?;
                }
                roll => {
                    // Concurrent commands target the same invitation.
                    let batch = if roll > 85 { 2 + self.rng.below(2) } else { 1 };
                    self.focus = if batch > 1 { self.some_invited() } else { None };
                    let mut batch_of = Vec::new();
                    for _ in 0..batch {
                        batch_of.push(self.command());
                    }
                    let answers = join_all(batch_of.iter().map(|command| self.world.send(&command.call))).await;
                    let names: Vec<&str> = batch_of.iter().map(|command| command.name).collect();
                    self.check(&names.join(" ‖ "), &batch_of, &answers)?;
                    for (command, answer) in batch_of.into_iter().zip(answers) {
                        self.remember(command, &answer);
                    }
                    done += batch;
                    if done % 100 < batch {
                        self.check_table()?;
                    }
                    if self.rng.chance(2) {
                        self.newcomer().await?;
                    }
                }
            }
        }
        self.world.sim().faults.none();
        self.check_table()
    }

    fn jump(&mut self) {
        // Before the clock goes back: an invitation that has expired and was replaced is not open again.
        self.latest = self.latest.max(self.world.now().millis());
        const HOUR: i64 = 3_600_000;
        let jumps = [1, 999, 31_000, HOUR, 11 * HOUR, 24 * HOUR, 24 * HOUR, 8 * 24 * HOUR, 31 * 24 * HOUR, -1_500];
        let ms = *self.rng.pick(&jumps);
        self.world.sim().clock.advance_millis(ms);
    }

    /// Adds a customer, so that there is always one that can still buy.
    async fn newcomer(&mut self) -> Result<(), String> {
        self.world.sim().faults.none();
        let customer = self.world.customer().await;
        self.customers.push(customer);
        if self.customers.len() > 5 {
            // Only the first five customers get commands. The new one replaces one of them, which is still checked.
            let at = *self.rng.pick(&[0, 1, 3, 4]);
            let last = self.customers.len() - 1;
            self.customers.swap(at, last);
        }
        let seed = self.rng.draw();
        self.ledger.take(&self.world.sim().faults.take())?;
        self.world.sim().faults.random(seed, FAULTS);
        Ok(())
    }

    /// Checks everything that must be true after every step.
    fn check(&mut self, what: &str, commands: &[Command], answers: &[Answer]) -> Result<(), String> {
        let records = self.world.sim().faults.take();
        self.requests += records.len() as u64;
        self.faults += records.iter().filter(|record| record.fault.is_some()).count() as u64;
        let events = self.ledger.take(&records).map_err(|error| format!("{what}: {error}"))?;
        for (command, answer) in commands.iter().zip(answers) {
            let seen = format!("{} {}", answer.status, answer.code());
            *self.answers.entry(seen.trim_end().to_owned()).or_default() += 1;
            answered(command, answer)?;
        }
        if let ([command], [answer]) = (commands, answers) {
            let replayed = answer.replayed() || command.call.method == "GET";
            // A batch has an event for each subscription.
            let most = command.registers.len().max(1);
            let fits = match answer.status {
                _ if replayed => events <= 1,
                // A no-op (already suspended, name unchanged, nothing to register) is not a replay and stores no event.
                200 | 201 => {
                    events <= most && (events > 0 || ["administer", "batch", "preview"].contains(&command.name))
                }
                503 => events <= most,
                _ => events == 0,
            };
            if !fits {
                return Err(format!("{what}: {} {} with {events} events", answer.status, answer.code()));
            }
        }
        self.frame(commands).map_err(|error| format!("{what}: {error}"))
    }

    /// Checks the frame rule after these commands.
    fn frame(&mut self, commands: &[Command]) -> Result<(), String> {
        let after = self.subscriptions();
        let mut may_add: Vec<&str> =
            commands.iter().flat_map(|command| &command.registers).map(String::as_str).collect();
        for (pk, item) in &self.before {
            match after.get(pk) {
                None => return Err(format!("{pk} no longer exists")),
                Some(now) if now != item => return Err(format!("{pk} was {item}, is now {now}")),
                Some(_) => {}
            }
        }
        for pk in after.keys().filter(|pk| !self.before.contains_key(*pk)) {
            let id = pk.rsplit('#').next().unwrap_or_default();
            let Some(at) = may_add.iter().position(|may| may.eq_ignore_ascii_case(id)) else {
                return Err(format!("none of these commands registers {pk}"));
            };
            may_add.remove(at);
        }
        self.before = after;
        Ok(())
    }

    /// The subscriptions of all customers, as raw items.
    fn subscriptions(&self) -> Subscriptions {
        let mut found = Subscriptions::new();
        for customer in &self.customers {
            let mut query = json!({
                "TableName": TABLE, "IndexName": "gsi2",
                "KeyConditionExpression": "gsi2pk = :pk AND begins_with(listed, :kind)",
                "ExpressionAttributeValues": {
                    ":pk": {"S": format!("CUSTOMER#{}", customer.tenant_id)}, ":kind": {"S": "SUBSCRIPTION#"},
                },
            });
            loop {
                let mut answer = self.world.sim().raw("Query", &query);
                let items = answer["Items"].as_array_mut().map(std::mem::take).unwrap_or_default();
                found.extend(items.into_iter().map(|item| (text(&item, "pk").to_owned(), item)));
                match answer["LastEvaluatedKey"].take() {
                    Value::Null => break,
                    next => query["ExclusiveStartKey"] = next,
                }
            }
        }
        found
    }

    /// Checks the whole table.
    fn check_table(&mut self) -> Result<(), String> {
        let table = Table::of(self.world.sim());
        let subscriptions: Subscriptions =
            table.under("SUBSCRIPTION#").map(|item| (text(item, "pk").to_owned(), item.clone())).collect();
        if subscriptions != self.before {
            return Err("the customers' subscription lists differ from the table".to_owned());
        }
        if table.under("EVENTS#").count() != self.ledger.events {
            return Err(format!("{} events committed, but a different number stored", self.ledger.events));
        }
        self.latest = self.latest.max(self.world.now().millis());
        let violations = table.violations(domain::Timestamp::from_millis(self.latest), DAILY_LIMIT);
        if violations.is_empty() { Ok(()) } else { Err(violations.join("; ")) }
    }

    /// Stores what the parties learn from a response.
    fn remember(&mut self, command: Command, answer: &Answer) {
        let body = answer.json();
        if let (Some((partner, customer)), true) = (command.parties, body["accept_url"].is_string()) {
            let (id, token) = link(&body);
            match self.invited.iter_mut().find(|known| known.id == id) {
                Some(known) if !known.tokens.contains(&token) => known.tokens.push(token),
                Some(_) => {}
                None => {
                    let asks = !body["invitation"]["delegated_admin"].is_null();
                    self.invited.push(Invited { partner, customer, asks, id, tokens: vec![token] });
                }
            }
        }
        if self.invited.len() > 60 {
            self.invited.remove(0);
        }
        self.history.push(command);
        if self.history.len() > 40 {
            self.history.remove(0);
        }
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.rng.below(length as u64)).expect("the index fits usize")
    }

    fn some_invited(&mut self) -> Option<Invited> {
        if self.focus.is_some() {
            return self.focus.clone();
        }
        // Mostly picks a recent invitation, because it is often still open.
        let recent = self.invited.len().min(6);
        let from = if self.rng.chance(80) { self.invited.len() - recent } else { 0 };
        let at = from + self.index((self.invited.len() - from).max(1));
        self.invited.get(at).cloned()
    }

    fn command(&mut self) -> Command {
        if !self.history.is_empty() && self.rng.chance(15) {
            let at = self.index(self.history.len());
            return self.history[at].clone();
        }
        let (partner, customer) = self.pair();
        match (self.rng.below(100), self.some_invited()) {
            (0..20, _) => self.create(partner, customer),
            (20..41, Some(invited)) => self.accept(&invited),
            (41..44, Some(invited)) => self.decline(&invited),
            (44..47, Some(invited)) => self.manage(&invited, "cancel"),
            (47..52, Some(invited)) => self.manage(&invited, "renew"),
            (52..70, _) => self.register(partner, customer),
            (70..74, _) => self.register_batch(partner, customer),
            (74..77, _) => self.end(partner, customer),
            (77..80, Some(invited)) => self.end_grant(&invited),
            (80..83, Some(invited)) => self.narrow_grant(&invited),
            (83..85, Some(invited)) => self.plain("erase", self.world.erase(&invited.id)),
            (85..87, _) => self.import(partner, customer),
            (87..92, _) => self.administer(partner, customer),
            (92..94, Some(invited)) => {
                let body = json!({"token": invited.tokens.last()});
                self.plain("preview", Call::post(format!("/v1/invitations/{}/preview", invited.id), &body))
            }
            (94..97, _) => self.read(partner, customer),
            _ => self.hostile(partner, customer),
        }
    }

    /// Picks a partner and a customer, usually from the same cloud and market.
    fn pair(&mut self) -> (usize, usize) {
        if let Some(focus) = &self.focus {
            return (focus.partner, focus.customer);
        }
        match self.rng.below(20) {
            0..15 => (self.index(3), *self.rng.pick(&[0, 1, 3, 4])),
            15..18 => (3, 2),
            _ => (self.index(self.partners.len()), self.index(5)),
        }
    }

    fn plain(&self, name: &'static str, call: Call) -> Command {
        Command { name, call, registers: Vec::new(), parties: None }
    }

    fn wish(&mut self) -> Value {
        let wishes = [
            Value::Null,
            Value::Null,
            json!({"roles": ["directory_readers", "helpdesk_administrator"], "duration": "P30D"}),
            json!({"roles": ["global_reader"], "duration": "P2D", "auto_extend": true}),
            json!({"roles": ["global_administrator", "user_administrator"], "duration": "P730D"}),
            json!({"roles": ["global_administrator"], "duration": "P10D", "auto_extend": true}),
            json!({"roles": ["owner_of_everything"], "duration": "P10D"}),
        ];
        self.rng.pick(&wishes).clone()
    }

    fn create(&mut self, partner: usize, customer: usize) -> Command {
        let body = json!({
            "customer_tenant_id": self.customers[customer].tenant_id, "delegated_admin": self.wish(),
            "expires_in_days": 1 + self.rng.below(40),
        });
        let sender = &self.partners[partner];
        let call = if self.rng.chance(30) {
            let now = self.world.now();
            let envelope = json!({"type": "invitation.create", "timestamp": now.to_string(), "data": body});
            let id = format!("msg_{}", self.rng.below(1_000_000));
            let call = sender.webhook("/invitations", &id, now.seconds(), envelope.to_string().as_bytes());
            if self.rng.chance(10) { call.bytes(envelope.to_string().replace("null", " null")) } else { call }
        } else {
            let key = if self.rng.chance(10) { "the-same-key".to_owned() } else { self.rng.draw().to_string() };
            sender.create(&body).idempotency_key(key)
        };
        Command { name: "create", call, registers: Vec::new(), parties: Some((partner, customer)) }
    }

    fn accept(&mut self, invited: &Invited) -> Command {
        let words = [
            Value::Null,
            json!("as_requested"),
            json!("as_requested"),
            json!("refused"),
            json!({"roles": ["directory_readers"], "duration": "P1D"}),
            json!({"roles": ["global_administrator"], "duration": "P731D"}),
        ];
        let word = match self.rng.below(10) {
            0..8 if !invited.asks => Value::Null,
            0..5 => json!("as_requested"),
            _ => self.rng.pick(&words).clone(),
        };
        if self.rng.chance(25) {
            let person = json!({"name": "Avery Howard", "email": "avery@contoso.example"});
            // An invitation that was renewed has as many links as versions.
            let version = if self.rng.chance(90) { invited.tokens.len() } else { 1 };
            let mut body = json!({"version": version, "accepted_by": person});
            if !word.is_null() {
                body["delegated_admin"] = word;
            }
            let caller = if self.rng.chance(90) { invited.customer } else { 0 };
            let call = self.customers[caller].call("POST", &format!("/invitations/{}/accept", invited.id)).json(&body);
            return self.plain("accept by key", call);
        }
        let token = if self.rng.chance(90) { invited.tokens.last() } else { invited.tokens.first() };
        let body = acceptance(token.expect("the invitation has a token"), &word);
        self.plain("accept", Call::post(format!("/v1/invitations/{}/accept", invited.id), &body))
    }

    fn decline(&mut self, invited: &Invited) -> Command {
        let call = if self.rng.chance(50) {
            let token = invited.tokens.last().expect("the invitation has a token");
            Call::post(format!("/v1/invitations/{}/decline", invited.id), &json!({"token": token, "reason": "no"}))
        } else {
            self.customers[invited.customer].call("POST", &format!("/invitations/{}/decline", invited.id))
        };
        self.plain("decline", call)
    }

    fn manage(&mut self, invited: &Invited, what: &'static str) -> Command {
        let partner = if self.rng.chance(90) { invited.partner } else { 0 };
        let call = self.partners[partner].call("POST", &format!("/invitations/{}/{what}", invited.id));
        let call = match (what, self.rng.below(4)) {
            ("renew", 0) => call.json(&json!({"delegated_admin": self.wish()})),
            ("renew", 1) => call.json(&json!({"message": "again", "expires_in_days": 1 + self.rng.below(40)})),
            _ => call,
        };
        Command { name: what, call, registers: Vec::new(), parties: Some((invited.partner, invited.customer)) }
    }

    fn register(&mut self, partner: usize, customer: usize) -> Command {
        let id = format!("Sub-{}", self.rng.below(40));
        let mut body = registration(&id, &self.customers[customer]);
        body["quantity"] = json!(1 + self.rng.below(2));
        match self.rng.below(20) {
            0 => body["partner_of_record"] = json!(self.partners[0].partner_id),
            1 => body["subscription_id"] = json!(id.to_uppercase()),
            2 => body["customer_tenant_id"] = json!("00000000-0000-4000-8000-00000000dead"),
            3 => body["transfer"] = json!(true),
            _ => {}
        }
        let sender = &self.partners[partner];
        let call = if self.rng.chance(30) {
            let now = self.world.now();
            let envelope = json!({"type": "subscription.register", "timestamp": now.to_string(), "data": body});
            let id = format!("msg_{}", self.rng.below(1_000_000));
            sender.webhook("/subscriptions", &id, now.seconds(), envelope.to_string().as_bytes())
        } else {
            sender.register(&body)
        };
        Command { name: "register", call, registers: vec![id], parties: None }
    }

    /// Up to six subscriptions, sometimes with an id twice or with another customer.
    fn register_batch(&mut self, partner: usize, customer: usize) -> Command {
        let ids: Vec<String> = (0..1 + self.rng.below(6)).map(|_| format!("Sub-{}", self.rng.below(40))).collect();
        let mut bodies = Vec::new();
        for id in &ids {
            let of = if self.rng.chance(2) { 0 } else { customer };
            let mut body = registration(id, &self.customers[of]);
            body["quantity"] = json!(1 + self.rng.below(2));
            if self.rng.chance(3) {
                body["partner_of_record"] = json!(self.partners[0].partner_id);
            }
            bodies.push(body);
        }
        let call = self.partners[partner].register_batch(&bodies);
        Command { name: "batch", call, registers: ids, parties: None }
    }

    fn import(&mut self, partner: usize, customer: usize) -> Command {
        let since = self.world.now().minus_days(u32::try_from(self.rng.below(1_000)).expect("fits u32"));
        let mut body = json!({"since": since});
        if self.rng.chance(50) {
            body["external_reference"] = json!("customer 4711");
        }
        self.plain("import", self.world.import_with(&self.partners[partner], &self.customers[customer], &body))
    }

    fn narrow_grant(&mut self, invited: &Invited) -> Command {
        let days = u32::try_from(1 + self.rng.below(20)).expect("fits u32");
        let bodies = [
            json!({"ends_at": self.world.now().plus_days(days)}),
            json!({"roles": ["directory_readers"]}),
            json!({"auto_extend": false}),
            json!({"roles": ["user_administrator"], "ends_at": self.world.now().plus_days(days)}),
        ];
        let path = format!("/grants/{}", invited.id.replace("inv_", "grt_"));
        let body = self.rng.pick(&bodies).clone();
        let call = if self.rng.chance(50) {
            self.partners[invited.partner].call("PATCH", &path)
        } else {
            self.customers[invited.customer].call("PATCH", &path)
        };
        self.plain("narrow grant", call.json(&body))
    }

    fn end(&mut self, partner: usize, customer: usize) -> Command {
        let (partner, customer) = (&self.partners[partner], &self.customers[customer]);
        let call = if self.rng.chance(50) {
            partner.call("DELETE", &format!("/customers/{}", customer.tenant_id))
        } else {
            customer.call("DELETE", &format!("/partners/{}", partner.partner_id))
        };
        self.plain("end", call)
    }

    fn end_grant(&mut self, invited: &Invited) -> Command {
        let path = format!("/grants/{}", invited.id.replace("inv_", "grt_"));
        let call = if self.rng.chance(50) {
            self.partners[invited.partner].call("DELETE", &path)
        } else {
            self.customers[invited.customer].call("DELETE", &path)
        };
        self.plain("end grant", call)
    }

    fn administer(&mut self, partner: usize, customer: usize) -> Command {
        let of_partner = format!("/v1/partners/{}", self.partners[partner].partner_id);
        let of_customer = format!("/v1/customers/{}", self.customers[customer].tenant_id);
        let name = json!({"name": format!("Name {}", self.rng.below(3))});
        let call = match self.rng.below(20) {
            0..3 => Call::new("POST", format!("{of_partner}/suspend")),
            3..9 => Call::new("POST", format!("{of_partner}/resume")),
            9..11 => Call::new("PATCH", of_partner).json(&name),
            11..13 => Call::new("PATCH", of_customer).json(&name),
            13 => {
                let tenant = &self.customers[customer].tenant_id;
                Call::post(
                    "/v1/partners",
                    &json!({"tenant_id": tenant, "name": "Turncoat", "cloud": "public", "market": "US"}),
                )
            }
            14 => Call::post("/v1/keys", &json!({"principal": {"kind": "operator"}, "roles": [], "name": "k"}))
                .idempotency_key(self.rng.below(4).to_string()),
            15 => Call::post(format!("{of_partner}/signing-secret/rotate"), &json!({"grace_hours": 24})),
            _ => Call::new("POST", format!("{of_partner}/resume")),
        };
        self.plain("administer", call.key(self.world.operator_key()))
    }

    fn read(&mut self, partner: usize, customer: usize) -> Command {
        let lists = ["/invitations", "/subscriptions", "/events", "/events?after="];
        let list = *self.rng.pick(&lists);
        let call = if self.rng.chance(50) {
            self.partners[partner].call("GET", list)
        } else {
            self.customers[customer].call("GET", list)
        };
        self.plain("read", call)
    }

    /// A command that must always be rejected.
    fn hostile(&mut self, partner: usize, customer: usize) -> Command {
        let (mine, other) = (&self.partners[partner], &self.partners[(partner + 1) % self.partners.len()]);
        let customer = &self.customers[customer];
        let subscription = format!("/v1/partners/{}/subscriptions/Sub-{}", mine.partner_id, self.rng.below(40));
        let body = registration("stolen", customer);
        let call = match self.rng.below(8) {
            0 => Call::new("PUT", subscription).key(&mine.key).json(&body),
            1 => Call::new("PATCH", subscription).key(&mine.key).json(&json!({"partner_of_record": mine.partner_id})),
            2 => Call::delete(subscription).key(&mine.key),
            3 => Call::post(format!("/v1/partners/{}/subscriptions", other.partner_id), &body).key(&mine.key),
            4 => mine.register(&body).key(&customer.key),
            5 => Call::delete(format!("/v1/customers/{}/partners/{}", customer.tenant_id, other.partner_id))
                .key(&mine.key),
            6 => mine
                .call("POST", "/subscriptions")
                .header("content-type", "application/json")
                .bytes("{\"a\":1,\"a\":2}"),
            _ => Call::post(format!("/v1/webhooks/{}/subscriptions", mine.partner_id), &body),
        };
        self.plain("hostile", call)
    }
}

/// Checks that the command may return this response, and that `retryable` and `Retry-After` agree.
fn answered(command: &Command, answer: &Answer) -> Result<(), String> {
    let retryable = answer.json()["retryable"] == true;
    let fine = match answer.status {
        200 | 201 => command.name != "hostile",
        500 => false,
        _ if answer.code().is_empty() => answer.json() == json!({"message": "Not Found"}),
        503 => retryable && answer.header("retry-after").is_some(),
        _ => retryable == answer.header("retry-after").is_some(),
    };
    let body = String::from_utf8_lossy(&answer.body);
    if fine { Ok(()) } else { Err(format!("{}: {} {body}", command.name, answer.status)) }
}

/// Runs one seed in its own runtime with paused time.
fn play(seed: u64, commands: u64, sabotage: Option<Sabotage>) -> Result<Play, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("the runtime builds").block_on(async {
        let mut play = Play::new(seed).await;
        if let Some((_, guards)) = sabotage {
            play.world.sim().faults.sabotage(move |_, request| weaken(request, guards));
        }
        play.run(commands).await.map_err(|error| format!("STORE_FRAME_FIRST={seed} STORE_FRAME_SEEDS=1: {error}"))?;
        Ok(play)
    })
}

#[test]
fn what_a_customer_has_never_changes() {
    let (first, seeds) = (from_env("STORE_FRAME_FIRST", 1), from_env("STORE_FRAME_SEEDS", 4));
    let commands = from_env("STORE_FRAME_COMMANDS", 150);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let began = std::time::Instant::now();
    let totals = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads.min(seeds))
            .map(|thread| {
                scope.spawn(move || {
                    let mut totals = (0, 0, 0, 0, BTreeMap::<String, u64>::new());
                    for seed in (first + thread..first + seeds).step_by(usize::try_from(threads).expect("fits usize")) {
                        let play = play(seed, commands, None).unwrap_or_else(|error| panic!("{error}"));
                        totals.0 += play.requests;
                        totals.1 += play.faults;
                        totals.2 += play.before.len();
                        totals.3 += play.ledger.events;
                        play.answers
                            .into_iter()
                            .for_each(|(answer, count)| *totals.4.entry(answer).or_default() += count);
                    }
                    totals
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    let (mut requests, mut faults, mut subscriptions, mut events, mut answers) =
        (0, 0, 0, 0, BTreeMap::<String, u64>::new());
    for total in totals {
        requests += total.0;
        faults += total.1;
        subscriptions += total.2;
        events += total.3;
        total.4.into_iter().for_each(|(answer, count)| *answers.entry(answer).or_default() += count);
    }
    println!(
        "frame rule: {seeds} seeds × {commands} commands, {requests} requests to the table, {faults} of them faulty \
         ({:.1} %), {events} events, {subscriptions} subscriptions, none changed, in {:.1?}",
        100.0 * faults as f64 / requests as f64,
        began.elapsed()
    );
    for (answer, count) in answers {
        println!("{count:>8} {answer}");
    }
    assert!(faults * 10 >= requests, "fewer than 10 % of the requests had a fault");
}

/// A mutation: its name, and the conditions that it makes always true, by kind of write and partition key prefix.
type Sabotage = (&'static str, &'static [(&'static str, &'static str)]);

/// Makes the conditions of the matching writes always true.
fn weaken(request: &mut Value, guards: &[(&str, &str)]) {
    for write in request["TransactItems"].as_array_mut().into_iter().flatten() {
        for (kind, prefix) in guards {
            let Some(action) = write.get_mut(*kind).filter(|action| partition(action).starts_with(prefix)) else {
                continue;
            };
            let guard = action["ConditionExpression"].as_str().unwrap_or_default();
            action["ConditionExpression"] =
                json!(format!("attribute_not_exists(pk) OR attribute_exists(pk) OR ({guard})"));
        }
    }
}

/// The conditions that the rules depend on. If two conditions enforce the same rule, the mutation disables both,
/// because either one prevents the violation.
const SABOTAGES: &[Sabotage] = &[
    ("a registration can overwrite a subscription", &[("Put", "SUBSCRIPTION#"), ("Put", "EVENTS#SUBSCRIPTION#")]),
    ("register does not check the relationship", &[("ConditionCheck", "CUSTOMER#")]),
    ("no command checks whether the customer is a CSP tenant", &[("ConditionCheck", "TENANT#")]),
    ("the relationship's state and counters are not checked", &[("Update", "CUSTOMER#")]),
    ("an invitation's state is not checked", &[("Update", "INVITATION#"), ("Put", "EVENTS#INVITATION#")]),
    ("an invitation can overwrite another", &[("Put", "INVITATION#"), ("Put", "EVENTS#INVITATION#")]),
    ("a partner's tenant is not checked", &[("Update", "TENANT#")]),
];

#[test]
fn the_check_finds_each_missing_guard() {
    for sabotage in SABOTAGES {
        let caught = (1..=12).find_map(|seed| play(seed, 250, Some(*sabotage)).err());
        let caught = caught.unwrap_or_else(|| panic!("{}: the check found no violation", sabotage.0));
        println!("{}: {}", sabotage.0, caught.chars().take(200).collect::<String>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_change_of_a_subscription_is_found() {
    let mut play = Play::new(1).await;
    play.world.sim().faults.none();
    let (partner, customer) = (play.partners[0].clone(), play.customers[0].clone());
    play.world.relate(&partner, &customer).await;
    for id in ["kept", "changed"] {
        play.world.send(&partner.register(&registration(id, &customer))).await.expect(201);
    }
    play.before = play.subscriptions();
    play.frame(&[]).expect("no subscription differs");
    let key = |id: &str| json!({"pk": {"S": format!("SUBSCRIPTION#public#{id}")}, "sk": {"S": "SUBSCRIPTION"}});
    let kept = play.before.clone();
    let update = |expression: &str, value: Value| {
        json!({
            "TableName": TABLE, "Key": key("changed"), "UpdateExpression": expression,
            "ExpressionAttributeValues": {":value": value},
        })
    };
    let moved = json!({"S": format!("PARTNER#{}", play.partners[1].partner_id)});
    let elsewhere = json!({"S": format!("CUSTOMER#{}", play.customers[1].tenant_id)});
    for (operation, request) in [
        ("UpdateItem", update("SET quantity = :value", json!({"N": "2"}))),
        ("UpdateItem", update("SET gsi1pk = :value", moved)),
        ("UpdateItem", update("SET gsi2pk = :value", elsewhere)),
        ("UpdateItem", update("SET seen = :value", json!({"BOOL": true}))),
        ("DeleteItem", json!({"TableName": TABLE, "Key": key("changed")})),
    ] {
        play.world.sim().raw(operation, &request);
        let error = play.frame(&[]).expect_err("the difference is detected");
        assert!(error.contains("changed"), "{error}");
        play.world.sim().raw("PutItem", &json!({"TableName": TABLE, "Item": kept["SUBSCRIPTION#public#changed"]}));
        play.frame(&[]).expect("the subscription is restored");
    }
}
