//! Signing in for real: with the development identity provider, over HTTP. `platform::identity` tests the tokens.

use std::collections::BTreeMap;

use domain::Timestamp;
use local::identity_provider::IdentityProvider;
use local::identity_provider::tamper::Endpoint;
use serde_json::{Value, json};
use tests::parties::{accept_by_link, asking};
use tests::provider::{Redirect, with_provider};
use tests::signed_in::own_page;
use tests::{Answer, Call, Customer, World};

const MINUTE: i64 = 60_000;

/// A browser: it keeps cookies as `Set-Cookie` says.
struct Jar<'a> {
    scene: &'a Scene,
    cookies: BTreeMap<String, String>,
}

struct Scene {
    world: World,
    provider: IdentityProvider,
    customer: Customer,
}

impl Scene {
    async fn start() -> Option<Self> {
        let (world, provider) = with_provider(|_| {}).await?;
        let customer = world.customer().await;
        Some(Self { world, provider, customer })
    }

    fn browser(&self) -> Jar<'_> {
        Jar { scene: self, cookies: BTreeMap::new() }
    }
}

impl Jar<'_> {
    async fn send(&mut self, call: Call) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let call = own_page(call, self.scene.world.base_url());
        let call = if cookies.is_empty() { call } else { call.header("cookie", cookies.join("; ")) };
        let answer = self.scene.world.send(&call).await;
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in set_cookies(answer) {
            let (pair, attributes) = cookie.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            if attributes.ends_with("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    async fn begin(&mut self, customer: &Customer) -> String {
        self.begin_with(json!({"tenant_id": customer.tenant_id, "cloud": "public"})).await
    }

    async fn begin_with(&mut self, body: Value) -> String {
        let answer = self.send(Call::post("/v1/sign-in", &body)).await.expect(200);
        answer["authorize_url"].as_str().expect("an address").to_owned()
    }

    /// The provider's page sends the person back.
    fn returns(&self, authorize_url: &str, person: &str) -> Redirect {
        Redirect::parse(&self.scene.provider.sign_in(authorize_url, person).expect("a redirect"))
    }

    async fn finish(&mut self, redirect: &Redirect) -> Answer {
        self.send(Call::post("/v1/sessions", &redirect.body("public"))).await
    }

    async fn sign_in(&mut self, customer: &Customer, person: &str) -> Answer {
        let url = self.begin(customer).await;
        let redirect = self.returns(&url, person);
        self.finish(&redirect).await
    }

    async fn me(&mut self) -> Answer {
        self.send(Call::get("/v1/me")).await
    }

    fn sign_ins(&self) -> usize {
        self.cookies.keys().filter(|name| name.starts_with("sign-in-")).count()
    }

    fn has_session(&self) -> bool {
        self.cookies.keys().any(|name| name.starts_with("session-"))
    }
}

fn set_cookies(answer: &Answer) -> Vec<String> {
    let values = answer.headers.get_all("set-cookie").iter();
    values.map(|value| value.to_str().expect("ASCII").to_owned()).collect()
}

const ADMIN: &str = "global_administrator";

