//! How much work the check of a request makes before it rejects it: reads of the table, and signatures computed. Anyone can send
//! these requests, and the time of a check must not show whether a sender is known.

use platform::secrets::count::{self, Computed};
use serde_json::{Value, json};
use tests::parties::{link, registration};
use tests::signed_in::own_page;
use tests::{Call, Partner, SimOptions, World};

use crate::commands::Stage;

/// A well-formed text of 43 base64url characters that is no secret of this system.
const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a request costs: reads of the table, and what was computed. Requests that write are not measured here.
async fn cost(world: &World, call: &Call) -> (u16, usize, Computed) {
    world.sim().faults.take();
    // The test itself has signed the request.
    count::take();
    let answer = world.send(call).await;
    let computed = count::take();
    let reads = world.sim().faults.take().iter().filter(|record| record.operation != "TransactWriteItems").count();
    (answer.status, reads, computed)
}

fn computed(secrets: u32, signatures: u32) -> Computed {
    Computed { secrets, signatures }
}

/// A registration by webhook.
fn signed(partner: &Partner, world: &World, body: &Value) -> Call {
    let body = json!({"type": "subscription.register", "timestamp": "2026-11-22T12:00:00Z", "data": body}).to_string();
    partner.webhook("/subscriptions", "a", world.now().seconds(), body.as_bytes())
}

fn with_signature(mut call: Call, signature: &str) -> Call {
    call.headers.retain(|(name, _)| name != "webhook-signature");
    call.header("webhook-signature", signature)
}

/// 64 KiB with the signature of another sender.
fn forged(partner: &Partner, world: &World) -> Call {
    let body = vec![b'['; 65_536];
    let call = partner.webhook("/subscriptions", "a", world.now().seconds(), &body);
    with_signature(call, &format!("v1,{UNKNOWN}="))
}

#[tokio::test(start_paused = true)]
async fn a_forged_webhook_costs_one_signature_and_one_read_for_a_known_and_an_unknown_partner() {
    let stage = Stage::new(SimOptions::default()).await;
    let (world, partner) = (&stage.world, &stage.partner);
    let (customer, _) = stage.related(Value::Null).await;
    // For a partner that this function has not read yet.
    assert_eq!(cost(world, &forged(partner, world)).await, (401, 1, computed(1, 1)));
    // Now it has. The partner is read again, because its secret may have been rotated, but the body is hashed only once.
    assert_eq!(cost(world, &forged(partner, world)).await, (401, 1, computed(1, 1)));
    // Each signature in the header is compared with the same one.
    let eleven = vec![format!("v1,{UNKNOWN}="); 11].join(" ");
    assert_eq!(cost(world, &with_signature(forged(partner, world), &eleven)).await, (401, 1, computed(1, 1)));
    // A partner that does not exist has no secret, but its check computes a signature too.
    let mut unknown = forged(partner, world);
    unknown.path = unknown.path.replace(&partner.partner_id, "ptr_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!(cost(world, &unknown).await, (401, 1, computed(0, 1)));
    // A right signature of a partner that the function knows costs no read.
    let (status, reads, work) = cost(world, &signed(partner, world, &registration("a", &customer))).await;
    assert_eq!((status, reads, work), (201, 0, computed(1, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_hashed_once_for_each_live_secret() {
    let stage = Stage::new(SimOptions::default()).await;
    let (world, partner) = (&stage.world, &stage.partner);
    let (customer, _) = stage.related(Value::Null).await;
    let send = async |partner: &Partner, id: &str| {
        let (status, _, work) = cost(world, &signed(partner, world, &registration(id, &customer))).await;
        assert_eq!(status, 201);
        work
    };
    assert_eq!(send(partner, "a").await, computed(1, 1));
    let path = format!("/v1/partners/{}/signing-secret/rotate", partner.partner_id);
    let rotated = world.operator(Call::post(path, &json!({"grace_hours": 1}))).await.expect(200);
    let signing_secret = rotated["signing_secret"].as_str().expect("a secret").to_owned();
    let new = Partner { signing_secret, ..partner.clone() };
    // The function still knows only the old secret. Then it reads the partner and finds two.
    assert_eq!(send(&new, "b").await, computed(3, 3));
    assert_eq!(send(&new, "c").await, computed(2, 2));
    assert_eq!(send(partner, "d").await, computed(2, 2));
    world.sim().clock.advance_millis(3_600_000);
    assert_eq!(send(&new, "e").await, computed(1, 1), "the old secret has ended");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_with_a_wrong_time_or_a_malformed_header_costs_nothing() {
    let stage = Stage::new(SimOptions::default()).await;
    let (world, partner) = (&stage.world, &stage.partner);
    let stale = partner.webhook("/subscriptions", "a", world.now().seconds() - 1_000, b"{}");
    let fresh = || partner.webhook("/subscriptions", "a", world.now().seconds(), b"{}");
    for call in [stale, with_signature(fresh(), "v1=x"), with_signature(fresh(), "")] {
        assert_eq!(cost(world, &call).await, (401, 0, computed(0, 0)));
    }
    let mut malformed = fresh();
    malformed.path = malformed.path.replace(&partner.partner_id, "ptr_x");
    assert_eq!(cost(world, &malformed).await, (401, 0, computed(0, 1)), "an id that cannot exist is not read");
}

/// Security review, row 8.
#[tokio::test(start_paused = true)]
async fn a_malformed_token_or_key_costs_no_read() {
    let stage = Stage::new(SimOptions::default()).await;
    let (world, partner) = (&stage.world, &stage.partner);
    let customer = stage.customer().await;
    let (id, token) = link(&world.invite(partner, &customer, Value::Null).await.expect(201));
    let with_token = |action: &str, token: &str| {
        let mut body = json!({"token": token});
        if action == "accept" {
            body["accepted_by"] =
                json!({"name": "Avery Howard", "email": "avery@contoso.example", "role": "global_admin"});
        }
        Call::post(format!("/v1/invitations/{id}/{action}"), &body)
    };
    let longer = format!("{token}A");
    for action in ["preview", "accept", "decline"] {
        for malformed in ["x", &token[..42], &longer, &token.replace(&token[..1], "+"), "\u{e9}"] {
            let cost = cost(world, &with_token(action, malformed)).await;
            assert_eq!(cost, (404, 0, computed(0, 0)), "{action} {malformed}");
        }
        // The form does not show that this token is wrong.
        assert_eq!(cost(world, &with_token(action, UNKNOWN)).await, (404, 1, computed(0, 0)), "{action}");
    }
    let read = || Call::get(format!("/v1/customers/{}", customer.tenant_id));
    for malformed in ["mpk_", "mpk_x", &format!("mpk_{UNKNOWN}A"), UNKNOWN] {
        assert_eq!(cost(world, &read().key(malformed)).await, (401, 0, computed(0, 0)), "{malformed}");
    }
    assert_eq!(cost(world, &read().key(&format!("mpk_{UNKNOWN}"))).await, (401, 1, computed(0, 0)));
    let with_cookie =
        |value: &str| own_page(read(), world.base_url()).header("cookie", format!("__Host-Http-session={value}"));
    for malformed in ["", "x", &longer] {
        assert_eq!(cost(world, &with_cookie(malformed)).await.1, 0, "{malformed}");
    }
}
