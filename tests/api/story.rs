//! The main use case from start to end.

use serde_json::{Value, json};
use tests::parties::{link, registration};
use tests::{Call, World};

#[tokio::test]
async fn a_second_partner_joins_and_existing_subscriptions_do_not_change() {
    let world = World::start().await;
    let (contoso, fabrikam, northwind) = (world.customer().await, world.partner().await, world.partner().await);
    world.relate(&fabrikam, &contoso).await;
    let (mail, azure) = (world.unique(), world.unique());
    world.send(&fabrikam.register(&registration(&mail, &contoso))).await.expect(201);
    let before = world.send(&contoso.call("GET", "/subscriptions")).await.expect(200);

    let asked = json!({"roles": ["helpdesk_administrator", "directory_readers"], "duration": "P365D"});
    let created = world.invite(&northwind, &contoso, asked).await.expect(201);
    let (id, token) = link(&created);
    let preview = Call::post(format!("/v1/invitations/{id}/preview"), &json!({"token": token}));
    assert_eq!(world.send(&preview).await.expect(200)["invitation"]["state"], "pending");
    let narrowed = json!({"roles": ["directory_readers"], "duration": "P90D"});
    let accepted = world.send(&contoso.accept(&id, &narrowed)).await.expect(200);
    assert_eq!(accepted["relationship"]["state"], "active");
    assert_eq!(accepted["grant"]["roles"], json!(["directory_readers"]));

    assert_eq!(world.send(&contoso.call("GET", "/subscriptions")).await.expect(200), before);
    let registered = world.send(&northwind.register(&registration(&azure, &contoso))).await.expect(201);
    assert_eq!(registered["subscription"]["partner_of_record"], northwind.partner_id);
    let after = world.send(&contoso.call("GET", "/subscriptions")).await.expect(200);
    assert_eq!(after["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(after["items"][1], before["items"][0]);
    let partners = world.send(&contoso.call("GET", "/partners")).await.expect(200);
    assert_eq!(partners["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(partners["items"][0]["grants"][0]["state"], "active");
    assert_eq!(partners["items"][1]["grants"], Value::Array(Vec::new()));
}
