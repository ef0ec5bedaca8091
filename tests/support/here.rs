//! What is only possible in this process: the virtual clock, options, a look into the table, an event without a gateway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Policy;
use local::Options;
use platform::lambda::{Function, Invocation, invoke};
use serde_json::Value;

use crate::{Answer, ManualClock, World};

/// Every item of the table by its primary key, attributes in the order of their names.
pub type Table = BTreeMap<(String, String), BTreeMap<String, AttributeValue>>;

impl World {
    /// The local system with its virtual clock; `None`, with a word about it, when a deployment is tested.
    pub async fn with_clock() -> Option<Self> {
        Self::with_options(|_| {}).await
    }

    /// The local system, set up by `change`; `None`, with a word about it, when a deployment is tested.
    pub async fn with_options(change: impl FnOnce(&mut Options)) -> Option<Self> {
        if std::env::var("MULTIPARTNER_URL").is_ok_and(|url| !url.is_empty()) {
            println!("skipped: needs the virtual clock");
            return None;
        }
        Some(Self::start_here(change).await)
    }

    /// The local system under a policy that `change` makes of the built-in one.
    pub async fn with_policy(change: impl FnOnce(&mut Value)) -> Option<Self> {
        let policy = policy_with(change);
        Self::with_options(|options| options.policy = Some(policy)).await
    }

    /// The virtual clock.
    ///
    /// # Panics
    /// On a deployment; tests that call this begin with [`World::with_clock`].
    #[track_caller]
    pub fn clock(&self) -> &ManualClock {
        self.here().expect("a virtual clock").1
    }

    /// Lets a millisecond pass, so that what comes next is younger than what was before.
    pub fn tick(&self) {
        if let Some((_, clock)) = self.here() {
            clock.advance_millis(1);
        }
    }

    /// Every item there is; empty on a deployment, whose table tests can't see.
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

    /// Gives an event straight to a function, past the gateway.
    ///
    /// # Panics
    /// On a deployment.
    pub async fn invoke(&self, function: &Function, event: &[u8], remaining: Duration) -> Answer {
        let (local, _) = self.here().expect("a function in this process");
        let invocation = Invocation { id: "00000000-0000-4000-8000-000000000000".into(), remaining };
        Answer::of(invoke(Arc::clone(local.app()), function, event, &invocation).await)
    }
}

/// The function that serves a route, by its key.
pub fn function_of(route_key: &str) -> Option<&'static Function> {
    local::functions::FUNCTIONS.iter().find(|function| function.serves(route_key))
}

/// A policy file that `change` makes of the built-in one's.
pub fn policy_with(change: impl FnOnce(&mut Value)) -> Policy {
    let mut file: Value = serde_json::from_str(include_str!("../../shared/domain/policy.json")).expect("a policy file");
    change(&mut file);
    Policy::parse(&file.to_string()).expect("a sound policy")
}
