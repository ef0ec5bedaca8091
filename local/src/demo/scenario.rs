//! Runs the scenario: sends calls, prints what happens and checks guarantees.

use std::io::Write;
use std::sync::Arc;

use local::api::{Answer, Api, Call};
use local::identity_provider::IdentityProvider;
use local::{Local, Options, jobs, start};
use platform::random::SystemRandom;

use super::clock::ScenarioClock;
use super::error::{FailedStep, Stop};
use super::ledger::{Ledger, Records, page};
use super::parties::{Customer, Parties};
use super::registry::Registry;
use super::tally::Tally;
use crate::output::Output;

pub type Out = Output<Box<dyn Write>>;

pub struct Scenario {
    pub parties: Parties,
    pub clock: Arc<ScenarioClock>,
    pub tally: Tally,
    pub ledger: Ledger,
    local: Local,
    /// Where the scenario's customers sign in.
    identity_provider: IdentityProvider,
    api: Api,
    out: Out,
    /// Comparisons in this part, and the differences that they found.
    comparisons: usize,
    differences: usize,
}

impl Scenario {
    /// Starts the API and registers the parties.
    pub async fn open(out: Out) -> Result<Self, Stop> {
        let clock = Arc::new(ScenarioClock::new());
        let identity_provider = IdentityProvider::start(0, clock.clone(), Arc::new(SystemRandom)).await?;
        let sign_in = identity_provider.settings()?;
        let local = start(Options { clock: clock.clone(), sign_in, ..Options::default() }).await?;
        let api = Api::new(local.base_url())?;
        let mut tally = Tally::default();
        let operator_key = local.operator_key().expose_secret();
        let registry = Registry { api: &api, clock: &clock, operator_key, tally: &mut tally };
        let parties = registry.register_all().await?;
        let ledger = Ledger::default();
        Ok(Self { parties, clock, tally, ledger, local, identity_provider, api, out, comparisons: 0, differences: 0 })
    }

    pub fn local(&self) -> &Local {
        &self.local
    }

    pub fn identity_provider(&self) -> &IdentityProvider {
        &self.identity_provider
    }

    pub async fn close(self) {
        self.local.stop().await;
        self.identity_provider.stop().await;
    }

    pub fn introduce(&mut self) -> Result<(), Stop> {
        self.out.heading("A customer gets a second partner")?;
        let url = self.local.base_url();
        self.out.note(&format!("Runs over HTTP at {url} with its own clock. No data is kept."))?;
        Ok(self.out.note("✓ marks a guarantee that held, ✗ one that did not.")?)
    }

    pub fn summarize(&mut self, summary: &str) -> Result<(), Stop> {
        self.out.line("")?;
        self.out.heading(summary)?;
        Ok(self.out.flush()?)
    }

    pub fn begin_part(&mut self, number: usize, title: &str) -> Result<(), Stop> {
        (self.comparisons, self.differences) = (0, 0);
        self.out.line("")?;
        Ok(self.out.heading(&format!("{number:>2}  {title}"))?)
    }

    /// Ends a part with the guarantee that all parts share.
    pub async fn end_part(&mut self) -> Result<(), Stop> {
        if self.comparisons == 0 {
            self.compare(0).await?;
        }
        let (records, comparisons) = (self.ledger.len(), self.comparisons);
        let often = if comparisons == 1 { "once".to_owned() } else { format!("after each of {comparisons} steps") };
        let guarantee = format!("existing subscriptions unchanged ({records} compared, byte for byte, {often})");
        self.check(&guarantee, self.differences == 0)
    }

    /// Prints what happens.
    pub fn print(&mut self, text: &str) -> Result<(), Stop> {
        Ok(self.out.note(&format!("    · {text}"))?)
    }

    /// Counts and prints whether a guarantee held.
    pub fn check(&mut self, guarantee: &str, held: bool) -> Result<(), Stop> {
        *(if held { &mut self.tally.held } else { &mut self.tally.broken }) += 1;
        Ok(self.out.verdict(held, guarantee)?)
    }

