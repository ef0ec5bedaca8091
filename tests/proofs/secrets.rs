//! No secret is in the table or in a log line.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use local::identity_provider::IdentityProvider;
use platform::random::Random;
use platform::secrets::{MasterKey, MasterKeys};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tests::SeededRandom;
use tests::here::link_policy;
use tests::parties::{accept_by_link, asking, decline_by_link, preview, registration};
use tests::provider::{Redirect, with_provider};
use tests::signed_in::own_page;
use tests::{Answer, Call, Customer, Partner, Receiver, World};

/// All log lines of this process, as they are printed.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of the whole process, because functions run on other threads than the test. It contains every target down to
/// TRACE, which is more than any deployment logs.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().json().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
        subscriber.with_writer(move || writer.clone()).init();
        log
    })
}

/// Pieces of each secret in each encoding, with the secret's description. None of them may be found anywhere.
#[derive(Default)]
struct Secrets(BTreeMap<String, String>);

/// The length of a piece. It is enough to identify a secret, and even a piece must not be visible.
const PIECE: usize = 16;

impl Secrets {
    /// Adds the first and the last piece of the bytes in every encoding.
    fn add(&mut self, what: &str, bytes: &[u8]) {
        let spelled = [&BASE64, &BASE64_NOPAD, &BASE64URL_NOPAD, &HEXLOWER, &HEXUPPER].map(|form| form.encode(bytes));
        let debugged = format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
        for form in spelled.into_iter().chain([latin(bytes), debugged]) {
            let characters: Vec<char> = form.trim_end_matches('=').chars().collect();
            for piece in [&characters[..PIECE], &characters[characters.len() - PIECE..]] {
                self.0.insert(piece.iter().collect(), what.to_owned());
            }
        }
    }

    /// Adds a secret in text form: the text, the text without its prefix, and the bytes that it encodes.
    fn add_text(&mut self, what: &str, shown: &str) {
        self.add(what, shown.as_bytes());
        let spelled = shown.trim_start_matches("mpk_").trim_start_matches("whsec_");
        let decoded = BASE64URL_NOPAD.decode(spelled.as_bytes()).or_else(|_| BASE64.decode(spelled.as_bytes()));
        self.add(what, spelled.as_bytes());
        self.add(what, &decoded.expect("secrets are encoded in base64"));
    }

    /// Adds every secret that a response contains.
    fn learn(&mut self, answer: &Value) {
        for (member, what) in [("key", "an access key"), ("signing_secret", "a signing secret")] {
            if let Some(shown) = answer[member].as_str() {
                self.add_text(what, shown);
            }
        }
        if let Some((_, token)) = answer["accept_url"].as_str().and_then(|url| url.split_once('#')) {
            self.add_text("a link's token", token);
        }
    }

    #[track_caller]
    fn assert_absent(&self, place: &str, text: &str) {
        for (piece, what) in &self.0 {
            if let Some(at) = text.find(piece) {
                let from = text[..at].char_indices().rev().nth(200).map_or(0, |(from, _)| from);
                panic!("{what} is in {place}: {}", text[from..at].escape_debug());
            }
        }
    }
}

/// Converts each byte to the character with the same number, so that bytes can be searched like text.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Appends all values of an attribute, one per line.
fn spell(value: &AttributeValue, into: &mut String) {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => into.push_str(text),
        AttributeValue::B(bytes) => into.push_str(&latin(bytes.as_ref())),
        AttributeValue::L(items) => items.iter().for_each(|item| spell(item, into)),
        AttributeValue::M(members) => members.iter().for_each(|(name, value)| {
            into.push_str(name);
            spell(value, into);
        }),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => {}
        other => panic!("unexpected attribute: {other:?}"),
    }
    into.push('\n');
}

/// The steps of a scenario.
const STEPS: &[&str] = &[
    "invite",
    "invite by webhook",
    "preview",
    "renew",
    "wrong token",
    "accept by link",
    "invite",
    "decline by link",
    "invite",
    "accept by key",
    "invite",
    "decline by key",
    "invite",
    "cancel",
    "register",
    "register by webhook",
    "replay",
    "end grant",
    "rotate",
    "old signature",
    "rename",
    "suspend",
    "resume",
    "issue key",
    "issue key again",
    "revoke key",
    "wrong key",
    "create endpoint",
    "deliver",
    "rotate endpoint",
    "deliver",
    "sign in",
    "sign in with a wrong code",
    "read with a session",
    "sign out",
    "read",
    "sweep",
    "end",
];

