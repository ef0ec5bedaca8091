//! The sign-in page of the development identity provider, as a browser without scripts sees it.

use domain::Cloud;
use local::identity_provider::people::PEOPLE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::common::*;

struct Browser(Client);

impl Browser {
    fn new() -> Self {
        Self(Client::builder().redirect(Policy::none()).no_proxy().build().unwrap())
    }

    async fn get(&self, url: &str) -> (u16, String) {
        let answer = self.0.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn choose(&self, url: &str, form: &str) -> Response {
        let post = self.0.post(url).header("content-type", "application/x-www-form-urlencoded");
        post.body(form.to_owned()).send().await.unwrap()
    }

    /// Where the browser goes after a choice.
    async fn back(&self, url: &str, form: &str) -> String {
        let answer = self.choose(url, form).await;
        assert_eq!(answer.status(), 303, "{form}");
        answer.headers()["location"].to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_person_is_chosen_and_the_first_sign_in_of_a_tenant_asks_for_consent() {
    let (world, browser) = (World::start().await, Browser::new());
    let url = world.authorize_url(Cloud::Public, CONTOSO);
    let (status, page) = browser.get(&url).await;
    assert_eq!(status, 200);
    for person in PEOPLE {
        assert!(page.contains(&format!("value=\"{}\"", person.key)), "{}", person.key);
    }
    assert!(!page.contains("<script"));
    let asked = browser.choose(&url, "person=global_administrator").await;
    assert_eq!(asked.status(), 200);
    assert!(asked.text().await.unwrap().contains("Permissions requested"));
    let returned = browser.back(&url, "person=global_administrator&consent=accept").await;
    assert!(returned.starts_with("http://127.0.0.1:3000/signed-in/public#code="), "{returned}");
    assert!(returned.contains("&state=state&iss=http%3A%2F%2Flocalhost%3A"), "{returned}");
    let again = browser.back(&url, "person=user_administrator").await;
    assert!(again.contains("#code="), "consent is for the whole tenant: {again}");
    let code = again.split_once("#code=").unwrap().1.split('&').next().unwrap();
    assert!(world.redeem(Cloud::Public, CONTOSO, code).await.is_err());
}

#[tokio::test]
async fn errors_return_to_the_app_on_demand() {
    let (world, browser) = (World::start().await, Browser::new());
    let url = world.authorize_url(Cloud::UsGov, CONTOSO);
    for (form, error) in [
        ("person=global_administrator&consent=cancel", "access_denied"),
        ("error=server_error", "server_error"),
        ("error=temporarily_unavailable", "temporarily_unavailable"),
    ] {
        let returned = browser.back(&url, form).await;
        assert!(returned.starts_with(&format!("http://127.0.0.1:3000/signed-in/us_gov#error={error}&")), "{returned}");
        assert!(returned.contains("&state=state&iss=http") && !returned.contains("#code="), "{returned}");
    }
}

#[tokio::test]
async fn a_malformed_request_shows_the_providers_own_page_and_returns_nowhere() {
    let (world, browser) = (World::start().await, Browser::new());
    let url = world.authorize_url(Cloud::Public, CONTOSO);
    let own = world.provider.url().trim_start_matches("http://").replace(':', "%3A");
    for (from, to) in [
        ("client_id=d0d0d0d0-0000-4000-8000-00000000000a", "client_id=other"),
        ("response_type=code", "response_type=token"),
        ("code_challenge_method=S256", "code_challenge_method=plain"),
        ("scope=openid+profile", "scope=profile"),
        ("127.0.0.1%3A3000", "example.com"),
        ("127.0.0.1%3A3000", "localhost%3A1%40evil.example"),
        ("127.0.0.1%3A3000", "localhost%3Ax"),
        ("127.0.0.1%3A3000", "localhost%3A99999"),
        ("127.0.0.1%3A3000", "127.0.0.1%3A3000%2Fother"),
        ("127.0.0.1%3A3000", own.as_str()),
        ("signed-in%2Fpublic", "signed-in%2Fus_gov"),
        ("signed-in%2Fpublic", "signed-in%2Fpublic%2F"),
        ("state=state", "state="),
        ("nonce=nonce", "nonce="),
        ("response_mode=fragment", "response_mode=form_post"),
    ] {
        let changed = url.replacen(from, to, 1);
        assert_ne!(changed, url, "{from}");
        assert_eq!(browser.get(&changed).await.0, 400, "{to}");
        let answer = browser.choose(&changed, "person=global_administrator&consent=accept").await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None), "{to}");
        assert_eq!(world.provider.sign_in(&changed, ADMINISTRATOR), None, "{to}");
    }
    let other_name = url.replacen("127.0.0.1%3A3000", "localhost%3A3000", 1);
    assert_eq!(browser.get(&other_name).await.0, 200);
    let unknown = url.replacen("/public/", "/moon/", 1);
    assert_eq!(browser.get(&unknown).await.0, 404);
}
