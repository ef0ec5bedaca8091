//! Which shards of waiting items have been written to. The courier reads only those, instead of asking for all shards each time.
//!
//! A mark is put by a write that names its partition, so the names in a write say which shards may have a new mark or an earlier
//! one. A write that may put a mark without its name counts for all shards. Removed marks are not noticed.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use platform::store::{Waiting, keys};
use serde_json::Value;

/// The operations that write nothing.
const READS: [&str; 8] = [
    "BatchGetItem",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetItem",
    "ListTables",
    "Query",
    "Scan",
    "TransactGetItems",
];

/// The partitions of the index of due work. `None`: its items do not wait for the courier.
static PARTITIONS: LazyLock<HashMap<String, Option<Waiting>>> = LazyLock::new(|| {
    let mut partitions = HashMap::new();
    for number in 0..keys::SHARDS {
        partitions.insert(keys::outbox_shard(number), Some(Waiting::Outbox(number)));
        partitions.insert(keys::later_shard(number), Some(Waiting::Later(number)));
        partitions.insert(keys::due_shard(number), None);
    }
    partitions
});

/// How many writes there were, and the number of the last one to each shard. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Marks(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    count: u64,
    shards: Vec<(Waiting, u64)>,
    /// The last write that counts for all shards.
    all: u64,
}

/// What a write may have marked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Marked {
    Shards(Vec<Waiting>),
    All,
}

impl Marked {
    /// What this request may mark.
    pub(super) fn by(operation: &str, request: &Value) -> Self {
        if READS.contains(&operation) {
            return Self::Shards(Vec::new());
        }
        if matches!(operation, "CreateTable" | "DeleteTable") {
            return Self::All;
        }
        let mut shards = Vec::new();
        let writes = request["TransactItems"].as_array().map_or(std::slice::from_ref(request), Vec::as_slice);
        for write in writes {
            let mut found = Found::default();
            found.look(write);
            if found.assigns && !found.names {
                return Self::All;
            }
            shards.extend(found.shards);
        }
        Self::Shards(shards)
    }
}

/// What one write contains.
#[derive(Default)]
struct Found {
    shards: Vec<Waiting>,
    /// Whether it names a partition of the index.
    names: bool,
    /// Whether it may assign an attribute of the index by an expression.
    assigns: bool,
}

impl Found {
    fn look(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                if let Some(shard) = PARTITIONS.get(text) {
                    self.names = true;
                    self.shards.extend(*shard);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.look(value)),
            Value::Object(members) => {
                for (name, value) in members {
                    self.assigns |= match name.as_str() {
                        "UpdateExpression" => value.as_str().is_some_and(assigns),
                        "ExpressionAttributeNames" => value.to_string().contains(keys::GSI3),
                        _ => false,
                    };
                    self.look(value);
                }
            }
            _ => {}
        }
    }
}

/// Whether the expression does more with the index's attributes than to remove them.
fn assigns(expression: &str) -> bool {
    let (before, removed) = expression.rsplit_once("REMOVE ").unwrap_or((expression, ""));
    before.contains(keys::GSI3) || (removed.contains(keys::GSI3) && removed.contains('='))
}

impl Marks {
    /// Notes a write that is done.
    pub(super) fn note(&self, marked: &Marked) {
        let shards = match marked {
            Marked::Shards(shards) if shards.is_empty() => return,
            Marked::Shards(shards) => shards.as_slice(),
            Marked::All => &[],
        };
        let mut written = self.written();
        written.count += 1;
        let count = written.count;
        if shards.is_empty() {
            written.all = count;
        }
        for shard in shards {
            match written.shards.iter_mut().find(|(known, _)| known == shard) {
                Some((_, last)) => *last = count,
                None => written.shards.push((*shard, count)),
            }
        }
    }

    /// The shards that were written to after the write with this number, and the number of the last write.
    pub(super) fn since(&self, seen: u64) -> (u64, Vec<Waiting>) {
        let written = self.written();
        let shards = if written.all > seen {
            Waiting::all().collect()
        } else {
            written.shards.iter().filter(|(_, last)| *last > seen).map(|(shard, _)| *shard).collect()
        };
        (written.count, shards)
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn update(expression: &str, value: &str) -> Value {
        json!({"Update": {"Key": {"pk": {"S": "a"}}, "UpdateExpression": expression, "ExpressionAttributeValues": {":p": {"S": value}}}})
    }

    fn transact(writes: &[Value]) -> Marked {
        Marked::by("TransactWriteItems", &json!({"TransactItems": writes}))
    }

    #[test]
    fn a_write_counts_for_the_shards_that_it_names() {
        let put = json!({"Put": {"Item": {"pk": {"S": "a"}, "gsi3pk": {"S": "OUTBOX#7"}, "gsi3sk": {"S": "1"}}}});
        let later = update("SET gsi3pk = :p, gsi3sk = :at", "LATER#31");
        assert_eq!(transact(&[put.clone(), later]), Marked::Shards(vec![Waiting::Outbox(7), Waiting::Later(31)]));
        assert_eq!(Marked::by("PutItem", &put["Put"]), Marked::Shards(vec![Waiting::Outbox(7)]));
        let batch = json!({"RequestItems": {"tests": [{"PutRequest": put["Put"]}]}});
        assert_eq!(Marked::by("BatchWriteItem", &batch), Marked::Shards(vec![Waiting::Outbox(7)]));
    }

    #[test]
    fn a_write_that_may_mark_without_a_name_counts_for_all_shards() {
        let unclear =
            ["SET gsi3sk = :p", "SET a = :p, gsi3pk = b", "REMOVE gsi3pk SET gsi3sk = :p", "REMOVE a SET gsi3pk = :p"];
        for expression in unclear {
            assert_eq!(transact(&[update("SET a = :p", "x"), update(expression, "x")]), Marked::All, "{expression}");
        }
        let named = json!({"UpdateExpression": "SET #a = :p", "ExpressionAttributeNames": {"#a": "gsi3sk"}});
        assert_eq!(Marked::by("UpdateItem", &named), Marked::All);
        assert_eq!(Marked::by("CreateTable", &json!({})), Marked::All);
    }

    #[test]
    fn other_writes_and_reads_count_for_no_shard() {
        let nothing = Marked::Shards(Vec::new());
        for expression in ["SET a = :p", "SET a = :p REMOVE gsi3pk, gsi3sk", "REMOVE gsi3pk, gsi3sk"] {
            assert_eq!(transact(&[update(expression, "x")]), nothing, "{expression}");
        }
        assert_eq!(transact(&[update("SET gsi3pk = :p, gsi3sk = :at", "DUE#3")]), nothing);
        assert_eq!(Marked::by("Query", &json!({"ExpressionAttributeValues": {":p": {"S": "OUTBOX#7"}}})), nothing);
    }

    #[test]
    fn each_reader_gets_the_shards_since_its_last_look() {
        let marks = Marks::default();
        assert_eq!(marks.since(0), (0, Vec::new()));
        marks.note(&Marked::Shards(vec![Waiting::Outbox(7)]));
        marks.note(&Marked::Shards(vec![Waiting::Later(2), Waiting::Outbox(7)]));
        assert_eq!(marks.since(0), (2, vec![Waiting::Outbox(7), Waiting::Later(2)]));
        assert_eq!(marks.since(2), (2, Vec::new()));
        marks.note(&Marked::All);
        assert_eq!(marks.since(2).1.len(), 2 * usize::from(keys::SHARDS));
        assert_eq!(marks.since(3), (3, Vec::new()));
    }
}
