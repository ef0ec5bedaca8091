//! The operations of the DynamoDB API, by name.

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use super::marks::Marked;
use super::opened::Opened;
use super::rejected::rejected;

/// Runs the request with this `X-Amz-Target`. Returns the HTTP status and the body.
pub(super) fn respond(opened: &Opened, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let operation = target.split_once('.').map_or("", |(_, operation)| operation);
    let (status, answer) = match serde_json::from_slice(body) {
        Ok(request) => run(opened, operation, request),
        Err(error) => rejected(&DynoxideError::SerializationException(error.to_string())),
    };
    (status, answer.to_string().into_bytes())
}

/// Runs an operation. Returns the HTTP status and the response.
pub(super) fn run(opened: &Opened, operation: &str, request: Value) -> (u16, Value) {
    let run = |request| run_in(&opened.database, operation, request);
    let marked = Marked::by(operation, &request);
    let answer = if operation == "TransactWriteItems" { opened.tokens.run(request, run) } else { run(request) };
    // After the write, so that a reader of the note also finds the mark.
    opened.marks.note(&marked);
    answer
}

fn run_in(database: &Database, operation: &str, request: Value) -> (u16, Value) {
    macro_rules! dispatch {
        ($($name:literal => $method:ident,)*) => {
            match operation {
                $($name => serde_json::from_value(request)
                    .map_err(|error| DynoxideError::SerializationException(error.to_string()))
                    .and_then(|request| database.$method(request))
                    .map(|answer| json!(answer)),)*
                _ => return (400, unknown(operation)),
            }
        };
    }
    let answer = dispatch! {
        "BatchGetItem" => batch_get_item,
        "BatchWriteItem" => batch_write_item,
        "CreateTable" => create_table,
        "DeleteItem" => delete_item,
        "DeleteTable" => delete_table,
        "DescribeTable" => describe_table,
        "DescribeTimeToLive" => describe_time_to_live,
        "GetItem" => get_item,
        "ListTables" => list_tables,
        "PutItem" => put_item,
        "Query" => query,
        "Scan" => scan,
        "TransactGetItems" => transact_get_items,
        "TransactWriteItems" => transact_write_items,
        "UpdateItem" => update_item,
        "UpdateTimeToLive" => update_time_to_live,
    };
    answer.map_or_else(|error| rejected(&error), |answer| (200, answer))
}

fn unknown(operation: &str) -> Value {
    let message = format!("{operation} is not supported by the embedded engine");
    json!({"__type": "com.amazon.coral.service#UnknownOperationException", "message": message})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_written_once_with_its_token() {
        let engine = Opened::new(Database::memory().unwrap());
        let table = json!({
            "TableName": "tests", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        });
        assert_eq!(run(&engine, "CreateTable", table).0, 200);
        let put = |token: &str, pk: &str| {
            let item = json!({"TableName": "tests", "Item": {"pk": {"S": pk}}, "ConditionExpression": "attribute_not_exists(pk)"});
            run(&engine, "TransactWriteItems", json!({"ClientRequestToken": token, "TransactItems": [{"Put": item}]}))
        };
        assert_eq!(put("a", "1").0, 200);
        assert_eq!(put("a", "1").0, 200);
        let kind = |answer: (u16, Value)| answer.1["__type"].as_str().unwrap_or_default().to_owned();
        assert!(kind(put("b", "1")).ends_with("#TransactionCanceledException"));
        assert!(kind(put("a", "2")).ends_with("#IdempotentParameterMismatchException"));
    }

    /// Prints the time of each 10 000 transactions, with the engine's own tokens and with those in front of it.
    /// `cargo test --workspace --lib -- --ignored --nocapture each_ten_thousand`
    #[test]
    #[ignore = "takes minutes, and is not a check"]
    fn time_of_each_ten_thousand_transactions() {
        let table = json!({
            "TableName": "tests", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        });
        for name in ["the engine's tokens", "tokens in front of it"] {
            let engine = Opened::new(Database::memory().unwrap());
            assert_eq!(run(&engine, "CreateTable", table.clone()).0, 200);
            for ten_thousand in 1..=8 {
                let began = std::time::Instant::now();
                for number in 0..10_000 {
                    let key = format!("{ten_thousand}-{number}");
                    let put = json!({"Put": {"TableName": "tests", "Item": {"pk": {"S": key}}}});
                    let request = json!({"ClientRequestToken": key, "TransactItems": [put]});
                    let (status, _) = match name {
                        "the engine's tokens" => run_in(&engine.database, "TransactWriteItems", request),
                        _ => run(&engine, "TransactWriteItems", request),
                    };
                    assert_eq!(status, 200);
                }
                let microseconds = began.elapsed().as_micros() / 10_000;
                println!("{name}: {ten_thousand}0 000 transactions, {microseconds} microseconds each");
            }
        }
    }
}
