//! Texts in requests: what is stored of addresses, domains, names and messages.

use serde_json::{Value, json};
use tests::parties::{acceptance, link};
use tests::{Answer, Call, World};

async fn register(world: &World, path: &str, name: &str, member: &str, value: &str) -> Answer {
    let mut body = json!({"tenant_id": world.tenant_id(), "name": name, "cloud": "public", "market": "US"});
    body[member] = json!(value);
    world.operator(Call::post(path, &body)).await
}

#[tokio::test]
async fn a_domain_is_stored_as_its_a_label() {
    let world = World::start().await;
    for (domain, stored) in [
        ("Contoso.Example", "contoso.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
    ] {
        let answer = register(&world, "/v1/customers", "Contoso", "domain", domain).await;
        assert_eq!(answer.expect(201)["customer"]["domain"], stored);
    }
}

#[tokio::test]
async fn joiners_are_part_of_names_that_need_them() {
    let world = World::start().await;
    for name in ["می\u{200C}خواهم", "ශ්\u{200D}රී ලංකා"] {
        for path in ["/v1/customers", "/v1/partners"] {
            register(&world, path, name, "name", name).await.expect(201);
        }
    }
    let answer = register(&world, "/v1/customers", "-", "name", "Con\u{200D}toso").await;
    answer.refused(422, "validation_failed");
}

#[tokio::test]
async fn a_partner_cannot_have_or_take_a_name_that_looks_like_another() {
    let world = World::start().await;
    let partner = world.partner().await;
    let path = format!("/v1/partners/{}", partner.partner_id);
    for name in ["F\u{430}brikam", "ООО Romashka", "\u{FF26}abrikam"] {
        let enroll = register(&world, "/v1/partners", "-", "name", name).await;
        let rename = world.operator(Call::new("PATCH", &path).json(&json!({"name": name}))).await;
        for answer in [enroll, rename] {
            answer.refused(422, "validation_failed");
            assert_eq!(answer.pointers(), ["/name"], "{name}");
        }
    }
    for name in ["ООО Ромашка", "株式会社サンプル Sample", "Œuvre & Söhne (2)"] {
        register(&world, "/v1/partners", "-", "name", name).await.expect(201);
    }
}

#[tokio::test]
async fn a_message_is_trimmed_and_its_line_breaks_become_lf() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let body =
        |message: &str| json!({"customer_tenant_id": customer.tenant_id, "delegated_admin": null, "message": message});
    let key = world.unique();
    let created = world.send(&partner.create(&body(" Hello\r\n\r\nAvery \r\n")).idempotency_key(&key)).await;
    assert_eq!(created.expect(201)["invitation"]["message"], "Hello\n\nAvery");
    // The key was used for this content, as it is stored.
    let again = world.send(&partner.create(&body("Hello\n\nAvery")).idempotency_key(&key)).await;
    assert!(again.replayed());
}

#[tokio::test]
async fn an_address_with_an_international_local_part_can_accept() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = link(&world.invite(&partner, &customer, Value::Null).await.expect(201));
    let mut body = acceptance(&token, &Value::Null);
    body["accepted_by"]["email"] = json!("josé@Bücher.example");
    world.send(&Call::post(format!("/v1/invitations/{id}/accept"), &body)).await.expect(200);
    let read = world.send(&partner.call("GET", &format!("/invitations/{id}"))).await.expect(200);
    let person = &read["invitation"]["answer"]["accepted_by"];
    assert_eq!(person["email"], "josé@xn--bcher-kva.example");
}

#[tokio::test]
async fn only_assigned_markets_are_accepted() {
    let world = World::start().await;
    for market in ["UK", "EU", "XK", "ZZ", "AN", "gb"] {
        let answer = register(&world, "/v1/customers", "Contoso", "market", market).await;
        answer.refused(422, "validation_failed");
        assert_eq!(answer.pointers(), ["/market"], "{market}");
    }
    register(&world, "/v1/customers", "Contoso", "market", "GB").await.expect(201);
}
