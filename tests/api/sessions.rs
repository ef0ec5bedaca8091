//! What a session of a customer's administrator can do, and when it ends.

use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking, link};
use tests::signed_in::{GLOBAL_ADMINISTRATOR, own_page};
use tests::{Answer, Browser, Call, Customer, Partner, World};

/// Parties, and a browser of the customer.
struct Scene {
    world: World,
    partner: Partner,
    customer: Customer,
    browser: Browser,
}

impl Scene {
    async fn start() -> Option<Self> {
        let world = World::with_clock().await?;
        let (partner, customer) = (world.partner().await, world.customer().await);
        let browser = world.signed_in(&customer).await?;
        Some(Self { world, partner, customer, browser })
    }

    async fn send(&self, call: Call) -> Answer {
        self.world.tick();
        self.world.send(&call).await
    }

    async fn me(&self) -> Answer {
        self.send(self.browser.send(Call::get("/v1/me"))).await
    }

    fn accept(&self, id: &str, decision: &Value) -> Call {
        let mut call = self.customer.accept(id, decision);
        call.headers.retain(|(name, _)| name != "authorization");
        self.browser.send(call)
    }

    fn advance(&self, ms: i64) {
        self.world.clock().advance_millis(ms);
    }

    /// Whether the response clears the session's cookie, and nothing else.
    fn clears(&self, answer: &Answer) -> bool {
        let name = self.browser.cookie.split_once('=').expect("a cookie").0;
        let cleared = format!("{name}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
        set_cookies(answer) == [cleared]
    }
}

fn set_cookies(answer: &Answer) -> Vec<String> {
    let values = answer.headers.get_all("set-cookie").iter();
    values.map(|value| value.to_str().expect("ASCII").to_owned()).collect()
}

#[tokio::test]
async fn me_describes_the_session() {
    let Some(scene) = Scene::start().await else { return };
    let me = scene.me().await.expect(200);
    let expires_at = &me["session"]["expires_at"];
    let expected = json!({
        "kind": "customer", "id": scene.customer.tenant_id, "roles": ["global_admin"],
        "session": {
            "customer_name": "Contoso", "name": "Avery Howard", "email": "avery@contoso.example",
            "expires_at": expires_at, "now": me["session"]["now"],
        },
    });
    assert_eq!(me, expected);
    let by_key = scene.send(Call::get("/v1/me").key(&scene.customer.key)).await.expect(200);
    assert_eq!((by_key.get("session"), by_key["key_id"].is_string()), (None, true));
}

#[tokio::test]
async fn a_session_reads_and_acts_for_its_customer() {
    let Some(scene) = Scene::start().await else { return };
    let (world, browser) = (&scene.world, &scene.browser);
    let asked = asking(&["directory_readers", "global_reader"], "P90D");
    let (id, _) = world.open(&scene.partner, &scene.customer, asked).await;
    scene.send(browser.call("GET", &format!("/invitations/{id}"))).await.expect(200);
    let accepted = scene.send(scene.accept(&id, &json!("as_requested"))).await.expect(200);
    assert_eq!(accepted["invitation"]["answer"]["accepted_by"]["name"], "Avery Howard");
    let grant = accepted["grant"]["grant_id"].as_str().expect("a grant").to_owned();
    let narrower = json!({"roles": ["global_reader"]});
    scene.send(browser.call("PATCH", &format!("/grants/{grant}")).json(&narrower)).await.expect(200);
    for path in ["", "/partners", "/invitations", "/subscriptions", "/events", "/endpoints"] {
        scene.send(browser.call("GET", path)).await.expect(200);
    }
    scene.send(browser.call("DELETE", &format!("/grants/{grant}"))).await.expect(200);
    let path = format!("/partners/{}", scene.partner.partner_id);
    scene.send(browser.call("DELETE", &path)).await.expect(200);
    let (declined, _) = world.open(&scene.partner, &scene.customer, Value::Null).await;
    scene.send(browser.call("POST", &format!("/invitations/{declined}/decline"))).await.expect(200);

    let events = scene.send(browser.call("GET", "/events")).await.expect(200);
    let by_person: Vec<_> =
        events["items"].as_array().expect("items").iter().filter(|it| it["actor"]["proof"] == "sign_in").collect();
    let types: Vec<_> = by_person.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    assert_eq!(
        types,
        ["invitation.declined", "relationship.ended", "grant.ended", "grant.narrowed", "invitation.accepted"]
    );
    let person = &by_person[0]["actor"]["person"];
    for event in &by_person {
        let actor = json!({
            "kind": "customer", "id": scene.customer.tenant_id, "role": "global_admin", "person": person, "proof": "sign_in",
        });
        assert_eq!(event["actor"], actor);
        assert_eq!(event["data"]["approver_role"], GLOBAL_ADMINISTRATOR);
    }
    // The partner sees that a person signed in, and not who.
    let seen = scene.send(scene.partner.call("GET", &format!("/events?subject={id}"))).await.expect(200);
    assert_eq!(seen["items"][0]["actor"]["person"], *person);
    assert!(!events.to_string().contains("avery@"));
}

#[tokio::test]
async fn each_person_has_an_id_of_its_own() {
    let Some(scene) = Scene::start().await else { return };
    let mut people = Vec::new();
    for object_id in [
        "b1d0e1f5-0000-4000-8000-00000000000a",
        "b1d0e1f5-0000-4000-8000-00000000000b",
        "b1d0e1f5-0000-4000-8000-00000000000a",
    ] {
        let browser = scene.world.signed_in_as(&scene.customer, object_id).await.expect("a session");
        let (id, _) = scene.world.open(&scene.partner, &scene.customer, Value::Null).await;
        scene.send(browser.call("POST", &format!("/invitations/{id}/decline"))).await.expect(200);
        let events = scene.send(browser.call("GET", &format!("/events?subject={id}"))).await.expect(200);
        people.push(events["items"][0]["actor"]["person"].clone());
    }
    assert_eq!(people[0], people[2]);
    assert_ne!(people[0], people[1]);
}

#[tokio::test]
async fn a_key_identifies_the_caller_and_the_cookie_is_not_read() {
    let Some(scene) = Scene::start().await else { return };
    let other = scene.world.customer().await;
    let with_key = |key: &str| Call::get("/v1/me").key(key).header("cookie", scene.browser.cookie.as_str());
    let me = scene.send(with_key(&other.key)).await.expect(200);
    assert_eq!((&me["id"], me.get("session")), (&json!(other.tenant_id), None));
    let rejected = scene.send(with_key(&format!("mpk_{}", "A".repeat(43)))).await;
    rejected.refused(401, "key_invalid");
    let rejected = scene
        .send(Call::get("/v1/me").header("authorization", "").header("cookie", scene.browser.cookie.as_str()))
        .await;
    rejected.refused(401, "token_missing");
    assert_eq!(set_cookies(&rejected), Vec::<String>::new());
    // With a key no check of the page is needed.
    let (id, _) = scene.world.open(&scene.partner, &scene.customer, Value::Null).await;
    let decline = scene.customer.decline(&id).header("cookie", scene.browser.cookie.as_str());
    scene.send(decline.header("sec-fetch-site", "cross-site")).await.expect(200);
}

#[tokio::test]
async fn a_session_works_only_for_its_own_customer_and_for_no_partner_or_operator() {
    let Some(scene) = Scene::start().await else { return };
    let other = scene.world.customer().await;
    let browser = &scene.browser;
    for (method, path) in [("GET", ""), ("GET", "/partners"), ("GET", "/events"), ("POST", "/endpoints")] {
        let call = Call::new(method, format!("/v1/customers/{}{path}", other.tenant_id));
        let call = if method == "POST" { call.json(&json!({"url": "https://hooks.example.com/"})) } else { call };
        let answer = scene.send(browser.send(call)).await;
        answer.refused(404, "not_found");
        assert_eq!(set_cookies(&answer), Vec::<String>::new(), "{method} {path}");
    }
    let (id, token) = scene.world.open(&scene.partner, &scene.customer, Value::Null).await;
    let partner = &scene.partner.partner_id;
    for call in [
        Call::get(format!("/v1/partners/{partner}")),
        Call::get(format!("/v1/partners/{partner}/events")),
        Call::new("POST", format!("/v1/partners/{partner}/invitations/{id}/cancel")),
        Call::get("/v1/customers"),
        Call::get("/v1/keys"),
        Call::get("/v1/events"),
        Call::new("DELETE", format!("/v1/customers/{}/sessions", scene.customer.tenant_id)),
    ] {
        scene.send(browser.send(call)).await.refused(401, "token_missing");
    }
    // A link's routes do not read the cookie, so nothing of the browser is checked.
    let by_link = accept_by_link(&id, &token, &Value::Null).header("cookie", browser.cookie.as_str());
    let accepted = scene.send(by_link).await.expect(200);
    assert_eq!(accepted["invitation"]["answer"].get("accepted_by"), None);
}

#[tokio::test]
async fn a_change_needs_a_request_of_an_own_page() {
    let Some(scene) = Scene::start().await else { return };
    let (id, _) = scene.world.open(&scene.partner, &scene.customer, Value::Null).await;
    let base = scene.world.base_url().to_owned();
    let port = base.rsplit(':').next().expect("a port").to_owned();
    let localhost = format!("http://localhost:{port}");
    let decline = |headers: &[(&str, &str)]| {
        let path = format!("/v1/customers/{}/invitations/{id}/decline", scene.customer.tenant_id);
        let call = Call::new("POST", path).header("cookie", scene.browser.cookie.as_str());
        headers.iter().fold(call, |call, (name, value)| call.header(name, *value))
    };
    let page = ("x-multipartner", "1");
    let refused: &[&[(&str, &str)]] = &[
        &[],
        &[page],
        &[("sec-fetch-site", "same-origin")],
        &[("x-multipartner", "0"), ("sec-fetch-site", "same-origin")],
        &[("x-multipartner", ""), ("sec-fetch-site", "same-origin")],
        // A page of a sibling domain.
        &[page, ("sec-fetch-site", "same-site")],
        &[page, ("sec-fetch-site", "cross-site")],
        &[page, ("sec-fetch-site", "none")],
        &[page, ("sec-fetch-site", "same-site"), ("origin", &base)],
        &[page, ("origin", "null")],
        &[page, ("origin", "https://evil.example")],
        &[page, ("origin", &localhost)],
    ];
    for headers in refused {
        let answer = scene.send(decline(headers)).await;
        answer.refused(403, "csrf_refused");
        assert_eq!(set_cookies(&answer), Vec::<String>::new(), "{headers:?}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", ""] {
        let headers = [page, ("sec-fetch-site", "same-origin"), ("content-type", kind)];
        scene.send(decline(&headers).bytes(r#"{"reason": "No."}"#)).await.refused(403, "csrf_refused");
    }
    for (method, path) in
        [("PATCH", "/grants/grt_x"), ("DELETE", "/grants/grt_x"), ("DELETE", "/partners/ptr_x"), ("POST", "/endpoints")]
    {
        let call = Call::new(method, format!("/v1/customers/{}{path}", scene.customer.tenant_id));
        scene.send(call.header("cookie", scene.browser.cookie.as_str())).await.refused(403, "csrf_refused");
    }
    let read = scene.browser.call("GET", &format!("/invitations/{id}"));
    assert_eq!(scene.send(read).await.expect(200)["invitation"]["state"], "pending");
    // A read changes nothing, so it needs none of this.
    scene.send(Call::get("/v1/me").header("cookie", scene.browser.cookie.as_str())).await.expect(200);
    // Without `Sec-Fetch-Site`, the origin counts.
    scene.send(decline(&[page, ("origin", &base)])).await.expect(200);
    scene.send(decline(&[page, ("sec-fetch-site", "same-origin")])).await.expect(200);
}

#[tokio::test]
async fn malformed_and_repeated_cookies_are_ignored() {
    let Some(scene) = Scene::start().await else { return };
    let cookie = scene.browser.cookie.as_str();
    let (name, value) = cookie.split_once('=').expect("a cookie");
    let me = async |cookies: &str| scene.send(Call::get("/v1/me").header("cookie", cookies)).await;
    let other = format!("{name}={}", "A".repeat(43));
    for cookies in [
        format!("a=b; {cookie}; c=d"),
        format!("{cookie};"),
        format!(";;; {cookie} ; nothing; =x; a="),
        format!("{}={value}; {cookie}", name.to_uppercase()),
        format!("x{name}=1; {cookie}"),
    ] {
        me(&cookies).await.expect(200);
    }
    for cookies in
        [String::new(), "nothing".into(), format!("{cookie}; {other}"), format!("{cookie}; {cookie}"), name.to_owned()]
    {
        let answer = me(&cookies).await;
        answer.refused(401, "token_missing");
        assert_eq!(set_cookies(&answer), Vec::<String>::new(), "{cookies}");
    }
    for value in ["", "x", "\"\"", &value[1..], &format!("{value}A"), &"A".repeat(43), &value.to_lowercase()] {
        let answer = me(&format!("{name}={value}")).await;
        answer.refused(401, "session_invalid");
        assert!(scene.clears(&answer), "{value}");
    }
    me("").await.refused(401, "token_missing");
    // Under the name of a deployment behind TLS, it is another cookie.
    me(&format!("__Host-Http-session={value}")).await.refused(401, "token_missing");
}

#[tokio::test]
async fn a_session_ends_exactly_after_fifteen_minutes() {
    let Some(scene) = Scene::start().await else { return };
    let end = scene.me().await.expect(200)["session"]["expires_at"].as_str().expect("a time").to_owned();
    let left = domain::Timestamp::parse(&end).expect("a time").millis() - scene.world.now().millis();
    assert!((899_000..=900_000).contains(&left), "{left}");
    // `send` advances the clock by a millisecond.
    scene.advance(left - 2);
    scene.me().await.expect(200);
    let answer = scene.me().await;
    answer.refused(401, "session_invalid");
    assert!(scene.clears(&answer));
}

#[tokio::test]
async fn an_operator_ends_all_sessions_of_a_customer_within_thirty_seconds() {
    let Some(scene) = Scene::start().await else { return };
    let (other, second) =
        (scene.world.customer().await, scene.world.signed_in(&scene.customer).await.expect("a session"));
    let elsewhere = scene.world.signed_in(&other).await.expect("a session");
    scene.me().await.expect(200);
    let path = format!("/v1/customers/{}/sessions", scene.customer.tenant_id);
    for key in [&scene.customer.key, &scene.partner.key] {
        scene.send(Call::delete(path.as_str()).key(key)).await.refused(403, "role_not_permitted");
    }
    let ended = scene.world.operator(Call::delete(path.as_str())).await.expect(200);
    assert_eq!(ended["customer"]["tenant_id"], json!(scene.customer.tenant_id));
    // A new session works at once, also where the old state of the customer is cached.
    let new = scene.world.signed_in(&scene.customer).await.expect("a session");
    scene.send(new.call("GET", "")).await.expect(200);
    scene.send(second.call("GET", "")).await.refused(401, "session_invalid");
    scene.advance(30_000);
    let answer = scene.me().await;
    answer.refused(401, "session_invalid");
    assert!(scene.clears(&answer));
    scene.send(new.call("GET", "")).await.expect(200);
    scene.send(elsewhere.call("GET", "")).await.expect(200);
    let events = scene.send(new.call("GET", "/events")).await.expect(200);
    assert_eq!(
        (&events["items"][0]["type"], &events["items"][0]["data"]),
        (&json!("customer.sessions_ended"), &json!({}))
    );
    assert_eq!(events["items"][0]["actor"]["kind"], "operator");
    let unknown =
        scene.world.operator(Call::delete(format!("/v1/customers/{}/sessions", scene.world.tenant_id()))).await;
    unknown.refused(404, "not_found");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_erases_the_person() {
    let Some(scene) = Scene::start().await else { return };
    scene.me().await.expect(200);
    let sign_out = || scene.browser.send(Call::delete("/v1/sessions/current"));
    scene
        .send(Call::delete("/v1/sessions/current").header("cookie", scene.browser.cookie.as_str()))
        .await
        .refused(403, "csrf_refused");
    let answer = scene.send(sign_out()).await;
    assert_eq!(answer.expect(200), json!({"sign_out_url": "https://login.example/sign-out"}));
    assert!(scene.clears(&answer));
    scene.advance(30_000);
    scene.me().await.refused(401, "session_invalid");
    let again = scene.send(sign_out()).await;
    again.expect(200);
    assert!(scene.clears(&again));
    // Also without a session, this browser is signed out afterwards.
    let without = scene.send(own_page(Call::delete("/v1/sessions/current"), scene.world.base_url())).await;
    assert_eq!(without.expect(200), json!({}));
    assert!(scene.clears(&without));
    let table = scene.world.table().await;
    let sessions: Vec<_> = table.iter().filter(|((pk, _), _)| pk.starts_with("SESSION#")).collect();
    assert_eq!(sessions.len(), 1);
    let (_, item) = sessions[0];
    assert!(item.contains_key("ttl") && !item.contains_key("name") && !item.contains_key("email"));
}

#[tokio::test]
async fn enrollment_as_a_partner_ends_the_sessions_of_a_customer_which_may_sign_in_again_to_take_back() {
    let Some(scene) = Scene::start().await else { return };
    scene.world.relate(&scene.partner, &scene.customer).await;
    let second = scene.world.partner().await;
    let (pending, _) = scene.world.open(&second, &scene.customer, Value::Null).await;
    scene.me().await.expect(200);
    scene.world.enrol(&scene.customer, "public", "US").await;
    scene.advance(30_000);
    scene.me().await.refused(401, "session_invalid");
    let again = scene.world.signed_in(&scene.customer).await.expect("a session");
    let mut accept = scene.customer.accept(&pending, &Value::Null);
    accept.headers.retain(|(name, _)| name != "authorization");
    scene.send(again.send(accept)).await.refused(403, "customer_is_csp_tenant");
    scene.send(again.call("POST", &format!("/invitations/{pending}/decline"))).await.expect(200);
    let path = format!("/partners/{}", scene.partner.partner_id);
    scene.send(again.call("DELETE", &path)).await.expect(200);
}

#[tokio::test]
async fn an_ended_relationship_is_started_again_by_a_session_and_not_by_link() {
    let Some(scene) = Scene::start().await else { return };
    scene.world.relate(&scene.partner, &scene.customer).await;
    scene.send(scene.partner.end(&scene.customer)).await.expect(200);
    let created = scene.world.invite(&scene.partner, &scene.customer, Value::Null).await.expect(201);
    let (id, token) = link(&created);
    let refused = scene.send(accept_by_link(&id, &token, &Value::Null)).await.refused(403, "accept_proof_required");
    assert!(refused["detail"].as_str().is_some_and(|text| text.contains("start again a relationship")), "{refused}");
    scene.send(scene.accept(&id, &Value::Null)).await.expect(200);
}
