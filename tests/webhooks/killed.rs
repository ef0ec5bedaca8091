//! Events of a system that is killed again and again, to a receiver that fails: nothing is lost and nothing is invented.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use domain::{Timestamp, digest};
use serde_json::json;
use tests::parties::registration;
use tests::{Call, Customer, FileClock, Partner, Receiver, Reply, World};
use tokio::task::JoinSet;

/// `EVENTS=100000 cargo test --release -p tests --test webhooks -- every_event --nocapture` for the long run.
fn events() -> u32 {
    std::env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

/// After so many subscriptions sold and messages received the process is killed. It must not grow old: the engine remembers
/// each transaction for ten minutes, and looks at all of them in every other.
fn life() -> usize {
    (events() as usize / 5).min(4_000)
}

/// Callers at once.
const CALLERS: u32 = 8;

/// The process under test: killed by the system's SIGKILL, its data and its clock kept.
struct Process {
    folder: PathBuf,
    clock: FileClock,
    child: Child,
    url: String,
    operator_key: String,
    kills: usize,
}

impl Process {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("multipartner-killed-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let clock = FileClock::of(&folder.join("clock"));
        clock.set(Timestamp::parse("2026-11-22T12:00:00Z").expect("a time"));
        let (child, url, operator_key) = spawn(&folder, "0");
        Self { folder, clock, child, url, operator_key, kills: 0 }
    }

    /// Kills it, and starts another one over its data, at its address.
    fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
        let port = self.url.rsplit(':').next().expect("a port");
        let (child, url, _) = spawn(&self.folder, port);
        assert_eq!(url, self.url);
        self.child = child;
        self.kills += 1;
        // What was claimed by the dead one may be tried again.
        self.clock.advance_millis(60_000);
    }
}

/// Starts it; the address that it should have again may be taken for a moment.
fn spawn(folder: &std::path::Path, port: &str) -> (Child, String, String) {
    let mut tries = (0..50).filter_map(|_| {
        let spawned = try_spawn(folder, port);
        if spawned.is_none() {
            std::thread::sleep(Duration::from_millis(100));
        }
        spawned
    });
    tries.next().expect("it starts")
}

fn try_spawn(folder: &std::path::Path, port: &str) -> Option<(Child, String, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_killable"));
    let mut child =
        command.arg(folder).arg(port).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let Some((url, key)) = line.trim_end().split_once(' ') else {
        child.wait().expect("it ends");
        return None;
    };
    Some((child, url.to_owned(), key.to_owned()))
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A fifth of all attempts fails, in one of several ways, always the same for the same message and attempt.
fn unreliable(id: &str, times: u32) -> Reply {
    let draw = digest("receiver", &[id.as_bytes(), &times.to_be_bytes()]);
    match (draw[0] % 5, draw[1] % 4) {
        // Nobody is so unlucky that no attempt is left.
        _ if times > 4 => Reply::status(204),
        (0, 0) => Reply::status(500),
        (0, 1) => Reply::status(429).header("retry-after", "7"),
        (0, 2) => Reply::status(503).header("retry-after", "-1"),
        (0, _) => Reply::status(302).header("location", "http://127.0.0.1:9001/"),
        _ => Reply::status(204),
    }
}

/// What the receiver got, each message checked as it came.
struct Received {
    receiver: Receiver,
    secret: String,
    messages: usize,
    refused: usize,
    /// By the event's id, its subscription and its number there; those that were answered 2xx.
    taken: BTreeMap<String, (String, u64)>,
    /// The ids of all messages.
    seen: BTreeSet<String>,
}

impl Received {
    /// An endpoint that has answered its challenge.
    async fn at(world: &World, partner: &Partner) -> Self {
        let receiver = Receiver::start().await;
        let body = json!({"url": receiver.url(), "event_types": ["subscription.registered"]});
        let created = world.send(&partner.call("POST", "/endpoints").json(&body)).await.expect(201);
        let path = format!("/endpoints/{}", created["endpoint"]["endpoint_id"].as_str().expect("an id"));
        let active = async {
            while world.send(&partner.call("GET", &path)).await.expect(200)["endpoint"]["state"] != "active" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), active).await.expect("it is active");
        receiver.take();
        receiver.answer(unreliable);
        let secret = created["signing_secret"].as_str().expect("a secret").to_owned();
        let (taken, seen) = (BTreeMap::new(), BTreeSet::new());
        Self { receiver, secret, messages: 0, refused: 0, taken, seen }
    }

    fn look(&mut self) {
        for arrived in self.receiver.take() {
            assert!(arrived.is_signed_with(&self.secret), "{}", arrived.id);
            self.messages += 1;
            self.seen.insert(arrived.id.clone());
            if arrived.answered >= 300 {
                self.refused += 1;
                continue;
            }
            let body = arrived.json();
            let subscription = body["data"]["subject"]["subscription_id"].as_str().expect("an id").to_owned();
            self.taken.insert(arrived.id, (subscription, body["data"]["sequence"].as_u64().expect("a number")));
        }
    }
}