#[tokio::test]
async fn an_administrator_signs_in_and_accepts_with_less_than_was_asked_for() {
    let Some(scene) = Scene::start().await else { return };
    let (world, customer, partner) = (&scene.world, &scene.customer, scene.world.partner().await);
    let (id, token) = world.open(&partner, customer, asking(&["directory_readers", "global_reader"], "P365D")).await;
    let mut browser = scene.browser();
    let body = json!({"tenant_id": customer.tenant_id.to_uppercase(), "cloud": "public", "invitation_id": id});
    let answer = browser.send(Call::post("/v1/sign-in", &body)).await;
    let port = world.base_url().rsplit(':').next().expect("a port");
    let cookies = set_cookies(&answer);
    let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };
    assert!(cookie.starts_with(&format!("sign-in-{port}-")), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=900"), "{cookie}");
    let url = answer.expect(200)["authorize_url"].as_str().expect("an address").to_owned();
    let redirect = browser.returns(&url, ADMIN);
    assert_eq!(redirect.page, format!("{}/signed-in/public", world.base_url()));
    assert!(cookie.contains(&redirect.state[..8]), "{cookie}");

    let answer = browser.finish(&redirect).await;
    let created = answer.expect(201);
    let session = &created["session"];
    let expected = json!({
        "session": {
            "tenant_id": customer.tenant_id, "customer_name": "Contoso", "name": "Avery Howard",
            "email": "avery@customer.example", "expires_at": session["expires_at"],
        },
        "invitation_id": id, "now": created["now"],
    });
    assert_eq!(created, expected);
    let time = |value: &Value| Timestamp::parse(value.as_str().expect("a time")).expect("a time").millis();
    assert_eq!(time(&session["expires_at"]) - time(&created["now"]), 15 * MINUTE);
    let [set, cleared] = set_cookies(&answer).try_into().expect("two cookies");
    assert!(
        set.starts_with(&format!("session-{port}=")) && set.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    assert!(cleared.starts_with("sign-in-") && cleared.ends_with("; Max-Age=0"), "{cleared}");
    assert_eq!((browser.sign_ins(), browser.has_session()), (0, true));

    // The link alone is not enough for roles by the built-in policy.
    let refused =
        world.send(&accept_by_link(&id, &token, &json!("as_requested"))).await.refused(403, "accept_proof_required");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("to grant the roles")), "{refused}");
    let preview =
        browser.send(Call::get(format!("/v1/customers/{}/invitations/{id}", customer.tenant_id))).await.expect(200);
    assert_eq!(preview["accept_proof"], json!({"relationship": "link", "roles": "customer"}));
    assert!(preview["sign_in"]["host"].is_string(), "{preview}");
    let accept = json!({
        "version": preview["invitation"]["version"], "accepted_by": {"name": "Avery Howard", "email": "avery@customer.example"},
        "delegated_admin": {"roles": ["global_reader"], "duration": "P180D"},
    });
    let path = format!("/v1/customers/{}/invitations/{id}/accept", customer.tenant_id);
    let accepted = browser.send(Call::post(path, &accept)).await.expect(200);
    assert_eq!(accepted["grant"]["roles"], json!(["global_reader"]));
    let events =
        browser.send(Call::get(format!("/v1/customers/{}/events?subject={id}", customer.tenant_id))).await.expect(200);
    assert_eq!(events["items"][0]["actor"]["proof"], "sign_in");
    assert_eq!(events["items"][0]["data"]["approver_role"], "62e90394-69f5-4237-9190-012177145e10");
}

#[tokio::test]
async fn the_address_of_the_provider_depends_on_nothing_that_is_stored() {
    let Some(scene) = Scene::start().await else { return };
    let unknown = Customer { tenant_id: scene.world.tenant_id(), key: String::new() };
    let mut shapes = Vec::new();
    for customer in [&scene.customer, &unknown] {
        let url = scene.browser().begin(customer).await;
        assert!(url.contains(&customer.tenant_id), "{url}");
        let names: Vec<String> = url
            .split_once('?')
            .expect("a query")
            .1
            .split('&')
            .map(|pair| pair.split('=').next().unwrap_or_default().to_owned())
            .collect();
        shapes.push(names);
    }
    assert_eq!(shapes[0], shapes[1]);
    for name in [
        "client_id",
        "response_type",
        "response_mode",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
    ] {
        assert!(shapes[0].iter().any(|known| known == name), "{name}");
    }
    let answer = scene.browser().sign_in(&unknown, ADMIN).await;
    answer.refused(422, "customer_unknown");
    assert_eq!(set_cookies(&answer).len(), 1);
}

#[tokio::test]
async fn people_who_are_not_administrators_at_home_get_no_session() {
    let Some(scene) = Scene::start().await else { return };
    for (person, code) in [
        ("user_administrator", "not_an_approver"),
        ("guest_administrator", "approver_not_home"),
        ("partner_employee", "approver_not_home"),
    ] {
        let mut browser = scene.browser();
        let answer = browser.sign_in(&scene.customer, person).await;
        answer.refused(403, code);
        assert_eq!((browser.sign_ins(), browser.has_session()), (0, false), "{person}");
    }
    assert_eq!(sessions(&scene.world).await, 0);
}

async fn sessions(world: &World) -> usize {
    world.table().await.keys().filter(|(pk, _)| pk.starts_with("SESSION#")).count()
}