/// The state of a scenario: the parties, the secrets so far, and the current link and endpoint.
struct Story {
    world: World,
    secrets: Secrets,
    partner: Partner,
    customer: Customer,
    link: (String, String),
    replay: Option<Call>,
    old_secret: Option<String>,
    receiver: Receiver,
    endpoint: String,
    provider: IdentityProvider,
    /// The session's cookie.
    session: String,
    statuses: BTreeMap<u16, usize>,
}

impl Story {
    async fn begin(seed: u64) -> Option<Self> {
        let (world, provider) = with_provider(|options| {
            options.random = Arc::new(SeededRandom::new(seed));
            options.loopback_endpoints = true;
            options.policy = Some(link_policy());
        })
        .await?;
        let mut secrets = Secrets::default();
        let master = SeededRandom::new(seed).bytes();
        let derived = MasterKeys::new(BTreeMap::from([(1, MasterKey::new(master))])).access_key(1, b"local operator");
        assert_eq!(derived.expect("a key").expose_secret(), world.operator_key(), "the system uses another master key");
        secrets.add("the master key", &master);
        secrets.add_text("the operator's key", world.operator_key());
        let (partner, customer) = (world.partner().await, world.customer().await);
        for key in [&partner.key, &customer.key, &partner.signing_secret] {
            secrets.add_text("a key or secret of a party", key);
        }
        let (link, replay, old_secret, endpoint) = (Default::default(), None, None, "none".to_owned());
        let (receiver, statuses, session) = (Receiver::start().await, BTreeMap::new(), "none=none".to_owned());
        Some(Self {
            world,
            secrets,
            partner,
            customer,
            link,
            replay,
            old_secret,
            receiver,
            endpoint,
            provider,
            session,
            statuses,
        })
    }

    async fn send(&mut self, call: Call) -> Answer {
        self.world.tick();
        let answer = self.world.send(&call).await;
        let body = answer.json();
        if answer.status >= 400 {
            self.secrets.assert_absent("an error response", &latin(&answer.body));
        }
        self.secrets.learn(&body);
        if body["accept_url"].is_string() {
            self.link = tests::parties::link(&body);
        }
        *self.statuses.entry(answer.status).or_default() += 1;
        answer
    }

    /// Signs in, with this code if there is one, and learns everything that is secret on the way.
    async fn sign_in(&mut self, code: Option<&str>) -> Answer {
        let base = self.world.base_url().to_owned();
        let body = json!({"tenant_id": self.customer.tenant_id, "cloud": "public"});
        let began = self.send(own_page(Call::post("/v1/sign-in", &body), &base)).await;
        let url = began.json()["authorize_url"].as_str().expect("an address").to_owned();
        let redirect = Redirect::parse(&self.provider.sign_in(&url, "global_administrator").expect("a redirect"));
        let nonce =
            form_urlencoded::parse(url.as_bytes()).find(|(name, _)| name == "nonce").expect("a nonce").1.into_owned();
        for (what, text) in [("a code", &redirect.code), ("a state", &redirect.state), ("a nonce", &nonce)] {
            self.secrets.add_text(what, text);
        }
        let started = cookie(&began);
        self.secrets.add("the cookie of a sign-in", started.split_once('=').expect("a value").1.as_bytes());
        let redirect = Redirect { code: code.map_or(redirect.code.clone(), str::to_owned), ..redirect };
        let finish = own_page(Call::post("/v1/sessions", &redirect.body("public")), &base).header("cookie", started);
        let answer = self.send(finish).await;
        if answer.status == 201 {
            self.session = cookie(&answer);
            self.secrets.add_text("the cookie of a session", self.session.split_once('=').expect("a value").1);
        }
        answer
    }

    fn signed(&self, path: &str, kind: &str, data: &Value) -> Call {
        let body = json!({"type": kind, "timestamp": "2026-11-22T12:00:00Z", "data": data});
        self.partner.webhook(path, &self.world.unique(), self.world.now().seconds(), body.to_string().as_bytes())
    }

