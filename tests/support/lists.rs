//! Reading lists whole. On a deployment an index may lag, so a list that is too short is read again.

use std::time::Duration;

use serde_json::Value;

use crate::{Call, Partner, World};

/// How often a list is read again on a deployment.
const READS: u32 = 20;

impl World {
    /// All items of a list, over all its pages, once there are `count` of them.
    pub async fn items(&self, list: &Call, count: usize) -> Vec<Value> {
        let mut reads = 0;
        loop {
            let items = self.all(list).await;
            reads += 1;
            if items.len() == count {
                return items;
            }
            let more = self.is_deployment() && reads < READS;
            assert!(more, "{} has {} items instead of {count}: {items:#?}", list.path, items.len());
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// All items of a list as they are, over all its pages.
    pub async fn all(&self, list: &Call) -> Vec<Value> {
        let mut items = Vec::new();
        let mut page = list.clone();
        loop {
            let answer = self.send(&page).await.expect(200);
            items.extend(answer["items"].as_array().expect("items").iter().cloned());
            let Some(cursor) = answer["next_cursor"].as_str() else { return items };
            let join = if list.path.contains('?') { '&' } else { '?' };
            page.path = format!("{}{join}cursor={cursor}", list.path);
        }
    }

    /// The types of all events that name a partner, in the order of the alphabet, once there are `count` of them: what
    /// happens in one millisecond has no order of its own.
    pub async fn event_types(&self, partner: &Partner, count: usize) -> Vec<String> {
        let path = format!("/v1/partners/{}/events?limit=100", partner.partner_id);
        let events = self.items(&Call::get(path).key(self.operator_key()), count).await;
        let mut types: Vec<_> = events.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect();
        types.sort_unstable();
        types
    }
}