#[tokio::test]
async fn the_cloud_must_be_that_of_the_customer() {
    let Some(scene) = Scene::start().await else { return };
    let gov = scene.world.customer_in("us_gov", "US").await;
    let mut browser = scene.browser();
    let answer = browser.sign_in(&gov, ADMIN).await;
    answer.refused(422, "cloud_mismatch");
    assert_eq!((browser.sign_ins(), browser.has_session()), (0, false));
    let url = browser.begin_with(json!({"tenant_id": gov.tenant_id, "cloud": "us_gov"})).await;
    let redirect = browser.returns(&url, ADMIN);
    // A sign-in to one cloud is not finished at the page of another.
    let answer = browser.send(Call::post("/v1/sessions", &redirect.body("public"))).await;
    answer.refused(401, "sign_in_expired");
    assert_eq!(browser.sign_ins(), 0);
    let url = browser.begin_with(json!({"tenant_id": gov.tenant_id, "cloud": "us_gov"})).await;
    let redirect = browser.returns(&url, ADMIN);
    browser.send(Call::post("/v1/sessions", &redirect.body("us_gov"))).await.expect(201);
}

#[tokio::test]
async fn a_return_belongs_to_the_browser_in_which_it_was_started() {
    let Some(scene) = Scene::start().await else { return };
    let (mut victim, mut attacker) = (scene.browser(), scene.browser());
    let url = attacker.begin(&scene.customer).await;
    let redirect = attacker.returns(&url, ADMIN);
    // Without cookies, and with those of another sign-in.
    let answer = victim.finish(&redirect).await;
    answer.refused(401, "sign_in_expired");
    assert_eq!(set_cookies(&answer), Vec::<String>::new());
    let own = victim.begin(&scene.customer).await;
    victim.finish(&redirect).await.refused(401, "sign_in_expired");
    // The attacker's code with the victim's own state: PKCE and the nonce do not fit.
    let mixed = Redirect { code: redirect.code.clone(), ..victim.returns(&own, ADMIN) };
    let answer = victim.finish(&mixed).await;
    answer.refused(401, "sign_in_failed");
    assert_eq!((victim.sign_ins(), victim.has_session()), (0, false));
    // A cookie under the right name with another value.
    let mut forger = scene.browser();
    let url = forger.begin(&scene.customer).await;
    let redirect = forger.returns(&url, ADMIN);
    let name = forger.cookies.keys().next().expect("a cookie").clone();
    for change in [
        |value: &str| value.replacen("public", "us_gov", 1),
        |value: &str| format!("{value}A"),
        |_: &str| String::new(),
    ] {
        let mut browser = scene.browser();
        browser.cookies.insert(name.clone(), change(&forger.cookies[&name]));
        let answer = browser.finish(&redirect).await;
        answer.refused(401, "sign_in_expired");
        assert_eq!(browser.sign_ins(), 0, "the cookie that was checked is cleared");
    }
    for state in ["", "x", &redirect.state[..42], &format!("{}A", redirect.state), &redirect.state.to_lowercase()] {
        let other = Redirect { state: state.to_owned(), ..redirect.clone() };
        let mut browser = scene.browser();
        browser.cookies.clone_from(&forger.cookies);
        browser.finish(&other).await.refused(401, "sign_in_expired");
    }
    forger.finish(&redirect).await.expect(201);
}

#[tokio::test]
async fn a_started_sign_in_ends_exactly_after_fifteen_minutes() {
    let Some(scene) = Scene::start().await else { return };
    for (ms, status) in [(15 * MINUTE - 1, 201), (15 * MINUTE, 401)] {
        let mut browser = scene.browser();
        let url = browser.begin(&scene.customer).await;
        scene.world.clock().advance_millis(ms);
        let redirect = browser.returns(&url, ADMIN);
        let answer = browser.finish(&redirect).await;
        assert_eq!(answer.status, status, "{}", answer.code());
        assert_eq!(browser.sign_ins(), 0);
        assert!(status == 201 || answer.code() == "sign_in_expired");
    }
}