    async fn step(&mut self, step: &str) -> Answer {
        let (id, token) = self.link.clone();
        let wish = asking(&["global_reader", "directory_readers"], "P10D");
        let path = |rest: &str| format!("/v1/partners/{}{rest}", self.partner.partner_id);
        let principal = json!({"kind": "partner", "id": self.partner.partner_id});
        let key = json!({"principal": principal, "roles": ["sales_agent"], "name": "A further key"});
        let call = match step {
            "invite" => {
                self.world.clock().advance_days(1);
                let call = self.partner.asks(&self.customer, &wish, &self.world.unique());
                self.replay = Some(call.clone());
                call
            }
            "invite by webhook" => {
                let customer = self.world.customer().await;
                self.secrets.add_text("a customer's key", &customer.key);
                let data = json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": wish});
                let link = self.link.clone();
                let answer = self.send(self.signed("/invitations", "invitation.create", &data)).await;
                self.link = link;
                return answer;
            }
            "preview" => preview(&id, &token),
            "renew" => self.partner.renew(&id),
            "wrong token" => preview(&id, &token.chars().rev().collect::<String>()),
            "accept by link" => accept_by_link(&id, &token, &json!("as_requested")),
            "accept by key" => self.customer.accept(&id, &json!({"roles": ["global_reader"], "duration": "P1D"})),
            "decline by link" => decline_by_link(&id, &token),
            "decline by key" => self.customer.decline(&id),
            "cancel" => self.partner.cancel(&id),
            "register" => self.partner.register(&registration(&self.world.unique(), &self.customer)),
            "register by webhook" => {
                let data = registration(&self.world.unique(), &self.customer);
                self.signed("/subscriptions", "subscription.register", &data)
            }
            "replay" => self.replay.clone().unwrap_or_else(|| self.partner.call("GET", "/invitations")),
            "end grant" => {
                let partners = self.send(self.customer.call("GET", "/partners")).await.json();
                let grant = partners["items"][0]["grants"][0]["grant_id"].as_str().unwrap_or("grt_none").to_owned();
                self.customer.call("DELETE", &format!("/grants/{grant}"))
            }
            "rotate" => {
                self.world.clock().advance_days(1);
                let call = Call::post(path("/signing-secret/rotate"), &json!({"grace_hours": 1}));
                let answer = self.send(call.key(self.world.operator_key())).await;
                if let Some(secret) = answer.json()["signing_secret"].as_str() {
                    self.old_secret = Some(std::mem::replace(&mut self.partner.signing_secret, secret.to_owned()));
                }
                return answer;
            }
            "old signature" => {
                let signing_secret = self.old_secret.clone().unwrap_or_else(|| self.partner.signing_secret.clone());
                let partner = Partner { signing_secret, ..self.partner.clone() };
                self.world.clock().advance_days(2);
                partner.webhook("/invitations", &self.world.unique(), self.world.now().seconds(), b"{")
            }
            "rename" => {
                Call::new("PATCH", path("")).json(&json!({"name": self.world.unique()})).key(self.world.operator_key())
            }
            "suspend" | "resume" => Call::new("POST", path(&format!("/{step}"))).key(self.world.operator_key()),
            "issue key" => Call::post("/v1/keys", &key).key(self.world.operator_key()),
            "issue key again" => Call::post("/v1/keys", &key).key(self.world.operator_key()).idempotency_key("again"),
            "revoke key" => {
                let keys = self.send(Call::get("/v1/keys").key(self.world.operator_key())).await.json();
                let key_id = keys["items"][0]["key_id"].as_str().expect("a key").to_owned();
                Call::delete(format!("/v1/keys/{key_id}")).key(self.world.operator_key())
            }
            "create endpoint" => {
                let call = self.partner.call("POST", "/endpoints").json(&json!({"url": self.receiver.url()}));
                let answer = self.send(call.idempotency_key("endpoint")).await;
                if let Some(id) = answer.json()["endpoint"]["endpoint_id"].as_str() {
                    self.endpoint = id.to_owned();
                }
                return answer;
            }
            "rotate endpoint" => {
                self.world.clock().advance_days(1);
                let path = format!("/endpoints/{}/rotate", self.endpoint);
                self.partner.call("POST", &path).json(&json!({"grace_hours": 1}))
            }
            "deliver" => {
                self.world.here().expect("the local system").0.courier().settle().await.expect("events are delivered");
                for arrived in self.receiver.arrived() {
                    self.secrets.assert_absent("a message", &latin(&arrived.body));
                }
                self.partner.call("GET", &format!("/endpoints/{}/deliveries", self.endpoint))
            }
            "sign in" => return self.sign_in(None).await,
            "sign in with a wrong code" => return self.sign_in(Some("anothercode")).await,
            "read with a session" => {
                let path = format!("/v1/customers/{}/partners", self.customer.tenant_id);
                own_page(Call::get(path), self.world.base_url()).header("cookie", self.session.as_str())
            }
            "sign out" => {
                let call = own_page(Call::delete("/v1/sessions/current"), self.world.base_url());
                call.header("cookie", self.session.as_str())
            }
            "wrong key" => Call::get("/v1/me").key(&self.partner.key.to_lowercase()),
            "read" => {
                for call in [self.partner.call("GET", "/events"), self.customer.call("GET", "/invitations")] {
                    let shown = self.send(call).await;
                    self.secrets.assert_absent("a list", &latin(&shown.body));
                }
                Call::get("/v1/partners").key(self.world.operator_key())
            }
            "sweep" => {
                self.world.clock().advance_days(40);
                let (local, _) = self.world.here().expect("the local system");
                let invocation =
                    platform::lambda::Invocation { id: "sweep".into(), remaining: std::time::Duration::from_secs(10) };
                let announcer = Arc::clone(local.announcer());
                platform::lambda::run_job(announcer, &expire_due::JOB, b"{}".to_vec(), invocation)
                    .await
                    .expect("the sweep succeeds");
                Call::get("/v1/me").key(&self.partner.key)
            }
            "end" => self.partner.end(&self.customer),
            other => panic!("unknown step: {other}"),
        };
        self.send(call).await
    }

