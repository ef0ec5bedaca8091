//! The operations of the DynamoDB API, by name.

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

/// Runs the request with this `X-Amz-Target`. Returns the HTTP status and the body.
pub(super) fn respond(database: &Database, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let operation = target.split_once('.').map_or("", |(_, operation)| operation);
    let (status, answer) = match serde_json::from_slice(body) {
        Ok(request) => run(database, operation, request),
        Err(error) => rejected(&DynoxideError::SerializationException(error.to_string())),
    };
    (status, answer.to_string().into_bytes())
}

/// Runs an operation. Returns the HTTP status and the response.
pub(super) fn run(database: &Database, operation: &str, request: Value) -> (u16, Value) {
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

fn rejected(error: &DynoxideError) -> (u16, Value) {
    (error.status_code(), serde_json::from_str(&error.to_json()).unwrap_or_default())
}

fn unknown(operation: &str) -> Value {
    let message = format!("{operation} is not supported by the embedded engine");
    json!({"__type": "com.amazon.coral.service#UnknownOperationException", "message": message})
}
