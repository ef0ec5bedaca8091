//! The public routes: the page of an invitation's link, and the policy.

use std::collections::BTreeSet;

use local::template::Template;
use serde_json::{Value, json};
use tests::here::newest_policy;
use tests::{Call, World};

#[tokio::test]
async fn the_page_is_the_same_for_every_id_and_opening_it_writes_nothing() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    let before = world.table().await;
    let page = world.send(&Call::get("/i/x")).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let text = String::from_utf8(page.body.clone()).expect("text");
    assert!(text.starts_with("<!doctype html>") && text.contains("/assets/invitation.js"));
    // Link scanners may open the page many times.
    for path in [format!("/i/{id}"), format!("/i/{id}?x=1"), "/i/%00".to_owned(), "/i/%3Cscript%3E".to_owned()] {
        for _ in 0..10 {
            let other = world.send(&Call::get(path.as_str())).await;
            assert_eq!((other.looks(), &other.body), (page.looks(), &page.body), "{path}");
            let head = world.send(&Call::new("HEAD", path.as_str())).await;
            assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
            assert_eq!(head.header("etag"), page.header("etag"));
        }
    }
    assert!(world.table().await == before);
    let shown = world.send(&tests::parties::preview(&id, &token)).await.expect(200);
    assert_eq!(shown["invitation"]["version"], 1);
}

#[tokio::test]
async fn every_page_has_the_same_bytes_for_every_id() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let ids = [customer.tenant_id.clone(), partner.partner_id.clone(), "public".to_owned(), "%3Cscript%3E".to_owned()];
    for page in ["/i/", "/c/", "/p/", "/signed-in/"] {
        let first = world.send(&Call::get(format!("{page}x"))).await;
        assert_eq!(first.status, 200, "{page}");
        for id in &ids {
            let other = world.send(&Call::get(format!("{page}{id}"))).await;
            assert_eq!((other.looks(), &other.body), (first.looks(), &first.body), "{page}{id}");
        }
    }
}

