//! The feed as `events tail` and `listen --forward-to` follow it: nothing is lost and nothing is invented.

mod forwarding;
mod reading;
mod receivers;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local::client::{Address, Client};
use local::feed::event::FeedEvent;
use local::feed::forward::Forwarder;
use local::feed::pace::{Backoff, Pace};
use local::feed::position::Position;
use local::feed::reader::{Reader, Setting};
use local::feed::relay::Relay;
use local::feed::watch::Notice;
use local::webhook::target::Target;
use platform::clock::SystemClock;
use platform::random::SystemRandom;
use platform::secrets::AccessKeyText;
use platform::secrets::signature::SigningSecret;
use serde_json::Value;
use tests::parties::registration;
use tests::wait::Wait;
use tests::{Customer, Partner, World};

use crate::killed::process::Process;

/// Tests need no patience.
const SOON: Backoff = Backoff { first: Duration::from_millis(5), longest: Duration::from_millis(40) };
const PACE: Pace = Pace { idle: SOON, offline: SOON };
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

type Notices = Arc<Mutex<Vec<Notice>>>;

/// A reader of the feed of a key's owner, and what it tells.
async fn reader(url: &str, key: &str) -> (Reader, Notices) {
    let address = Address::parse(url).expect("an address");
    let key = AccessKeyText::parse(key).expect("a key");
    let client = Client::new(address, Some(&key)).expect("a client");
    let notices = Notices::default();
    let told = Arc::clone(&notices);
    let notify = Box::new(move |notice: &Notice| told.lock().expect("whole").push(notice.clone()));
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let setting = Setting { pace: PACE, clock, random, notify };
    (Reader::open(client, setting).await.expect("a valid key"), notices)
}

/// Forwards to a receiver, from where the file says, with this time limit for an attempt.
async fn relay(url: &str, key: &str, to: &str, file: &Path, limit: Duration, attempts: Option<u32>) -> Relay {
    let (mut reader, _) = reader(url, key).await;
    let position = Position::open(file, reader.url(), reader.owner()).expect("a position");
    reader.start_after(position.after().unwrap_or_default());
    let secret = SigningSecret::parse(SECRET).expect("a secret");
    let target = Target::with_limit(to, false, secret, limit).expect("a target");
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    Relay { reader, position, forwarder: Forwarder { target, retry: SOON, attempts, clock, random } }
}

fn ids(events: &[FeedEvent]) -> Vec<String> {
    events.iter().map(|event| event.id.to_string()).collect()
}

/// A path that no other test has. Its folder is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("multipartner-following-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        Self(std::env::temp_dir().join(name))
    }

    fn file(&self) -> PathBuf {
        self.0.join("position.json")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A system that is killed now and then, with a partner that registers subscriptions.
struct Killed {
    process: Process,
    world: World,
    partner: Partner,
    customer: Customer,
}

impl Killed {
    async fn start() -> Self {
        let process = Process::start();
        let world = World::at(&process.url, &process.operator_key);
        let (partner, customer) = (world.partner().await, world.customer().await);
        world.relate(&partner, &customer).await;
        Self { process, world, partner, customer }
    }

    /// Registers a subscription, although the system may be killed meanwhile.
    async fn register(&self, number: u32) {
        let call = self.partner.register(&registration(&format!("s{number}"), &self.customer));
        let wait = Wait::start("a registration");
        while !self.world.try_send(&call).await.is_ok_and(|answer| answer.status < 300) {
            wait.pause().await;
        }
    }

    /// The ids of all events that the feed has, oldest first.
    async fn feed(&self) -> Vec<String> {
        // The feed holds back the newest events.
        self.process.clock.advance_millis(60_000);
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/events?after={after}&limit=100");
            let page = self.world.send(&self.partner.call("GET", &path)).await.expect(200);
            let items = page["items"].as_array().expect("items");
            if items.is_empty() {
                return ids;
            }
            ids.extend(items.iter().filter_map(|item| item["event_id"].as_str().map(str::to_owned)));
            after = page["next_cursor"].as_str().map(str::to_owned).unwrap_or_default();
        }
    }
}

/// A text member of a message.
fn text<'a>(message: &'a Value, pointer: &str) -> &'a str {
    message.pointer(pointer).and_then(Value::as_str).expect("a text")
}