    /// Searches every item and every log line for every secret.
    async fn finish(self, logged_before: usize) {
        let table = self.world.table().await;
        for ((pk, sk), item) in &table {
            let mut text = String::new();
            for (name, value) in item {
                text.push_str(name);
                text.push('\n');
                spell(value, &mut text);
            }
            self.secrets.assert_absent(&format!("item {pk} / {sk}"), &text);
        }
        let logged = log().0.lock().unwrap_or_else(PoisonError::into_inner)[logged_before..].to_vec();
        assert!(!logged.is_empty());
        self.secrets.assert_absent("the log", &latin(&logged));
        // Who signed in is only on the session. The SDK traces whole requests to the table, and no deployment logs that.
        let traced =
            |line: &&str| ["TRACE", "DEBUG"].iter().any(|level| line.contains(&format!(r#""level":"{level}""#)));
        let text = latin(&logged);
        let named = text.lines().filter(|line| !traced(line)).find(|line| line.contains("avery@customer.example"));
        assert_eq!(named, None, "an email address is in the log");
        println!(
            "{} pieces of secrets searched in {} items and {} bytes of log; responses {:?}",
            self.secrets.0.len(),
            table.len(),
            logged.len(),
            self.statuses
        );
    }
}

/// The first cookie that a response sets, as a browser sends it.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned()
}

fn logged() -> usize {
    log().0.lock().unwrap_or_else(PoisonError::into_inner).len()
}

#[tokio::test]
async fn no_secret_of_the_whole_story_rests_in_the_table_or_a_log_line() {
    let before = logged();
    let Some(mut story) = Story::begin(7001).await else { return };
    for step in STEPS {
        let answer = story.step(step).await;
        let refused = match *step {
            "wrong token" => 404,
            "old signature" | "wrong key" | "sign in with a wrong code" => 401,
            _ => 0,
        };
        let ok = if refused > 0 { answer.status == refused } else { answer.status < 300 };
        assert!(ok, "{step}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    }
    story.finish(before).await;
}

/// The same for random steps in random order.
#[test]
fn no_secret_of_any_story_rests_in_the_table_or_a_log_line() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config { cases: 4, max_shrink_iters: 20, failure_persistence: None, ..Config::default() };
    let steps = proptest::collection::vec(0..STEPS.len(), 10..40);
    let told = TestRunner::new(config).run(&(8000_u64..1_000_000, steps), |(seed, steps)| {
        runtime.block_on(async {
            let before = logged();
            let Some(mut story) = Story::begin(seed).await else { return };
            for step in steps {
                story.step(STEPS[step]).await;
            }
            story.finish(before).await;
        });
        Ok(())
    });
    told.expect("no secret is found");
}

/// The search finds a secret in every encoding.
#[test]
fn a_secret_that_is_there_is_found() {
    let mut secrets = Secrets::default();
    secrets.add("a secret", &[7, 200, 3, 99, 1, 2, 3, 4, 5, 6, 77, 88, 99, 255, 0, 10, 31, 32]);
    let found = |text: &str| std::panic::catch_unwind(|| secrets.assert_absent("x", text)).is_err();
    let bytes = [7, 200, 3, 99, 1, 2, 3, 4, 5, 6, 77, 88, 99, 255, 0, 10, 31, 32];
    let forms = [BASE64.encode(&bytes), BASE64URL_NOPAD.encode(&bytes), HEXLOWER.encode(&bytes), latin(&bytes)];
    for form in forms.into_iter().chain([HEXUPPER.encode(&bytes), format!("{bytes:?}")]) {
        assert!(found(&format!("before {form} after")), "{form}");
    }
    assert!(!found("nothing of it"));
}
