//! The template's table is the one that the code creates.

use std::collections::BTreeSet;

use platform::store::keys::{PK, SK};
use platform::store::schema::{INDEXES, KEY_ATTRIBUTES};
use serde_json::{Value, json};

use crate::deployment::Deployment;

fn properties() -> Value {
    Deployment::read().resource("Table")["Properties"].clone()
}

fn key_schema(pk: &str, sk: &str) -> Value {
    json!([{"AttributeName": pk, "KeyType": "HASH"}, {"AttributeName": sk, "KeyType": "RANGE"}])
}

#[test]
fn the_template_has_the_keys_and_indexes_of_the_code() {
    let table = properties();
    assert_eq!(table["KeySchema"], key_schema(PK, SK));
    let indexes: Vec<Value> = INDEXES
        .iter()
        .map(|(name, pk, sk)| {
            json!({"IndexName": name, "KeySchema": key_schema(pk, sk), "Projection": {"ProjectionType": "ALL"}})
        })
        .collect();
    assert_eq!(table["GlobalSecondaryIndexes"], json!(indexes));
    let attributes = table["AttributeDefinitions"].as_array().expect("attributes");
    let names: BTreeSet<_> = attributes.iter().map(|attribute| attribute["AttributeName"].as_str()).collect();
    assert_eq!(names, KEY_ATTRIBUTES.iter().map(|name| Some(*name)).collect());
    assert!(attributes.iter().all(|attribute| attribute["AttributeType"] == "S"));
}

#[test]
fn the_table_is_retained_and_can_be_restored() {
    let deployment = Deployment::read();
    let table = properties();
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["PointInTimeRecoverySpecification"], json!({"PointInTimeRecoveryEnabled": true}));
    assert_eq!(table["SSESpecification"], json!({"SSEEnabled": true}));
    assert_eq!(table["StreamSpecification"], json!({"StreamViewType": "NEW_AND_OLD_IMAGES"}));
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "ttl", "Enabled": true}));
    assert_eq!(table["DeletionProtectionEnabled"], "true");
    assert_eq!(table.get("TableName"), None, "a table with a fixed name can't be replaced or deployed twice");
    for id in ["Table", "MasterKey1", "MasterKey2"] {
        let resource = deployment.resource(id);
        assert_eq!(
            (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]),
            (&json!("Retain"), &json!("Retain"))
        );
    }
}