    /// A step that must return this status, because later steps need it.
    pub async fn step(&mut self, text: &str, call: Call, status: u16) -> Result<Answer, Stop> {
        self.print(text)?;
        let answer = self.send(&call).await?;
        FailedStep::unless_status(text, &answer, status)?;
        Ok(answer)
    }

    /// A guarantee that a call is rejected with this status and code.
    pub async fn rejected(&mut self, guarantee: &str, call: Call, status: u16, code: &str) -> Result<Answer, Stop> {
        let answer = self.send(&call).await?;
        let held = answer.status == status && answer.code() == code;
        self.check(&format!("{guarantee} ({} {})", answer.status, answer.code()), held)?;
        Ok(answer)
    }

    pub async fn read(&mut self, call: Call) -> Result<Answer, Stop> {
        let answer = self.send(&call).await?;
        FailedStep::unless_status(&call.path, &answer, 200)?;
        Ok(answer)
    }

    /// Sends a call. After every call that could change something, compares all subscriptions with the earlier ones.
    pub async fn send(&mut self, call: &Call) -> Result<Answer, Stop> {
        let answer = self.exchange(call).await?;
        if changes_no_record(call) {
            self.tally.requests += 1;
        } else {
            self.tally.count(&answer);
            let registered = call.path.ends_with("/subscriptions") && answer.status == 201;
            self.compare(usize::from(registered)).await?;
        }
        Ok(answer)
    }

    /// Sends a call one second after the previous one.
    async fn exchange(&self, call: &Call) -> Result<Answer, Stop> {
        self.clock.advance_millis(1_000);
        Ok(self.api.send(call).await?)
    }

    /// Lets days pass and runs the job once a day.
    pub async fn pass_days(&mut self, days: u32) -> Result<(), Stop> {
        for _ in 0..days {
            self.clock.advance_millis(86_400_000);
            self.run_job().await?;
        }
        self.compare(0).await
    }

    /// Runs the job that announces what is due, and returns the number of announcements.
    pub async fn announce(&mut self) -> Result<usize, Stop> {
        let announced = self.run_job().await?;
        self.compare(0).await?;
        Ok(announced)
    }

    async fn run_job(&mut self) -> Result<usize, Stop> {
        let report = jobs::run_expire_due(&self.local).await?;
        let announced = report["announced"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
        self.tally.changes += announced;
        Ok(announced)
    }

    async fn compare(&mut self, may_add: usize) -> Result<(), Stop> {
        let mut now = Records::new();
        let parties = &self.parties;
        for customer in [&parties.contoso, &parties.wingtip_office, &parties.woodgrove].map(Customer::clone) {
            now.insert(customer.name.to_owned(), self.subscriptions_of(&customer).await?);
        }
        self.comparisons += 1;
        for difference in self.ledger.compare(now, may_add) {
            self.differences += 1;
            self.out.verdict(false, &difference)?;
        }
        Ok(())
    }

    /// All pages of a customer's subscriptions.
    async fn subscriptions_of(&mut self, customer: &Customer) -> Result<Vec<String>, Stop> {
        let mut records = Vec::new();
        let mut query = String::new();
        loop {
            let call = customer.get(&format!("/subscriptions?limit=2{query}"));
            let answer = self.exchange(&call).await?;
            self.tally.requests += 1;
            FailedStep::unless_status(&call.path, &answer, 200)?;
            let (items, next) = page(&answer).ok_or(FailedStep::NotAPage { path: call.path })?;
            records.extend(items);
            match next {
                Some(cursor) => query = format!("&cursor={cursor}"),
                None => return Ok(records),
            }
        }
    }
}

/// Reads, and signing in: a session is not a record, and has no event.
fn changes_no_record(call: &Call) -> bool {
    call.method == "GET" || call.path.ends_with("/preview") || ["/v1/sign-in", "/v1/sessions"].contains(&&*call.path)
}
