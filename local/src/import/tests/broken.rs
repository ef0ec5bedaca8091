//! Servers that fail, and connections that are cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::Notify;

use super::*;
use crate::client::ClientError;
use crate::verify;

#[tokio::test]
async fn an_import_resumes_after_the_server_stopped_in_the_middle() {
    let data = Folder::new();
    let options = || Options { data_dir: Some(data.0.clone()), ..Options::default() };
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    let place = Place::with(start(options()).await.unwrap(), folder).await;
    place.import(Kind::Customers, &customers(1..=60)).await;
    place.import(Kind::Relationships, &relationships(&place.partner, 1..=60)).await;
    // Batches of ten, in the worst order.
    let text = subscriptions((1..=600).map(|number| (number, number % 60 + 1)));
    let path = place.file("subscriptions.csv", &text);
    let server = place.server(Kind::Subscriptions);
    let ready = Import::check(Kind::Subscriptions, &path).unwrap().prepare(&server, 4).await.unwrap();
    let (enough, mut rows) = (Notify::new(), 0);
    let report = |_: &Row| {
        rows += 1;
        if rows == 100 {
            enough.notify_one();
        }
        Ok(())
    };
    let mut progress = Progress::silent();
    let running = ready.run(report, &mut progress, pending());
    let mut running = std::pin::pin!(running);
    tokio::select! {
        ran = &mut running => panic!("it came to its end: {ran:?}"),
        () = enough.notified() => {}
    }
    let Place { local, folder, partner, .. } = place;
    let ((), ran) = tokio::join!(local.stop(), running);
    let unreachable = matches!(ran.stopped, Some(Stop::Refused(Refused::Client(ClientError::Unreachable { .. }))));
    assert!(unreachable, "{:?}", ran.stopped);
    assert!((100..600).contains(&ran.tally.total()), "{}", ran.tally);
    let place = Place::with(start(options()).await.unwrap(), folder).await;
    assert_eq!(place.partner, partner);
    let rows = place.import(Kind::Subscriptions, &text).await;
    assert_eq!(count(&rows, Outcome::Created) + count(&rows, Outcome::Unchanged), 600, "{rows:?}");
    assert!(count(&rows, Outcome::Unchanged) >= usize::try_from(ran.tally.total()).unwrap());
    assert_eq!(place.list(&format!("/v1/partners/{}/subscriptions", place.partner)).await.len(), 600);
    let events = place.events().await;
    let rows = place.import(Kind::Subscriptions, &text).await;
    assert_eq!(count(&rows, Outcome::Unchanged), 600);
    assert_eq!(place.events().await, events);
    place.local.stop().await;
    verify::verify(&data.0).await.unwrap();
}

/// A gateway before the real one. Most requests fail: before they arrive, with 429 and 503, or after, with a response that is
/// cut off.
struct Flaky {
    base_url: String,
    client: reqwest::Client,
    count: AtomicU64,
}

async fn respond(State(flaky): State<Arc<Flaky>>, request: Request) -> Response {
    // It is asked once only.
    let is_first = request.uri().path() == "/v1/me";
    let number = if is_first { 3 } else { flaky.count.fetch_add(1, Ordering::SeqCst) };
    let limited = |status: u16, body: &'static str| {
        Response::builder().status(status).header("retry-after", "0").body(Body::from(body)).unwrap()
    };
    match number % 4 {
        0 => return limited(429, r#"{"message":"Too Many Requests"}"#),
        1 => return limited(503, r#"{"message":"Service Unavailable"}"#),
        _ => {}
    }
    let (parts, body) = request.into_parts();
    let url = format!("{}{}", flaky.base_url, parts.uri);
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let sent = flaky.client.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(sent.status());
    for (name, value) in sent.headers() {
        response = response.header(name, value);
    }
    let body = sent.bytes().await.unwrap();
    let cut = stream::iter([Ok(body[..body.len() / 2].to_vec()), Err(std::io::Error::other("cut"))]);
    response.body(if number % 4 == 2 { Body::from_stream(cut) } else { Body::from(body) }).unwrap()
}

#[tokio::test]
async fn throttling_unavailability_and_lost_responses_are_retried() {
    let place = Place::new().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let flaky = Flaky { base_url: place.local.base_url().to_owned(), client, count: AtomicU64::new(0) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(respond).with_state(Arc::new(flaky));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let retry = Retry { tries: 50, ..IMPATIENT };
    for (kind, text) in [
        (Kind::Customers, customers(1..=20)),
        (Kind::Relationships, relationships(&place.partner, 1..=20)),
        (Kind::Subscriptions, subscriptions((1..=60).map(|number| (number, number % 20 + 1)))),
    ] {
        let key =
            if kind == Kind::Subscriptions { &place.partner_key } else { place.local.operator_key().expose_secret() };
        let key = AccessKeyText::parse(key).unwrap();
        let server = Server::new(Client::new(Address::parse(&url).unwrap(), Some(&key)).unwrap(), retry, |_, _| {});
        let path = place.file("import.csv", &text);
        let (rows, stopped) = import(kind, &path, &server).await;
        assert!(stopped.is_none(), "{stopped:?}");
        // Where the first response was lost, the record existed at the second try.
        assert_eq!(count(&rows, Outcome::Created) + count(&rows, Outcome::Unchanged), text.lines().count() - 1);
        assert!(count(&rows, Outcome::Unchanged) > 0);
    }
    serving.abort();
    assert_eq!(place.list(&format!("/v1/partners/{}/subscriptions", place.partner)).await.len(), 60);
}

#[tokio::test]
async fn an_interrupted_import_completes_the_requests_under_way() {
    let place = Place::new().await;
    let path = place.file("import.csv", customers(1..=200));
    let server = place.server(Kind::Customers);
    let ready = Import::check(Kind::Customers, &path).unwrap().prepare(&server, 4).await.unwrap();
    let (interrupt, mut rows) = (Notify::new(), Vec::new());
    let report = |row: &Row| {
        rows.push(row.clone());
        interrupt.notify_one();
        Ok(())
    };
    let ran = ready.run(report, &mut Progress::silent(), interrupt.notified()).await;
    assert!(matches!(ran.stopped, Some(Stop::Interrupted)));
    assert!(rows.len() < 200);
    // Each customer that was registered has a result.
    let registered = place.list("/v1/customers").await.iter().filter(|one| one["name"] != "Northwind").count();
    assert_eq!(registered, count(&rows, Outcome::Created));
}
