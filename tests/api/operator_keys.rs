//! Replacing the deployment's first operator key: its hash is configuration, so the next deployment has another one.

use local::Options;
use local::engine::Engine;
use platform::secrets::AccessKeyText;
use serde_json::json;
use tests::{Call, World};

/// A deployment over this table, whose first operator key has these bytes.
async fn deployment(engine: &Engine, key: u8) -> Option<World> {
    let (engine, operator_key) = (engine.clone(), AccessKeyText::from_bytes(&[key; 32]));
    World::with_options(|options: &mut Options| {
        options.engine = Some(engine);
        options.operator_key = Some(operator_key);
    })
    .await
}

#[tokio::test]
async fn a_deployment_with_another_first_operator_key_accepts_only_that_one() {
    let engine = Engine::memory().unwrap();
    let Some(before) = deployment(&engine, 1).await else { return };
    let first = before.operator_key().to_owned();
    let body = json!({"principal": {"kind": "operator"}, "roles": [], "name": "Ops"});
    let answer = before.operator(Call::post("/v1/keys", &body)).await.expect(201);
    let issued = answer["key"].as_str().unwrap().to_owned();

    let after = deployment(&engine, 2).await.unwrap();
    for (key, status, code) in
        [(first.as_str(), 401, "key_invalid"), (after.operator_key(), 200, ""), (issued.as_str(), 200, "")]
    {
        let answer = after.send(&Call::get("/v1/keys?limit=1").key(key)).await;
        assert_eq!((answer.status, answer.code()), (status, code.to_owned()), "{answer:?}");
    }
    // What the first key did stays, with its own actor.
    let list = after.operator(Call::get("/v1/keys")).await.expect(200);
    assert_eq!(list["items"][0]["name"], "Ops");
}
