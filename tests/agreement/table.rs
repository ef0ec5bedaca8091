//! The template's table is the one that the code creates.

use std::collections::BTreeSet;

use platform::store::keys::{PK, SK};
use platform::store::schema::{INDEXES, KEY_ATTRIBUTES};
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::policy::roles;

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
    // A later master key that a failed deployment created is removed: otherwise the next try would create another one.
    for (id, deletion) in [
        ("Table", "Retain"),
        ("MasterKey1", "Retain"),
        ("MasterKey2", "RetainExceptOnCreate"),
        ("MasterKey3", "RetainExceptOnCreate"),
    ] {
        let resource = deployment.resource(id);
        assert_eq!(resource["DeletionPolicy"], deletion, "{id}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{id}");
    }
}

const RESTORED: &[(&str, &str)] = &[
    ("TableName", "restored"),
    ("TableStreamArn", "arn:aws:dynamodb:eu-west-1:000000000000:table/restored/stream/then"),
];

#[test]
fn an_existing_table_replaces_the_stacks_own_everywhere() {
    let (own, restored) = (Deployment::read(), Deployment::with(RESTORED));
    assert!(own.creates("Table") && !restored.creates("Table"));
    let in_use = |deployment: &Deployment| {
        let functions = deployment.functions();
        let names = functions.iter().map(|one| one.properties["Environment"]["Variables"]["TABLE_NAME"].clone());
        let streams = functions.iter().flat_map(|one| one.events.values());
        let streams =
            streams.filter(|event| event["Type"] == "DynamoDB").map(|event| event["Properties"]["Stream"].clone());
        let outputs = ["TableName", "TableStreamArn"].map(|name| deployment.output(name).clone());
        let rest: Vec<Value> = names.chain(streams).chain(outputs).collect();
        let alarms: Vec<Value> =
            deployment.resources("AWS::CloudWatch::Alarm").map(|(_, alarm)| alarm.clone()).collect();
        format!("{:?} {rest:?} {alarms:?}", roles(deployment))
    };
    let expected = in_use(&own)
        .replace("table/Table/stream/now", "table/restored/stream/then")
        .replace("table/Table", "table/restored")
        .replace("String(\"Table\")", "String(\"restored\")");
    assert_eq!(in_use(&restored), expected);
    assert!(expected.contains("table/restored/index/gsi1") && !expected.contains("/Table"));
}

#[test]
fn a_table_without_its_stream_is_rejected() {
    for (name, stream, accepted) in
        [(true, true, true), (true, false, false), (false, true, false), (false, false, true)]
    {
        let given: Vec<_> =
            RESTORED.iter().zip([name, stream]).filter(|(_, given)| *given).map(|(value, _)| *value).collect();
        assert_eq!(Deployment::with(&given).broken_rules().is_empty(), accepted, "{given:?}");
    }
}
