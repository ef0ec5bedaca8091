//! Where the story plays: the system, its clock, the cast, and the tally of what held.

use std::io::{self, Write};
use std::sync::Arc;

use local::api::{Answer, Api, Call};
use local::verify::VerifyError;
use local::{Local, Options, StartError, jobs, start};
use platform::lambda::JobError;
use platform::secrets::signature::SigningSecret;
use reqwest::Method;
use serde_json::{Value, json};

use super::cast::{self, Cast, Customer, Link, Organisation, Partner};
use super::clock::StoryClock;
use super::ledger::{Ledger, Records, page};
use crate::output::Output;

/// Where the story is told.
pub type Out = Output<Box<dyn Write>>;

/// Why the story ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The system did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Nobody can be told.
    #[error("the story could not be told: {0}")]
    Telling(#[from] io::Error),
    /// A call was not answered.
    #[error("the system did not answer: {0}")]
    Silent(#[from] reqwest::Error),
    /// The events could not be read, or a chain is broken.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The job failed.
    #[error("the job failed: {0}")]
    Job(#[from] JobError),
    /// A step went wrong that all later ones stand on.
    #[error("{0}")]
    Step(String),
}

/// What happened so far.
#[derive(Default)]
pub struct Tally {
    /// Guarantees that held.
    pub held: usize,
    /// Those that did not.
    pub broken: usize,
    /// Requests that were answered.
    pub requests: usize,
    /// Requests, and announcements of the job, that changed something.
    pub changes: usize,
}

/// The stage.
pub struct Stage {
    /// Everybody.
    pub cast: Cast,
    /// The clock.
    pub clock: Arc<StoryClock>,
    /// What happened so far.
    pub tally: Tally,
    /// What everybody has.
    pub ledger: Ledger,
    local: Local,
    api: Api,
    out: Out,
    /// Looks at what everybody has in this chapter, and how many saw something that was not as before.
    looks: usize,
    deviations: usize,
}

impl Stage {
    /// Starts the system and registers everybody.
    pub async fn open(out: Out) -> Result<Self, Stop> {
        let clock = Arc::new(StoryClock::new());
        let local = start(Options { clock: clock.clone(), ..Options::default() }).await?;
        let api = Api::new(local.base_url())?;
        let mut tally = Tally::default();
        let cast = Registry { api: &api, clock: &clock, key: local.operator_key().expose_secret(), tally: &mut tally }
            .everybody()
            .await?;
        Ok(Self { cast, clock, tally, ledger: Ledger::default(), local, api, out, looks: 0, deviations: 0 })
    }

    /// The system.
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// Ends everything.
    pub async fn close(self) {
        self.local.stop().await;
    }

    /// Says what this is.
    pub fn introduce(&mut self) -> Result<(), Stop> {
        self.out.heading("The story of a second partner")?;
        let place = self.local.base_url();
        let words =
            format!("Over HTTP at {place}, on a clock of its own; nothing is kept. ✓ is a guarantee that held.");
        Ok(self.out.note(&words)?)
    }

    /// Says what came of it.
    pub fn sum_up(&mut self, summary: &str) -> Result<(), Stop> {
        self.out.line("")?;
        self.out.heading(summary)?;
        Ok(self.out.flush()?)
    }

    /// Begins a chapter.
    pub fn begin(&mut self, number: usize, title: &str) -> Result<(), Stop> {
        (self.looks, self.deviations) = (0, 0);
        self.out.line("")?;
        Ok(self.out.heading(&format!("{number:>2}  {title}"))?)
    }

    /// Ends it with the guarantee that all chapters share.
    pub async fn end(&mut self) -> Result<(), Stop> {
        if self.looks == 0 {
            self.look(0).await?;
        }
        let (records, looks) = (self.ledger.len(), self.looks);
        let often = if looks == 1 { "once".to_owned() } else { format!("after each of {looks} steps") };
        let words =
            format!("whatever anybody had is the same, byte for byte ({records} subscriptions, compared {often})");
        self.check(&words, self.deviations == 0)
    }

    /// Tells what goes on.
    pub fn tell(&mut self, words: &str) -> Result<(), Stop> {
        Ok(self.out.note(&format!("    · {words}"))?)
    }

    /// A guarantee, and whether it held.
    pub fn check(&mut self, words: &str, held: bool) -> Result<(), Stop> {
        *(if held { &mut self.tally.held } else { &mut self.tally.broken }) += 1;
        Ok(self.out.verdict(held, words)?)
    }

    /// A step of the story that must succeed, or nothing after it makes sense.
    pub async fn act(&mut self, words: &str, call: Call, status: u16) -> Result<Answer, Stop> {
        self.tell(words)?;
        let answer = self.send(&call).await?;
        self.expect(words, &answer, status)?;
        Ok(answer)
    }

    /// A refusal that must come, with this status and code.
    pub async fn refused(&mut self, words: &str, call: Call, status: u16, code: &str) -> Result<Answer, Stop> {
        let answer = self.send(&call).await?;
        let held = answer.status == status && answer.code() == code;
        self.check(&format!("{words} ({} {})", answer.status, answer.code()), held)?;
        Ok(answer)
    }

    /// Reads.
    pub async fn read(&mut self, call: Call) -> Result<Answer, Stop> {
        let answer = self.send(&call).await?;
        self.expect(&call.path, &answer, 200)?;
        Ok(answer)
    }

    /// A link that an answer must hold.
    pub fn link(&self, answer: &Answer) -> Result<Link, Stop> {
        Link::of(answer).ok_or_else(|| Stop::Step("an answer without a link came".into()))
    }

    fn expect(&self, words: &str, answer: &Answer, status: u16) -> Result<(), Stop> {
        if answer.status == status {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&answer.body);
        Err(Stop::Step(format!("{words}: {status} was expected, {} came: {body}", answer.status)))
    }

    /// Sends a call, a second after the one before. After everything that could change something, everything that anybody
    /// has is compared with what it was.
    pub async fn send(&mut self, call: &Call) -> Result<Answer, Stop> {
        let answer = self.ask(call).await?;
        if call.method != Method::GET && !call.path.ends_with("/preview") {
            self.tally.changes += usize::from(changed(&answer));
            let registered = call.path.ends_with("/subscriptions") && answer.status == 201;
            self.look(usize::from(registered)).await?;
        }
        Ok(answer)
    }

    async fn ask(&mut self, call: &Call) -> Result<Answer, Stop> {
        self.clock.advance_millis(1_000);
        self.tally.requests += 1;
        Ok(self.api.send(call).await?)
    }

    /// Lets days pass, with the job once a day.
    pub async fn days(&mut self, days: u32) -> Result<(), Stop> {
        for _ in 0..days {
            self.clock.advance_millis(86_400_000);
            self.run_job().await?;
        }
        self.look(0).await
    }

    /// Has everything announced that is due; how much it was.
    pub async fn announce(&mut self) -> Result<usize, Stop> {
        let announced = self.run_job().await?;
        self.look(0).await?;
        Ok(announced)
    }

    async fn run_job(&mut self) -> Result<usize, Stop> {
        let report = jobs::run_expire_due(&self.local).await?;
        let announced = report["announced"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
        self.tally.changes += announced;
        Ok(announced)
    }

    /// Compares what every customer has with what it was.
    async fn look(&mut self, may_add: usize) -> Result<(), Stop> {
        let mut now = Records::new();
        for customer in [&self.cast.contoso, &self.cast.wingtip_office, &self.cast.woodgrove].map(Customer::clone) {
            now.insert(customer.name.to_owned(), self.everything_of(&customer).await?);
        }
        self.looks += 1;
        for deviation in self.ledger.compare(now, may_add) {
            self.deviations += 1;
            self.out.verdict(false, &deviation)?;
        }
        Ok(())
    }

    /// All pages of a customer's subscriptions.
    async fn everything_of(&mut self, customer: &Customer) -> Result<Vec<String>, Stop> {
        let mut records = Vec::new();
        let mut query = String::new();
        loop {
            let call = customer.get(&format!("/subscriptions?limit=2{query}"));
            let answer = self.ask(&call).await?;
            self.expect(&call.path, &answer, 200)?;
            let no_page = || Stop::Step(format!("{}: no page came", call.path));
            let (items, next) = page(&answer).ok_or_else(no_page)?;
            records.extend(items);
            match next {
                Some(cursor) => query = format!("&cursor={cursor}"),
                None => return Ok(records),
            }
        }
    }
}

fn changed(answer: &Answer) -> bool {
    (200..300).contains(&answer.status) && !answer.replayed
}

/// The operator, who registers everybody.
struct Registry<'a> {
    api: &'a Api,
    clock: &'a StoryClock,
    key: &'a str,
    tally: &'a mut Tally,
}

impl Registry<'_> {
    async fn everybody(mut self) -> Result<Cast, Stop> {
        Ok(Cast {
            contoso: self.customer(&cast::CONTOSO).await?,
            wingtip_office: self.customer(&cast::WINGTIP_OFFICE).await?,
            woodgrove: self.customer(&cast::WOODGROVE).await?,
            fabrikam: self.partner(&cast::FABRIKAM).await?,
            northwind: self.partner(&cast::NORTHWIND).await?,
            wingtip_sales: self.partner(&cast::WINGTIP_SALES).await?,
            litware: self.partner(&cast::LITWARE).await?,
            proseware: self.partner(&cast::PROSEWARE).await?,
        })
    }

    async fn customer(&mut self, organisation: &Organisation) -> Result<Customer, Stop> {
        self.post("/v1/customers", &organisation.body()).await?;
        let key = self.key_for("customer", organisation, organisation.tenant_id).await?;
        Ok(Customer { name: organisation.name, tenant_id: organisation.tenant_id, key })
    }

    async fn partner(&mut self, organisation: &Organisation) -> Result<Partner, Stop> {
        let enrolled = self.post("/v1/partners", &organisation.body()).await?;
        let id = text(&enrolled, "/partner/partner_id")?;
        let signing_secret = SigningSecret::parse(&text(&enrolled, "/signing_secret")?);
        let signing_secret = signing_secret.map_err(|error| Stop::Step(error.to_string()))?;
        let key = self.key_for("partner", organisation, &id).await?;
        Ok(Partner { name: organisation.name, id, key, signing_secret })
    }

    async fn key_for(&mut self, kind: &str, organisation: &Organisation, id: &str) -> Result<String, Stop> {
        let principal = json!({"kind": kind, "id": id});
        let body = json!({"principal": principal, "roles": ["global_admin"], "name": organisation.name});
        text(&self.post("/v1/keys", &body).await?, "/key")
    }

    async fn post(&mut self, path: &str, body: &Value) -> Result<Answer, Stop> {
        self.clock.advance_millis(1_000);
        self.tally.requests += 1;
        let answer = self.api.send(&Call::post(path, body).key(self.key)).await?;
        self.tally.changes += usize::from(changed(&answer));
        if answer.status == 201 {
            return Ok(answer);
        }
        let body = String::from_utf8_lossy(&answer.body);
        Err(Stop::Step(format!("{path}: 201 was expected, {} came: {body}", answer.status)))
    }
}

/// A text that an answer must hold.
pub fn text(answer: &Answer, pointer: &str) -> Result<String, Stop> {
    answer.text(pointer).map(str::to_owned).ok_or_else(|| Stop::Step(format!("an answer without {pointer} came")))
}