#[tokio::test]
async fn two_tabs_and_two_customers_return_in_either_order() {
    let Some(scene) = Scene::start().await else { return };
    let other = scene.world.customer().await;
    for is_reversed in [false, true] {
        let mut browser = scene.browser();
        let urls = [browser.begin(&scene.customer).await, browser.begin(&other).await];
        assert_eq!(browser.sign_ins(), 2);
        let mut tabs: Vec<_> = [&scene.customer, &other].into_iter().zip(urls).collect();
        if is_reversed {
            tabs.reverse();
        }
        for (customer, url) in &tabs {
            let redirect = browser.returns(url, ADMIN);
            browser.finish(&redirect).await.expect(201);
            assert_eq!(browser.me().await.expect(200)["id"], json!(customer.tenant_id));
        }
        // The second session has replaced the first, so the first tab is told.
        let (first, _) = &tabs[0];
        browser.send(Call::get(format!("/v1/customers/{}", first.tenant_id))).await.refused(404, "not_found");
        assert_eq!(browser.sign_ins(), 0);
    }
}

#[tokio::test]
async fn a_new_session_ends_the_one_that_it_replaces_in_the_browser() {
    let Some(scene) = Scene::start().await else { return };
    let mut browser = scene.browser();
    browser.sign_in(&scene.customer, ADMIN).await.expect(201);
    let old = browser.cookies.clone();
    browser.sign_in(&scene.customer, ADMIN).await.expect(201);
    assert_ne!(old, browser.cookies);
    scene.world.forget().await;
    let mut with_old = scene.browser();
    with_old.cookies = old;
    with_old.me().await.refused(401, "session_invalid");
    assert!(!with_old.has_session(), "the cookie is cleared");
    browser.me().await.expect(200);
    // Another browser's session is not touched.
    let mut other = scene.browser();
    other.sign_in(&scene.customer, ADMIN).await.expect(201);
    browser.me().await.expect(200);
    // A cookie that names no session is no obstacle.
    let mut stale = scene.browser();
    let name = browser.cookies.keys().next().expect("a cookie").clone();
    stale.cookies.insert(name, "A".repeat(43));
    stale.sign_in(&scene.customer, ADMIN).await.expect(201);
    stale.me().await.expect(200);
}

#[tokio::test]
async fn a_code_that_is_posted_twice_gives_one_session() {
    let Some(scene) = Scene::start().await else { return };
    let mut browser = scene.browser();
    let url = browser.begin(&scene.customer).await;
    let redirect = browser.returns(&url, ADMIN);
    let (mut first, mut second) = (scene.browser(), scene.browser());
    first.cookies.clone_from(&browser.cookies);
    second.cookies.clone_from(&browser.cookies);
    let (a, b) = tokio::join!(first.finish(&redirect), second.finish(&redirect));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401], "{} {}", a.code(), b.code());
    let (winner, loser) = if a.status == 201 { (&a, &b) } else { (&b, &a) };
    loser.refused(401, "sign_in_failed");
    assert_eq!(sessions(&scene.world).await, 1);
    // The page asks who is signed in, and goes on.
    browser.keep(loser);
    browser.keep(winner);
    browser.me().await.expect(200);
    // Back to the provider's page, which sends the used code again.
    browser.finish(&redirect).await.refused(401, "sign_in_expired");
    browser.me().await.expect(200);
}

#[tokio::test]
async fn at_most_four_sign_ins_are_started_in_one_browser() {
    let Some(scene) = Scene::start().await else { return };
    let mut browser = scene.browser();
    let mut urls = Vec::new();
    for started in 1..=6 {
        urls.push(browser.begin(&scene.customer).await);
        assert_eq!(browser.sign_ins(), started.min(4));
        scene.world.clock().advance_millis(1_000);
    }
    for (at, url) in urls.iter().enumerate() {
        let redirect = browser.returns(url, ADMIN);
        let answer = browser.finish(&redirect).await;
        assert_eq!(answer.status, if at < 2 { 401 } else { 201 }, "{at}: {}", answer.code());
    }
    // Cookies under these names that are none of ours make room first.
    let port = scene.world.base_url().rsplit(':').next().expect("a port").to_owned();
    let mut browser = scene.browser();
    browser.begin(&scene.customer).await;
    let own = browser.cookies.keys().next().expect("a cookie").clone();
    for at in 0..4 {
        browser.cookies.insert(format!("sign-in-{port}-zzzzzzz{at}"), "x".into());
    }
    browser.begin(&scene.customer).await;
    assert!(browser.cookies.contains_key(&own));
    assert_eq!(browser.sign_ins(), 4);
}