#[tokio::test]
async fn files_of_pages_are_revalidated_and_unknown_ones_do_not_exist() {
    let world = World::start().await;
    for (file, media) in [
        ("page.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("answer.fr.json", "application/json"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let path = format!("/assets/{file}");
        let answer = world.send(&Call::get(path.as_str())).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(media)), "{file}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{file}");
        let tag = answer.header("etag").expect("a tag").to_owned();
        let known = world.send(&Call::get(path.as_str()).header("if-none-match", tag.clone())).await;
        assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(tag.as_str())), "{file}");
        let head = world.send(&Call::new("HEAD", path.as_str())).await;
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, Some(tag.as_str())), "{file}");
        let zipped = world.send(&Call::get(path.as_str()).header("accept-encoding", "gzip, br")).await;
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{file}");
        assert!(zipped.body.starts_with(&[0x1f, 0x8b]), "{file}");
        assert_ne!(zipped.header("etag"), Some(tag.as_str()), "{file}");
    }
    for file in ["nothing.js", "..%2Flib.rs", "page.js%20", "PAGE.JS", "%00"] {
        let answer = world.send(&Call::get(format!("/assets/{file}"))).await;
        // A gateway that decodes `%2F` before it routes finds no route.
        if world.is_deployment() && file.contains("%2F") {
            assert_eq!(answer.status, 404, "{file}");
        } else {
            answer.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn the_pages_can_not_be_framed_and_send_no_referrer() {
    let world = World::start().await;
    for page in ["/i/x", "/c/x", "/p/x", "/signed-in/x"] {
        has_the_headers_of_a_page(&world.send(&Call::get(page)).await);
    }
}

fn has_the_headers_of_a_page(page: &tests::Answer) {
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-robots-tag", "noindex"),
        ("cache-control", "no-store"),
        ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let policy = page.header("content-security-policy").expect("a policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ] {
        assert!(policy.split("; ").any(|one| one == rule), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert_eq!(page.header("set-cookie"), None);
}

#[tokio::test]
async fn the_policy_in_force_is_public() {
    let built_in = domain::Policy::built_in().expect("a policy");
    let Some(world) = World::with_options(|options| options.policy = Some(built_in)).await else { return };
    let policy = world.send(&Call::get("/v1/policy")).await.expect(200);
    let members: Vec<_> = policy.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["clouds", "effective_from", "limits", "roles", "upcoming", "version"]);
    assert_eq!(policy["clouds"]["public"]["delegated_admin"], "optional");
    assert_eq!(policy["clouds"]["us_gov"]["delegated_admin"], "required");
    assert_eq!(policy["version"], 2);
    let mut newest = newest_policy()["versions"][0].clone();
    for cloud in ["public", "us_gov"] {
        // This deployment has no client id.
        newest["clouds"][cloud]["sign_in"] = Value::Null;
    }
    for member in ["clouds", "limits", "roles"] {
        assert_eq!(policy[member], newest[member], "{member}");
    }
}

/// MP-50, MP-51: a policy change is announced, takes effect at its time, and does not affect earlier decisions.
#[tokio::test]
async fn a_future_policy_is_announced_and_takes_effect_at_its_time() {
    let Some(world) = World::with_policy(|file| {
        let mut later = file["versions"][0].clone();
        later["version"] = json!(2);
        later["effective_from"] = json!("2026-11-23T00:00:00.000Z");
        later["limits"]["invitation_days_default"] = json!(7);
        later["limits"]["invitation_days_max"] = json!(10);
        later["roles"]["actions"]["create_invitation"] = json!(["global_admin"]);
        file["versions"].as_array_mut().unwrap().push(later);
    })
    .await
    else {
        return;
    };
    let (partner, one, two) = (world.partner().await, world.customer().await, world.customer().await);
    let seller = world.further_key(&partner, &["sales_agent"]).await;
    let now = world.send(&Call::get("/v1/policy")).await.expect(200);
    assert_eq!((&now["version"], &now["upcoming"][0]["version"]), (&json!(1), &json!(2)));
    assert_eq!(now["upcoming"][0]["effective_from"], "2026-11-23T00:00:00.000Z");
    let first = world.invite(&seller, &one, Value::Null).await.expect(201);
    world.clock().advance_millis(12 * 3_600_000 - 1);
    assert_eq!(world.send(&Call::get("/v1/policy")).await.expect(200)["version"], 1);
    world.clock().advance_millis(1);
    let then = world.send(&Call::get("/v1/policy")).await.expect(200);
    assert_eq!((&then["version"], &then["upcoming"]), (&json!(2), &json!([])));
    world.invite(&seller, &two, Value::Null).await.refused(403, "role_not_permitted");
    let body = json!({"customer_tenant_id": two.tenant_id, "delegated_admin": null, "expires_in_days": 11});
    let long = world.send(&partner.create(&body).idempotency_key("long")).await;
    long.refused(422, "validation_failed");
    assert_eq!(long.pointers(), ["/expires_in_days"]);
    let second = world.invite(&partner, &two, Value::Null).await.expect(201);
    assert_eq!(second["invitation"]["policy_version"], 2);
    assert_eq!(second["invitation"]["expires_at"], "2026-11-30T00:00:00.000Z");
    let id = first["invitation"]["invitation_id"].as_str().unwrap();
    let kept = world.send(&partner.call("GET", &format!("/invitations/{id}"))).await.expect(200);
    assert_eq!(kept["invitation"], first["invitation"]);
    let events = world.items(&partner.call("GET", "/events"), 5).await;
    let versions: Vec<_> = events.iter().map(|event| event["policy_version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [2, 1, 1, 1, 1]);
}

/// The gateway itself returns 404 for unknown paths and methods, without problem+json.
/// Whether a path is one of a template's. A path may belong to several: `…/batch` is also a `{subscription_id}`.
fn is_of(template: &str, path: &str) -> bool {
    let mut pairs = template.split('/').zip(path.split('/'));
    template.split('/').count() == path.split('/').count()
        && pairs.all(|(part, text)| part.starts_with('{') || part == text)
}

#[tokio::test]
async fn every_path_has_exactly_the_methods_of_the_template() {
    let world = World::start().await;
    let template = Template::built_in().expect("a template");
    let paths: BTreeSet<String> = template.routes.iter().map(|route| route.path.replace(['{', '}'], "")).collect();
    let mut refused = 0;
    for path in paths {
        let routes = template.routes.iter().filter(|route| is_of(&route.path, &path));
        let known: BTreeSet<&str> = routes.map(|route| route.method.as_str()).collect();
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            if world.is_deployment() && method == "TRACE" {
                continue;
            }
            let answer = world.send(&Call::new(method, path.as_str())).await;
            // Responses of functions have a request id of their own.
            let by_gateway = answer.status == 404 && answer.header("x-request-id").is_none();
            assert_eq!(by_gateway, !known.contains(method), "{method} {path}: {answer:?}");
            if by_gateway && method != "HEAD" {
                assert_eq!(answer.json(), json!({"message": "Not Found"}), "{method} {path}");
                refused += 1;
            }
        }
    }
    println!("{refused} methods rejected by the gateway");
}

/// The headers that all responses of functions have.
#[tokio::test]
async fn every_response_has_the_common_headers() {
    let world = World::start().await;
    let partner = world.partner().await;
    for call in [
        Call::get("/v1/me"),
        Call::get("/v1/me").key(&partner.key),
        Call::get("/v1/policy"),
        partner.call("GET", "/invitations"),
        partner.call("PUT", "/subscriptions/x"),
    ] {
        let answer = world.send(&call).await;
        // A cached response must be revalidated.
        let kept = if answer.status == 200 { "private, no-cache" } else { "no-store" };
        for (name, value) in [
            ("cache-control", kept),
            ("content-language", "en"),
            ("x-content-type-options", "nosniff"),
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{} {name}", call.path);
        }
        assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()));
    }
}

/// Another site can't answer for its visitor. The invitation's page and programs can.
#[tokio::test]
async fn requests_from_other_sites_are_rejected() {
    let world = World::start().await;
    let (partner, customer) = (world.partner().await, world.customer().await);
    let (id, token) = world.open(&partner, &customer, Value::Null).await;
    let calls = [
        tests::parties::preview(&id, &token),
        tests::parties::accept_by_link(&id, &token, &Value::Null),
        tests::parties::decline_by_link(&id, &token),
    ];
    for call in &calls {
        for (name, value) in [
            ("origin", "https://evil.example".to_owned()),
            ("origin", "null".to_owned()),
            ("origin", format!("{}.evil.example", world.base_url())),
            ("sec-fetch-site", "cross-site".to_owned()),
        ] {
            world.send(&call.clone().header(name, value)).await.refused(403, "cross_site");
        }
    }
    let own = calls[1].clone().header("origin", world.base_url()).header("sec-fetch-site", "same-origin");
    world.send(&own).await.expect(200);
}
