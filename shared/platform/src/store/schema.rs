//! The schema of the table, for the local run. A test compares it with the template.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};

use super::error::StoreError;
use super::keys::{
    ENDING, GSI1, GSI1_PK, GSI2, GSI2_PK, GSI3, GSI3_PK, GSI3_SK, GSI4, GSI4_PK, GSI5, GSI6, LISTED, PK, SK,
};

/// Each index: name, partition key, sort key. Every one projects all attributes.
pub const INDEXES: &[(&str, &str, &str)] = &[
    (GSI1, GSI1_PK, LISTED),
    (GSI2, GSI2_PK, LISTED),
    (GSI3, GSI3_PK, GSI3_SK),
    (GSI4, GSI4_PK, LISTED),
    (GSI5, GSI1_PK, ENDING),
    (GSI6, GSI2_PK, ENDING),
];

/// Every attribute that is part of a key. All are texts.
pub const KEY_ATTRIBUTES: &[&str] = &[PK, SK, GSI1_PK, GSI2_PK, LISTED, GSI3_PK, GSI3_SK, GSI4_PK, ENDING];

/// Creates the table if it does not exist.
///
/// # Errors
/// [`StoreError::Failed`] if the engine rejects it.
pub async fn create_table(client: &Client, table: &str) -> Result<(), StoreError> {
    let built = |error: BuildError| StoreError::failed("CreateTable", error);
    let mut call = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for name in KEY_ATTRIBUTES {
        let attribute = AttributeDefinition::builder().attribute_name(*name).attribute_type(ScalarAttributeType::S);
        call = call.attribute_definitions(attribute.build().map_err(built)?);
    }
    for element in key_schema(PK, SK).map_err(built)? {
        call = call.key_schema(element);
    }
    for (name, pk, sk) in INDEXES {
        let all = Projection::builder().projection_type(ProjectionType::All).build();
        let index = GlobalSecondaryIndex::builder().index_name(*name).projection(all);
        let index = index.set_key_schema(Some(key_schema(pk, sk).map_err(built)?.into())).build().map_err(built)?;
        call = call.global_secondary_indexes(index);
    }
    match call.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => Ok(()),
        Err(error) => Err(StoreError::from_sdk("CreateTable", &error)),
    }
}

fn key_schema(pk: &str, sk: &str) -> Result<[KeySchemaElement; 2], BuildError> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    Ok([element(pk, KeyType::Hash)?, element(sk, KeyType::Range)?])
}
