//! Helpers of these tests: run the job, read events and lists, and create grants.

use serde_json::{Value, json};
use tests::parties::asking;
use tests::{Call, Customer, Partner, World};

/// Runs the job once and returns its report.
pub async fn run(world: &World) -> Value {
    local::jobs::run_expire_due(world.here().expect("the local system").0).await.expect("a report")
}

/// Runs the job once and returns how many events it wrote.
pub async fn announced(world: &World) -> u64 {
    run(world).await["announced"].as_u64().expect("a number")
}

/// All events whose subject contains this id, oldest first.
pub async fn events_of(world: &World, id: &str) -> Vec<Value> {
    let mut events =
        world.all(&Call::get(format!("/v1/events?limit=100&subject={id}")).key(world.operator_key())).await;
    // A list does not define the order of events of the same millisecond.
    events.reverse();
    events.sort_by_key(|event| (event["occurred_at"].to_string(), event["sequence"].as_u64()));
    events
}

/// The types of all events whose subject contains this id, oldest first.
pub async fn types_of(world: &World, id: &str) -> Vec<String> {
    let events = events_of(world, id).await;
    events.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
}

/// The number of events of this type whose subject contains this id.
pub async fn count(world: &World, id: &str, event_type: &str) -> usize {
    types_of(world, id).await.iter().filter(|found| *found == event_type).count()
}

/// The response bodies of all reads except events: the first pages of lists, and single items.
pub async fn seen(world: &World, partner: &Partner, customer: &Customer) -> Vec<(String, Vec<u8>)> {
    let lists = ["invitations", "customers", "subscriptions"].map(|list| partner.call("GET", &format!("/{list}")));
    let mut reads: Vec<_> = lists.into();
    reads.extend(["partners", "invitations", "subscriptions"].map(|list| customer.call("GET", &format!("/{list}"))));
    reads.extend(["customers", "partners", "keys"].map(|l| Call::get(format!("/v1/{l}")).key(world.operator_key())));
    reads.extend([Call::get("/v1/me").key(&partner.key), Call::get("/v1/policy")]);
    for invitation in world.all(&partner.call("GET", "/invitations")).await {
        let id = invitation["invitation_id"].as_str().expect("an id");
        reads.push(partner.call("GET", &format!("/invitations/{id}")));
    }
    let mut seen = Vec::new();
    for read in reads {
        let answer = world.send(&read).await;
        answer.expect(200);
        seen.push((read.path, answer.body.clone()));
    }
    seen
}

/// The response bodies of a customer's subscriptions, as the customer, the operator and these partners see them.
pub async fn sold(world: &World, partners: &[&Partner], customer: &Customer) -> Vec<Vec<u8>> {
    let mut reads = vec![customer.call("GET", "/subscriptions")];
    reads.push(Call::get(format!("/v1/customers/{}/subscriptions", customer.tenant_id)).key(world.operator_key()));
    reads.extend(partners.iter().map(|partner| partner.call("GET", "/subscriptions")));
    let mut sold = Vec::new();
    for read in &reads {
        let answer = world.send(read).await;
        answer.expect(200);
        sold.push(answer.body.clone());
    }
    sold
}

/// Creates a grant of `global_reader`, narrowed from a larger request, that starts now. Returns its id.
pub async fn granted(world: &World, partner: &Partner, customer: &Customer, duration: &str, extends: bool) -> String {
    let mut asked = asking(&["global_reader", "directory_readers"], "P730D");
    asked["auto_extend"] = json!(true);
    let (id, _) = world.open(partner, customer, asked).await;
    let mut narrowed = asking(&["global_reader"], duration);
    narrowed["auto_extend"] = json!(extends);
    let accepted = world.send(&customer.accept(&id, &narrowed)).await.expect(200);
    assert_eq!(accepted["grant"]["roles"], json!(["global_reader"]));
    accepted["grant"]["grant_id"].as_str().expect("an id").to_owned()
}

/// A grant in the customer's list of partners, or `None` if it is not listed.
pub async fn shown(world: &World, customer: &Customer, grant: &str) -> Option<Value> {
    let rows = world.all(&customer.call("GET", "/partners")).await;
    let mut grants = rows.iter().flat_map(|row| row["grants"].as_array().expect("grants"));
    grants.find(|found| found["grant_id"] == grant).cloned()
}

/// Checks the hash chains of all events and returns the number of events.
pub async fn audited(world: &World) -> usize {
    let (local, _) = world.here().expect("the local system");
    local::verify::audit(local.client(), local.table()).await.expect("every record is as its events left it").events
}