#[tokio::test]
async fn a_provider_that_does_not_respond_leaves_the_sign_in_started() {
    let Some(scene) = Scene::start().await else { return };
    let mut browser = scene.browser();
    let url = browser.begin(&scene.customer).await;
    let redirect = browser.returns(&url, ADMIN);
    scene.provider.distort(|_, answer| answer.status = 500);
    let answer = browser.finish(&redirect).await;
    let problem = answer.refused(503, "provider_unavailable");
    assert_eq!((problem["retryable"].as_bool(), browser.sign_ins()), (Some(true), 1));
    assert!(answer.header("retry-after").is_some());
    scene.provider.behave();
    browser.finish(&redirect).await.expect(201);
}

#[tokio::test]
async fn every_failure_before_the_token_is_proven_has_the_same_response() {
    let Some(scene) = Scene::start().await else { return };
    let mut looks = Vec::new();
    let forgeries: [fn(&mut local::identity_provider::tamper::Forged); 4] = [
        |token| token.claims["nonce"] = json!("other"),
        |token| token.claims["aud"] = json!("other"),
        |token| token.with_foreign_key = true,
        |token| token.claims["tid"] = json!("99999999-9999-4999-8999-999999999999"),
    ];
    for forge in forgeries {
        scene.provider.forge(forge);
        let mut browser = scene.browser();
        let answer = browser.sign_in(&scene.customer, ADMIN).await;
        answer.refused(401, "sign_in_failed");
        assert_eq!((browser.sign_ins(), browser.has_session()), (0, false));
        let (status, headers, body) = answer.looks();
        looks.push((status, headers.into_iter().filter(|(name, _)| name != "set-cookie").collect::<Vec<_>>(), body));
    }
    looks.dedup();
    assert_eq!(looks.len(), 1);
    assert_eq!(sessions(&scene.world).await, 0);
}

#[tokio::test]
async fn checks_run_in_the_order_of_the_contract() {
    let Some(scene) = Scene::start().await else { return };
    let world = &scene.world;
    let body = json!({"cloud": "public", "code": "c", "state": "s"});
    let base = world.base_url();
    // The page comes first, then the body.
    world.send(&Call::post("/v1/sessions", &json!({}))).await.refused(403, "csrf_refused");
    world.send(&Call::post("/v1/sign-in", &json!({}))).await.refused(403, "csrf_refused");
    let answer = world.send(&own_page(Call::post("/v1/sessions", &json!({"cloud": "mars"})), base)).await;
    answer.refused(422, "validation_failed");
    assert_eq!(answer.pointers(), ["/cloud", "/code", "/state"]);
    let answer = world
        .send(&own_page(
            Call::post("/v1/sign-in", &json!({"tenant_id": "x", "cloud": "mars", "invitation_id": "y", "more": 1})),
            base,
        ))
        .await;
    assert_eq!(answer.pointers(), ["/tenant_id", "/cloud", "/invitation_id", "/more"]);
    world.send(&own_page(Call::post("/v1/sessions", &body), base)).await.refused(401, "sign_in_expired");
    assert_eq!(scene.provider.requests(Endpoint::Token), 0);

    let Some(without) = World::with_clock().await else { return };
    let base = without.base_url();
    without.send(&own_page(Call::post("/v1/sessions", &json!({})), base)).await.refused(422, "validation_failed");
    let answer = without.send(&own_page(Call::post("/v1/sessions", &body), base)).await;
    answer.refused(409, "sign_in_unavailable");
    assert_eq!(set_cookies(&answer), Vec::<String>::new());
    let begin = json!({"tenant_id": scene.customer.tenant_id, "cloud": "public"});
    without.send(&own_page(Call::post("/v1/sign-in", &begin), base)).await.refused(409, "sign_in_unavailable");
    without.send(&Call::post("/v1/sign-in", &begin)).await.refused(403, "csrf_refused");
}

#[tokio::test]
async fn signing_out_gives_the_providers_own_address() {
    let Some(scene) = Scene::start().await else { return };
    let mut browser = scene.browser();
    browser.sign_in(&scene.customer, ADMIN).await.expect(201);
    let out = browser.send(Call::delete("/v1/sessions/current")).await.expect(200);
    assert!(out["sign_out_url"].as_str().is_some_and(|url| url.starts_with(scene.provider.url())), "{out}");
    assert!(!browser.has_session());
    browser.me().await.refused(401, "token_missing");
}

