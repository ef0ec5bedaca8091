//! A system with one of each, and the requests that are measured.

use std::time::Instant;

use local::api::Api;
use local::engine::Engine;
use serde_json::{Value, json};
use tests::meter::Meter;
use tests::parties::{accept_by_link, link, preview, registration};
use tests::{Call, Customer, Partner, Receiver, Reply, World};

use crate::seed::scan;
use crate::{Many, Request};

/// What one request costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Requests to the table.
    pub trips: usize,
    /// Read and write units of the table and its indexes, as the engine counts them.
    pub units: f64,
    /// Time, which depends on what else the machine does.
    pub p50_ms: f64,
}

pub struct Scene {
    pub engine: Engine,
    pub many: Many,
    pub customer: Customer,
    world: World,
    meter: Meter,
    api: Api,
    partner: Partner,
    invitation: String,
    /// The failing endpoint and its receiver.
    endpoint: Option<(String, Receiver)>,
}

impl Scene {
    pub async fn start(many: Many) -> Self {
        let engine = Engine::memory().expect("an engine");
        let meter = Meter::over(engine.http_client());
        meter.switch(false);
        let (client, own) = (meter.http_client(), engine.clone());
        let world = World::start_here(|options| {
            options.http_client = Some(client);
            options.engine = Some(own);
            options.loopback_endpoints = true;
        });
        let world = world.await;
        world.stop_checking();
        let (partner, customer) = (world.partner().await, world.customer().await);
        let endpoint =
            if many == Many::FailingEndpoints { Some(failing_endpoint(&world, &customer).await) } else { None };
        let invitation = world.relate(&partner, &customer).await;
        let api = Api::new(world.base_url()).expect("a client");
        let scene = Self { engine, many, customer, world, meter, api, partner, invitation, endpoint };
        scene.world.send(&scene.partner.register(&registration(SOLD, &scene.customer))).await.expect(201);
        scene.settle().await;
        // The feed holds back events of the last seconds.
        scene.world.clock().advance_millis(20_000);
        scene
    }

    /// The ids in the copied items that are others in each copy.
    pub fn ids_of_copies(&self) -> Vec<String> {
        match self.many {
            Many::CustomersPerPartner => vec![self.customer.tenant_id.clone(), self.invitation.clone()],
            Many::SubscriptionsPerCustomer => vec![SOLD.to_owned()],
            Many::PartnersPerCustomer => vec![self.partner.partner_id.clone(), self.invitation.clone()],
            Many::EventsPerRecord => vec![self.customer.tenant_id.clone()],
            Many::FailingEndpoints => {
                let id = &self.endpoint.as_ref().expect("an endpoint").0;
                let deliveries = scan(&self.engine).into_iter().filter(|item| item["sk"]["S"] == **id);
                let messages =
                    deliveries.filter_map(|item| Some(item["pk"]["S"].as_str()?.split_once('#')?.1.to_owned()));
                messages.chain([id.clone(), self.customer.tenant_id.clone()]).collect()
            }
        }
    }

    async fn settle(&self) {
        self.courier().settle().await.expect("the outbox is readable");
    }

    fn courier(&self) -> &local::courier::Courier {
        self.world.here().expect("here").0.courier()
    }

    /// Times a request several times, after one that fills the caches, and counts what one more costs.
    pub async fn measure(&mut self, request: Request, runs: usize) -> Cost {
        let mut times = Vec::new();
        let (mut trips, mut units) = (0, 0.0);
        for run in 0..=runs + 1 {
            let call = self.ready(request).await;
            self.world.tick();
            let is_counted = run == runs + 1;
            self.meter.switch(is_counted);
            let began = Instant::now();
            match call {
                Some((call, status)) => {
                    let answer = self.api.send(&call).await.expect("an answer");
                    assert_eq!(answer.status, status, "{:?} {request:?}: {}", self.many, answer.json());
                }
                None => assert!(self.courier().publish().await.expect("the outbox is readable") > 0),
            }
            let time = began.elapsed().as_secs_f64() * 1_000.0;
            self.meter.switch(false);
            if is_counted {
                let asked = self.meter.take();
                trips = asked.len();
                units = asked.iter().map(|asked| asked.total).sum();
            } else if run > 0 {
                times.push(time);
            }
        }
        times.sort_by(f64::total_cmp);
        Cost { trips, units, p50_ms: times[times.len() / 2] }
    }

    /// Prepares a request with its status; `None` to publish.
    async fn ready(&self, request: Request) -> Option<(Call, u16)> {
        let (partner, customer) = (&self.partner, &self.customer);
        let list = |call: Call| Some((call, 200));
        match request {
            Request::Create => Some((self.create().await, 201)),
            Request::Accept => {
                let created = self.world.send(&self.create().await).await.expect(201);
                let (id, token) = link(&created);
                // The function that accepts knows the partner after this.
                self.world.send(&preview(&id, &token)).await.expect(200);
                Some((accept_by_link(&id, &token, &Value::Null), 200))
            }
            Request::Register => Some((partner.register(&registration(&self.world.unique(), customer)), 201)),
            Request::RenameCustomer => {
                let path = format!("/v1/customers/{}", customer.tenant_id);
                let call = Call::new("PATCH", path).json(&json!({"name": format!("Contoso {}", self.world.unique())}));
                Some((call.key(self.world.operator_key()), 200))
            }
            Request::ListCustomers => list(partner.call("GET", "/customers")),
            Request::ListPartners => list(customer.call("GET", "/partners")),
            Request::ListSubscriptions => list(partner.call("GET", "/subscriptions")),
            Request::Feed if self.many == Many::EventsPerRecord => list(customer.call("GET", "/events?after=")),
            Request::Feed => list(partner.call("GET", "/events?after=")),
            Request::Publish => {
                self.settle().await;
                let sold = partner.register(&registration(&self.world.unique(), customer));
                self.world.send(&sold).await.expect(201);
                None
            }
        }
    }

    /// An invitation by the partner to a new customer, or by a new partner to the customer.
    async fn create(&self) -> Call {
        let invitation = |partner: &Partner, tenant_id: &str| {
            partner
                .create(&json!({"customer_tenant_id": tenant_id, "delegated_admin": null}))
                .idempotency_key(self.world.unique())
        };
        if self.many == Many::PartnersPerCustomer {
            let partner = self.world.partner().await;
            // The function knows the partner after this.
            self.world.send(&invitation(&partner, &self.new_customer().await)).await.expect(201);
            return invitation(&partner, &self.customer.tenant_id);
        }
        invitation(&self.partner, &self.new_customer().await)
    }

    async fn new_customer(&self) -> String {
        let tenant_id = self.world.tenant_id();
        let body = json!({"tenant_id": tenant_id, "name": "Contoso", "cloud": "public", "market": "US"});
        self.world.operator(Call::post("/v1/customers", &body)).await.expect(201);
        tenant_id
    }
}

/// The subscription that is copied. It has as many characters as the id of a Microsoft 365 subscription.
const SOLD: &str = "7f0f5e0c-1111-4000-8000-000000000001";

/// An endpoint of the customer that answered its challenge and fails since then.
async fn failing_endpoint(world: &World, customer: &Customer) -> (String, Receiver) {
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url(), "event_types": ["invitation.created"]});
    world.clock().advance_millis(20_000);
    let created = world.send(&customer.call("POST", "/endpoints").json(&body)).await.expect(201);
    world.here().expect("here").0.courier().settle().await.expect("the outbox is readable");
    receiver.answer(|_, _| Reply::status(500));
    (created["endpoint"]["endpoint_id"].as_str().expect("an id").to_owned(), receiver)
}
