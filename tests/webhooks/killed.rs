//! Webhooks of a system that is killed again and again, sent to a receiver that fails: no event is lost and none is
//! invented.

pub(crate) mod process;
mod received;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use platform::clock::Clock;
use tests::parties::registration;
use tests::wait::Wait;
use tests::{Call, Customer, FileClock, Partner, World};
use tokio::task::JoinSet;

use self::process::Process;
use self::received::Received;

/// `EVENTS=100000 cargo test --release -p tests --test webhooks -- every_event --nocapture` for the long run.
fn events() -> u32 {
    std::env::var("EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

/// The process is killed after this many registrations and messages. The engine remembers each transaction for ten minutes
/// and searches all of them in each new one, so a process must not live long.
fn life() -> usize {
    (events() as usize / 5).min(4_000)
}

/// Registrations at the same time.
const CALLERS: u32 = 8;

/// A run: the process, the registrations made there, and what arrives.
struct Run {
    process: Process,
    registered: Arc<AtomicU32>,
    received: Received,
}

impl Run {
    /// Checks what arrived, and kills the process if it has lived long enough.
    fn look(&mut self) {
        self.received.look();
        let done = self.registered.load(Ordering::SeqCst) as usize + self.received.messages;
        if done >= life() * (self.process.kills + 1) {
            self.process.kill();
        }
    }

    /// Waits until all callers are done.
    async fn finish(&mut self, mut callers: JoinSet<()>) {
        while !callers.is_empty() {
            self.received.pause().await;
            self.look();
            while let Some(ended) = callers.try_join_next() {
                ended.expect("every registration succeeds in the end");
            }
        }
    }

    /// Lets time pass until every event has arrived.
    async fn drain(&mut self) {
        while self.received.accepted.len() < events() as usize {
            let Some(next) = self.settle().await else { return };
            let wait = next - self.process.clock.now().millis();
            // Twice the wait, so that deliveries whose jitter is larger become due as well.
            self.process.clock.advance_millis(wait.max(1) * 2);
        }
    }

    /// Has everything delivered that is due; when something is due next. `None` if nothing ever is.
    async fn settle(&mut self) -> Option<i64> {
        let mut kills = usize::MAX;
        loop {
            // A killed process forgets that it was asked.
            if kills != self.process.kills {
                kills = self.process.kills;
                self.process.ask_to_settle();
            }
            self.look();
            if kills != self.process.kills {
                continue;
            }
            match self.process.settled() {
                Some(next) => {
                    self.received.look();
                    return next;
                }
                None => self.received.pause().await,
            }
        }
    }
}

/// Registers subscriptions until there are enough, and repeats calls that a killed process did not answer.
async fn register(world: &World, partner: &Partner, customer: &Customer, registered: &AtomicU32) {
    loop {
        let n = registered.fetch_add(1, Ordering::SeqCst);
        if n >= events() {
            return;
        }
        let call = partner.register(&registration(&format!("s{n}"), customer));
        let wait = Wait::start("a registration");
        while !is_done(world, &call).await {
            wait.pause().await;
        }
    }
}

/// Whether a call was answered. A process may die after the write and before the answer; the next try gets a 200.
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

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_although_process_and_receiver_fail() {
    let process = Process::start();
    let world = Arc::new(World::at(&process.url, &process.operator_key));
    let (partner, customer) = (world.partner().await, world.customer().await);
    world.relate(&partner, &customer).await;
    process.clock.advance_millis(20_000);
    let received = Received::start(&world, &partner).await;
    let mut run = Run { process, registered: Arc::default(), received };
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (world, partner, customer) = (world.clone(), partner.clone(), customer.clone());
        let registered = run.registered.clone();
        callers.spawn(async move { register(&world, &partner, &customer, &registered).await });
    }
    run.finish(callers).await;
    let registered = began.elapsed();
    run.drain().await;
    let Run { process, received, .. } = &run;
    let committed = committed(&world, &partner, &process.clock).await;
    let lost: Vec<_> = committed.iter().filter(|id| !received.accepted.contains_key(*id)).collect();
    let invented: Vec<_> = received.seen.difference(&committed).collect();
    assert!(lost.is_empty() && invented.is_empty(), "lost {lost:?}, invented {invented:?}");
    let changes: BTreeSet<_> = received.accepted.values().cloned().collect();
    assert_eq!(changes, (0..events()).map(|n| (format!("s{n}"), 1)).collect(), "one event for each subscription");
    println!(
        "{} events, {} messages ({} rejected), {} kills; registered after {registered:?}, arrived after {:?}",
        committed.len(),
        received.messages,
        received.rejected,
        process.kills,
        began.elapsed()
    );
    assert!(process.kills >= 8, "the process was killed only {} times", process.kills);
    assert!(received.rejected > received.messages / 8, "the receiver rejected only {} messages", received.rejected);
}

/// The ids of the events in the partner's feed.
async fn committed(world: &World, partner: &Partner, clock: &FileClock) -> BTreeSet<String> {
    // The feed holds back the newest events while older ones may still be written.
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