/// Registers every subscription, whatever dies meanwhile.
async fn sell(world: &World, partner: &Partner, customer: &Customer, sold: &AtomicU32) {
    loop {
        let n = sold.fetch_add(1, Ordering::SeqCst);
        if n >= events() {
            return;
        }
        let call = partner.register(&registration(&format!("s{n}"), customer));
        while !is_done(world, &call).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Whether a call was answered. One that was done by a process that died before it said so is a repetition.
async fn is_done(world: &World, call: &Call) -> bool {
    match world.try_send(call).await {
        Ok(answer) if answer.json()["retryable"] == true => false,
        Ok(answer) => {
            assert!([200, 201].contains(&answer.status), "{}", String::from_utf8_lossy(&answer.body));
            true
        }
        Err(_) => false,
    }
}

/// A run: the process, what is sold there, and what arrives.
struct Run {
    process: Process,
    sold: Arc<AtomicU32>,
    received: Received,
}

impl Run {
    fn done(&self) -> usize {
        self.sold.load(Ordering::SeqCst) as usize + self.received.messages
    }

    /// Looks for a while at what arrives, and kills the process if it has lived long enough.
    async fn watch(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
        self.received.look();
        if self.done() >= life() * (self.process.kills + 1) {
            self.process.kill();
        }
    }

    /// Lets time pass until everything has arrived.
    async fn drain(&mut self) {
        // Longer than each wait of the schedule, its jitter included, and then again for what began late.
        const WAITS_S: [i64; 9] = [7, 370, 2_200, 8_700, 21_700, 43_300, 60_600, 86_500, 103_700];
        for wait in WAITS_S.iter().chain(&WAITS_S) {
            // Whoever is too early lets an attempt be made twice, and nothing else; but not again and again.
            let (began, mut before) = (self.done(), usize::MAX);
            while before != self.done() {
                before = self.done();
                let quiet = if before == began { 1_000 } else { 250 };
                self.watch(Duration::from_millis(quiet)).await;
            }
            if self.received.taken.len() >= events() as usize {
                return;
            }
            self.process.clock.advance_millis(wait * 1_000);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_whatever_fails_and_dies() {
    let process = Process::start();
    let world = Arc::new(World::at(&process.url, &process.operator_key));
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    process.clock.advance_millis(20_000);
    let received = Received::at(&world, &partner).await;
    let mut run = Run { process, sold: Arc::default(), received };
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (world, partner, customer, sold) = (world.clone(), partner.clone(), customer.clone(), run.sold.clone());
        callers.spawn(async move { sell(&world, &partner, &customer, &sold).await });
    }
    while !callers.is_empty() {
        run.watch(Duration::from_millis(5)).await;
        while let Some(ended) = callers.try_join_next() {
            ended.expect("every call is answered at last");
        }
    }
    let sold = began.elapsed();
    run.drain().await;
    let Run { process, received, .. } = &run;
    let committed = committed(&world, &partner, &process.clock).await;
    let lost: Vec<_> = committed.iter().filter(|id| !received.taken.contains_key(*id)).collect();
    let invented: Vec<_> = received.seen.difference(&committed).collect();
    assert!(lost.is_empty() && invented.is_empty(), "lost {lost:?}, invented {invented:?}");
    let changes: BTreeSet<_> = received.taken.values().cloned().collect();
    assert_eq!(changes, (0..events()).map(|n| (format!("s{n}"), 1)).collect(), "one event for each subscription");
    println!(
        "{} events, {} messages ({} refused), {} kills; sold after {sold:?}, arrived after {:?}",
        committed.len(),
        received.messages,
        received.refused,
        process.kills,
        began.elapsed()
    );
    assert!(process.kills >= 8, "it was killed all the time");
    assert!(received.refused > received.messages / 8, "the receiver was unreliable");
}

/// The ids of the events that the partner finds in its feed.
async fn committed(world: &World, partner: &Partner, clock: &FileClock) -> BTreeSet<String> {
    // The feed leaves out what is so young that something older may still come.
    clock.advance_millis(60_000);
    let (mut ids, mut after) = (BTreeSet::new(), String::new());
    loop {
        let page = world.send(&partner.call("GET", &format!("/events?after={after}&limit=100"))).await.expect(200);
        let items = page["items"].as_array().expect("items");
        if items.is_empty() {
            return ids;
        }
        let wanted = items.iter().filter(|item| item["type"] == "subscription.registered");
        ids.extend(wanted.map(|item| item["event_id"].as_str().expect("an id").to_owned()));
        after = page["next_cursor"].as_str().expect("a cursor").to_owned();
    }
}
