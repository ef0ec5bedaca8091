//! Copies of items with other ids.

use local::TABLE;
use local::engine::Engine;
use platform::store::keys::{GSI1_PK, GSI3_PK, GSI4_PK, SHARDS};
use serde_json::{Map, Value, json};

use crate::Many;
use crate::scene::Scene;

/// The maximum of DynamoDB.
const BATCH: usize = 25;
/// The characters of ids of this product.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Items to copy, and the ids in them that are others in each copy.
pub struct Copies {
    engine: Engine,
    many: Many,
    items: Vec<String>,
    ids: Vec<String>,
}

impl Copies {
    pub fn of(scene: &Scene) -> Self {
        let items: Vec<Value> = scan(&scene.engine);
        let ids = scene.ids_of_copies();
        let is_copied = |item: &&Value| match scene.many {
            Many::EventsPerRecord => item["pk"]["S"] == format!("EVENTS#TENANT#{}", scene.customer.tenant_id),
            _ => {
                let key = format!("{} {}", item["pk"]["S"], item["sk"]["S"]);
                ids.iter().any(|id| key.contains(id.as_str()))
            }
        };
        let items = items.iter().filter(is_copied).map(Value::to_string).collect();
        Self { engine: scene.engine.clone(), many: scene.many, items, ids }
    }

    /// Writes this many copies.
    pub fn write(&self, number: u64) {
        assert!(!self.items.is_empty() && self.items.len() < 12, "{:?}", self.items);
        let mut batch = Vec::new();
        for copy in 1..=number {
            batch.extend(self.items.iter().map(|item| self.copy(item, copy)));
            if batch.len() > BATCH {
                self.put(batch.drain(..BATCH).collect());
            }
        }
        while !batch.is_empty() {
            self.put(batch.drain(..batch.len().min(BATCH)).collect());
        }
        if self.many == Many::EventsPerRecord && number > 0 {
            self.lengthen(number);
        }
    }

    fn copy(&self, item: &str, copy: u64) -> Value {
        let text = self.ids.iter().fold(item.to_owned(), |text, id| text.replace(id, &other(id, copy)));
        let mut item: Map<String, Value> = serde_json::from_str(&text).expect("an item");
        // Shards are spread as a hash spreads them.
        for name in [GSI1_PK, GSI3_PK, GSI4_PK] {
            let partition = item.get(name).and_then(|value| value["S"].as_str()).map(str::to_owned);
            let shard = partition.as_deref().and_then(|partition| partition.rsplit_once('#'));
            if let Some((family, _)) = shard.filter(|(_, number)| number.parse::<u8>().is_ok()) {
                item.insert(name.to_owned(), json!({"S": format!("{family}#{}", copy % u64::from(SHARDS))}));
            }
        }
        if self.many == Many::EventsPerRecord {
            item.insert("sk".to_owned(), json!({"S": format!("{:010}", copy + 1)}));
        }
        Value::Object(item)
    }

    /// Lets the record of the copied events continue after them.
    fn lengthen(&self, copies: u64) {
        let items = scan(&self.engine);
        let tenant = items.iter().find(|item| item["pk"]["S"] == format!("TENANT#{}", self.ids[0])).expect("a tenant");
        let mut tenant = tenant.clone();
        tenant["event_seq"] = json!({"N": (copies + 1).to_string()});
        self.put(vec![tenant]);
    }

    fn put(&self, items: Vec<Value>) {
        let puts: Vec<_> = items.into_iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
        let (status, answer) = self.engine.call("BatchWriteItem", json!({"RequestItems": {TABLE: puts}}));
        assert_eq!(status, 200, "{answer}");
    }
}

/// An id of the same form.
fn other(id: &str, copy: u64) -> String {
    // The end of a tenant's id and the middle of the other ids, so that the rest of their last character stays right.
    let (at, letters): (usize, Vec<char>) = if id.contains('-') {
        // Other tenants of the run never begin with `f` here.
        (24, format!("f{copy:011x}").chars().collect())
    } else {
        let letter = |place: u32| char::from(LETTERS[usize::try_from(copy >> (5 * place) & 31).expect("small")]);
        (5, (0..8).map(letter).collect())
    };
    let end = id.char_indices().nth(at + letters.len()).map_or(id.len(), |(end, _)| end);
    format!("{}{}{}", &id[..at], letters.iter().collect::<String>(), &id[end..])
}

pub fn scan(engine: &Engine) -> Vec<Value> {
    let (mut items, mut start) = (Vec::new(), Value::Null);
    loop {
        let mut request = json!({"TableName": TABLE, "ConsistentRead": true});
        if !start.is_null() {
            request["ExclusiveStartKey"] = start;
        }
        let (status, mut answer) = engine.call("Scan", request);
        assert_eq!(status, 200, "{answer}");
        items.extend(answer["Items"].as_array_mut().map(std::mem::take).unwrap_or_default());
        start = answer["LastEvaluatedKey"].take();
        if start.is_null() {
            return items;
        }
    }
}