#[tokio::test]
async fn a_partners_own_administrator_may_sign_in_to_take_back_what_it_accepted() {
    let Some(scene) = Scene::start().await else { return };
    let partner = scene.world.partner().await;
    scene.world.relate(&partner, &scene.customer).await;
    let mut browser = scene.browser();
    browser.sign_in(&scene.customer, ADMIN).await.expect(201);
    browser.me().await.expect(200);
    scene.world.enrol(&scene.customer, "public", "US").await;
    scene.world.forget().await;
    browser.me().await.refused(401, "session_invalid");
    browser.sign_in(&scene.customer, ADMIN).await.expect(201);
    let path = format!("/v1/customers/{}/partners/{}", scene.customer.tenant_id, partner.partner_id);
    browser.send(Call::delete(path)).await.expect(200);
}

#[tokio::test]
async fn the_provider_of_another_cloud_proves_nothing() {
    let Some(scene) = Scene::start().await else { return };
    let mut browser = scene.browser();
    let public = browser.begin(&scene.customer).await;
    let gov = browser.begin_with(json!({"tenant_id": scene.customer.tenant_id, "cloud": "us_gov"})).await;
    let (own, foreign) = (browser.returns(&public, ADMIN), browser.returns(&gov, ADMIN));
    let mixed = Redirect { code: foreign.code, ..own };
    browser.finish(&mixed).await.refused(401, "sign_in_failed");
}

/// RFC 9207: a provider that is used for another organization, or for another cloud, must not get this one's code.
#[tokio::test]
async fn a_return_that_names_another_issuer_is_refused_before_the_code_is_sent() {
    let Some(scene) = Scene::start().await else { return };
    let mut browser = scene.browser();
    let with = |redirect: &Redirect, issuer: Value| {
        let mut body = redirect.body("public");
        body["iss"] = issuer;
        Call::post("/v1/sessions", &body)
    };
    let other = scene.world.tenant_id();
    for change in [
        |issuer: &str, _: &str| format!("{issuer}/"),
        |issuer: &str, _: &str| issuer.to_uppercase(),
        |issuer: &str, _: &str| issuer.replace("/public/", "/us_gov/"),
        |_: &str, other: &str| format!("https://login.microsoftonline.com/{other}/v2.0"),
        |_: &str, _: &str| String::new(),
    ] {
        let url = browser.begin(&scene.customer).await;
        let redirect = browser.returns(&url, ADMIN);
        let asked = scene.provider.requests(Endpoint::Token);
        let answer = browser.send(with(&redirect, json!(change(&redirect.issuer, &other)))).await;
        answer.refused(401, "sign_in_failed");
        assert_eq!(scene.provider.requests(Endpoint::Token), asked, "the code stays here");
        assert_eq!((browser.sign_ins(), browser.has_session()), (0, false));
    }
    let url = browser.begin(&scene.customer).await;
    let redirect = browser.returns(&url, ADMIN);
    browser.send(with(&redirect, json!(redirect.issuer))).await.expect(201);
}

/// The person has proven an account in the cloud that the customer is no longer in.
#[tokio::test]
async fn a_correction_of_the_cloud_ends_the_sessions_of_a_customer() {
    let Some(scene) = Scene::start().await else { return };
    let mut browser = scene.browser();
    browser.sign_in(&scene.customer, ADMIN).await.expect(201);
    let path = format!("/v1/customers/{}", scene.customer.tenant_id);
    let correct = |body: Value| scene.world.operator(Call::new("PATCH", path.as_str()).json(&body));
    correct(json!({"name": "Contoso Ltd", "market": "DE"})).await.expect(200);
    scene.world.forget().await;
    browser.me().await.expect(200);
    correct(json!({"cloud": "us_gov"})).await.expect(200);
    scene.world.forget().await;
    browser.me().await.refused(401, "session_invalid");
    assert!(!browser.has_session(), "the cookie is cleared");
    let (local, _) = scene.world.here().expect("here");
    local::verify::audit(local.client(), local.table()).await.expect("every record is as its events left it");
}
