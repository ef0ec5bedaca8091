//! Measures what grows: cost and time of commands, lists and the feed with 1, 1 000 and 100 000 customers of a partner,
//! subscriptions of a customer, partners of a customer, events of a record, and failing endpoints.
//!
//! `cargo run --release -p tests --bin growth [-- --svg docs/growth.svg]` takes about 20 minutes and 2 GB of memory.
//!
//! One item of each kind is written by real commands. The others are copies of it with other ids, written in batches: 100 000
//! commands would take an hour. So their digests are not right, which no measured request checks.

mod chart;
mod scene;
mod seed;

pub use scene::Cost;
use scene::Scene;
use seed::Copies;

const SIZES: [u64; 3] = [1, 1_000, 100_000];
/// How often each request is timed, unless the variable `RUNS` has another number.
const RUNS: usize = 40;

/// What there are many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Many {
    CustomersPerPartner,
    SubscriptionsPerCustomer,
    PartnersPerCustomer,
    EventsPerRecord,
    FailingEndpoints,
}

impl Many {
    const ALL: [Self; 5] = [
        Self::CustomersPerPartner,
        Self::SubscriptionsPerCustomer,
        Self::PartnersPerCustomer,
        Self::EventsPerRecord,
        Self::FailingEndpoints,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::CustomersPerPartner => "customers per partner",
            Self::SubscriptionsPerCustomer => "subscriptions per customer",
            Self::PartnersPerCustomer => "partners per customer",
            Self::EventsPerRecord => "events per record",
            Self::FailingEndpoints => "endpoints failing",
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Create,
    Accept,
    Register,
    RenameCustomer,
    ListCustomers,
    ListPartners,
    ListSubscriptions,
    Feed,
    Publish,
}

impl Request {
    const ALL: [Self; 9] = [
        Self::Create,
        Self::Accept,
        Self::Register,
        Self::RenameCustomer,
        Self::ListCustomers,
        Self::ListPartners,
        Self::ListSubscriptions,
        Self::Feed,
        Self::Publish,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create an invitation",
            Self::Accept => "accept it",
            Self::Register => "register a subscription",
            Self::RenameCustomer => "rename the customer",
            Self::ListCustomers => "list customers",
            Self::ListPartners => "list partners",
            Self::ListSubscriptions => "list subscriptions",
            Self::Feed => "read the feed",
            Self::Publish => "publish an event",
        }
    }
}

/// The costs of all requests at one size.
pub struct Row {
    pub many: Many,
    pub size: u64,
    pub costs: Vec<(Request, Cost)>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut rows = Vec::new();
    let runs = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    println!("| many | number | request | round trips | units | p50 ms |\n|---|---|---|---|---|---|");
    for many in Many::ALL {
        for size in SIZES {
            let mut scene = Scene::start(many).await;
            Copies::of(&scene).write(size - 1);
            let mut costs = Vec::new();
            for request in Request::ALL {
                let cost = scene.measure(request, runs).await;
                println!(
                    "| {} | {size} | {} | {} | {} | {:.2} |",
                    many.name(),
                    request.name(),
                    cost.trips,
                    cost.units,
                    cost.p50_ms
                );
                costs.push((request, cost));
            }
            rows.push(Row { many, size, costs });
        }
    }
    let mut arguments = std::env::args().skip_while(|argument| argument != "--svg").skip(1);
    match arguments.next() {
        Some(file) => std::fs::write(file, chart::draw(&rows)),
        None => Ok(()),
    }
}
