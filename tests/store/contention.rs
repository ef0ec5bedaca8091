//! Many callers write for one customer at once. Their transactions check the same two items, and transactions that overlap in
//! time conflict. Time is virtual, so the figures depend only on the seed.
//!
//! `cargo test --workspace --test store contention -- --nocapture` prints them.

use std::time::Duration;

use futures_util::future::join_all;
use tests::faults::TRANSACT;
use tests::parties::{accept_by_link, link, registration};
use tests::{SimOptions, World};
use tokio::time::Instant;

use crate::commands::Stage;

/// How long a request travels and how long a transaction holds its items, on average.
const TRAVEL: Duration = Duration::from_millis(3);
const HOLD: Duration = Duration::from_millis(10);

struct Figures {
    callers: usize,
    requests: usize,
    failed: usize,
    transactions: usize,
    /// In milliseconds.
    latencies: Vec<u128>,
}

/// Each caller registers subscriptions one after the other.
async fn register(callers: usize, each: usize) -> Figures {
    let stage = Stage::new(SimOptions::default()).await;
    let sim = stage.world.sim();
    let (customer, _) = stage.related(serde_json::Value::Null).await;
    sim.faults.take();
    sim.faults.contention(1, TRAVEL, HOLD);
    let caller = async |number: usize| {
        let mut done = Vec::new();
        for at in 0..each {
            let call = stage.partner.register(&registration(&format!("sub-{number}-{at}"), &customer));
            let began = Instant::now();
            let answer = stage.world.send(&call).await;
            assert!([201, 503].contains(&answer.status), "{}", answer.status);
            done.push((answer.status == 201, began.elapsed().as_millis()));
        }
        done
    };
    let done: Vec<_> = join_all((0..callers).map(caller)).await.into_iter().flatten().collect();
    let transactions = sim.faults.take().iter().filter(|record| record.operation == TRANSACT).count();
    let failed = done.iter().filter(|(succeeded, _)| !succeeded).count();
    let mut latencies: Vec<u128> = done.iter().map(|(_, latency)| *latency).collect();
    latencies.sort_unstable();
    Figures { callers, requests: done.len(), failed, transactions, latencies }
}

impl Figures {
    fn print(&self) {
        let at = |percent: usize| self.latencies[(self.latencies.len() - 1) * percent / 100];
        println!(
            "{} callers, {} requests: {:.1} of 1 000 failed, {:.2} transactions per request, p50 {} ms, p99 {} ms, longest {} ms",
            self.callers,
            self.requests,
            1_000.0 * self.failed as f64 / self.requests as f64,
            self.transactions as f64 / self.requests as f64,
            at(50),
            at(99),
            at(100),
        );
    }
}

#[tokio::test(start_paused = true)]
async fn callers_that_register_for_one_customer_at_once_succeed() {
    // Callers, requests of each, and how many of 1 000 requests may fail.
    for (callers, each, most_failed) in [(2, 100, 0), (4, 50, 0), (8, 25, 5), (16, 25, 5), (50, 5, 20)] {
        let figures = register(callers, each).await;
        figures.print();
        assert!(figures.transactions > figures.requests, "nothing conflicted");
        assert!(
            figures.failed * 1_000 <= most_failed * figures.requests,
            "{callers} callers: {} failed",
            figures.failed
        );
        // The budget is 4 s; the last try may begin just before its end.
        assert!(figures.latencies.last() <= Some(&5_600));
    }
}

/// What 40 callers register one by one, one caller registers with one batch, in one transaction.
#[tokio::test(start_paused = true)]
async fn one_batch_replaces_40_calls() {
    let stage = Stage::new(SimOptions::default()).await;
    let sim = stage.world.sim();
    let (customer, _) = stage.related(serde_json::Value::Null).await;
    let bodies: Vec<_> = (0..40).map(|at| registration(&format!("batch-{at}"), &customer)).collect();
    // The function has the partner and its key in its caches.
    stage.world.send(&stage.partner.register(&registration("first", &customer))).await.expect(201);
    sim.faults.take();
    sim.faults.contention(1, TRAVEL, HOLD);
    let began = Instant::now();
    let answer = stage.world.send(&stage.partner.register_batch(&bodies)).await.expect(200);
    let took = began.elapsed().as_millis();
    let records = sim.faults.take();
    assert_eq!(records.iter().map(|record| record.operation.as_str()).collect::<Vec<_>>(), [TRANSACT]);
    assert!(answer["results"].as_array().is_some_and(|all| all.iter().all(|one| one["outcome"] == "registered")));
    let alone = register(40, 1).await;
    alone.print();
    println!("one batch of 40: 1 transaction, {took} ms");
    assert!(alone.transactions > 40 && alone.latencies.last() > Some(&took));
}

/// A command that reads, decides and writes is repeated when another caller was faster.
#[tokio::test(start_paused = true)]
async fn callers_that_answer_one_invitation_at_once_all_get_the_answer() {
    let stage = Stage::new(SimOptions::default()).await;
    let world: &World = &stage.world;
    let (id, token) =
        link(&world.invite(&stage.partner, &stage.customer().await, serde_json::Value::Null).await.expect(201));
    world.sim().faults.contention(1, TRAVEL, HOLD);
    let accept = accept_by_link(&id, &token, &serde_json::Value::Null);
    let answers = join_all((0..16).map(|_| world.send(&accept))).await;
    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
}
