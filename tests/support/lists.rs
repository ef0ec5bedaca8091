//! Reads complete lists. On a deployment an index may lag, so a list that is too short is read again.

use serde_json::Value;

use crate::{Call, Partner, World, until};

impl World {
    /// All items of a list, from all its pages, once there are `count`.
    pub async fn items(&self, list: &Call, count: usize) -> Vec<Value> {
        until(&format!("{count} items of {}", list.path), async || {
            let items = self.all(list).await;
            let complete = items.len() == count;
            assert!(complete || self.is_deployment(), "{} items instead of {count}: {items:#?}", items.len());
            complete.then_some(items)
        })
        .await
    }

    /// All current items of a list, from all its pages.
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

    /// The types of all events of a partner, once there are `count`. They are sorted by name, because events of the same
    /// millisecond have no defined order.
    pub async fn event_types(&self, partner: &Partner, count: usize) -> Vec<String> {
        let path = format!("/v1/partners/{}/events?limit=100", partner.partner_id);
        let events = self.items(&Call::get(path).key(self.operator_key()), count).await;
        let mut types: Vec<_> = events.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect();
        types.sort_unstable();
        types
    }
}
