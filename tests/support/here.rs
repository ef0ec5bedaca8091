//! What only works with the system in this process: the virtual clock, options, reading the table, invoking a function.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Policy;
use local::Options;
use platform::lambda::{Function, Invocation, invoke};
use serde_json::{Value, json};

use crate::{Answer, ManualClock, World, contract};

/// Every item by its primary key. Attributes are sorted by name.
pub type Table = BTreeMap<(String, String), BTreeMap<String, AttributeValue>>;

impl World {
    /// The local system with its virtual clock. Prints a line and returns `None` if a deployment is tested.
    pub async fn with_clock() -> Option<Self> {
        Self::with_options(|_| {}).await
    }

    /// A system in which a link is enough to accept anything. Prints a line and returns `None` if a deployment is tested, because
    /// its policy needs the customer itself to grant roles.
    pub async fn with_links() -> Option<Self> {
        if std::env::var("MULTIPARTNER_URL").is_ok_and(|url| !url.is_empty()) {
            println!("skipped: a link does not grant roles in the policy of a deployment");
            return None;
        }
        Some(Self::start().await)
    }

    /// The local system with options changed by `change`. Prints a line and returns `None` if a deployment is tested.
    pub async fn with_options(change: impl FnOnce(&mut Options)) -> Option<Self> {
        if std::env::var("MULTIPARTNER_URL").is_ok_and(|url| !url.is_empty()) {
            println!("skipped: the test needs the virtual clock");
            return None;
        }
        Some(Self::start_here(change).await)
    }

    /// The local system with the built-in policy, changed by `change`.
    pub async fn with_policy(change: impl FnOnce(&mut Value)) -> Option<Self> {
        let policy = policy_with(change);
        Self::with_options(|options| options.policy = Some(policy)).await
    }

    /// # Panics
    /// On a deployment. Tests that call this start with [`World::with_clock`].
    #[track_caller]
    pub fn clock(&self) -> &ManualClock {
        self.here().expect("a virtual clock").1
    }

    /// Moves the clock by a millisecond, so that later writes have a later time.
    pub fn tick(&self) {
        if let Some((_, clock)) = self.here() {
            clock.advance_millis(1);
        }
    }

    /// All items. Empty on a deployment, whose table tests can't read.
    pub async fn table(&self) -> Table {
        let mut table = Table::new();
        let Some((local, _)) = self.here() else { return table };
        let mut start = None;
        loop {
            let scan = local.client().scan().table_name(local.table()).consistent_read(true);
            let page = scan.set_exclusive_start_key(start.take()).send().await.expect("a scan");
            for item in page.items.unwrap_or_default() {
                let part = |name: &str| item[name].as_s().expect("a key of text").clone();
                table.insert((part("pk"), part("sk")), item.into_iter().collect());
            }
            match page.last_evaluated_key {
                Some(key) => start = Some(key),
                None => return table,
            }
        }
    }

    /// Invokes a function without the gateway.
    ///
    /// # Panics
    /// On a deployment.
    pub async fn invoke(&self, function: &Function, event: &[u8], remaining: Duration) -> Answer {
        let (local, _) = self.here().expect("a function in this process");
        let invocation = Invocation { id: "00000000-0000-4000-8000-000000000000".into(), remaining };
        let answer = Answer::of(invoke(Arc::clone(local.app()), function, event, &invocation).await);
        contract::assert_event_fits(function, event, &answer);
        answer
    }
}

/// The function that serves a route, by its key.
pub fn function_of(route_key: &str) -> Option<&'static Function> {
    local::functions::FUNCTIONS.iter().find(|function| function.serves(route_key))
}

/// The file of a policy that has only the newest version of the built-in one, in full. Its number is 1, so that a test can add
/// version 2.
pub fn newest_policy() -> Value {
    let file: Value = serde_json::from_str(include_str!("../../shared/domain/policy.json")).expect("a policy file");
    let mut newest = serde_json::Map::new();
    for version in file["versions"].as_array().expect("versions") {
        newest.extend(version.as_object().expect("a version").clone());
    }
    newest.insert("version".to_owned(), json!(1));
    json!({"versions": [newest]})
}

/// The built-in policy, except that a link is enough to accept anything. Most tests accept by link, because their worlds have no
/// identity provider. `tests/api/proofs.rs` tests the built-in proofs.
pub fn link_policy() -> Policy {
    let mut file: Value = serde_json::from_str(include_str!("../../shared/domain/policy.json")).expect("a policy file");
    let_links(&mut file);
    Policy::parse(&file.to_string()).expect("a sound policy")
}

fn let_links(file: &mut Value) {
    for version in file["versions"].as_array_mut().expect("versions") {
        for cloud in version["clouds"].as_object_mut().expect("clouds").values_mut() {
            cloud["accept_proof"] = json!({"relationship": "link", "roles": "link"});
        }
    }
}

/// The newest version of the built-in policy, with links as in [`link_policy`], changed by `change`.
pub fn policy_with(change: impl FnOnce(&mut Value)) -> Policy {
    let mut file = newest_policy();
    let_links(&mut file);
    change(&mut file);
    Policy::parse(&file.to_string()).expect("a sound policy")
}

/// The size of an item as DynamoDB counts it: names and values; 3 bytes for a list or map, 1 more for each member.
pub fn size_of(item: &BTreeMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // One byte per two digits, plus one. A sign takes another byte.
        AttributeValue::N(digits) => digits.trim_end_matches('0').len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::L(items) => 3 + items.iter().map(|item| 1 + size_of_value(item)).sum::<usize>(),
        AttributeValue::M(members) => {
            3 + members.iter().map(|(name, value)| 1 + name.len() + size_of_value(value)).sum::<usize>()
        }
        other => panic!("unexpected attribute: {other:?}"),
    }
}
