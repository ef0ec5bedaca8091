//! Name resolution, addresses and real connections.

use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use super::super::{
    EndpointUrl, Failure, Loopback, Outcome, Resolver, Sender, SenderError, Settings, SystemResolver, is_public,
};
use super::common::{BODY, answered, endpoint, failed, message};
use super::peer::{Peer, Seen, Step, say};
use Step::{Flood, Hear, Hold};

/// Returns one row after the other, then always the last.
pub(super) struct Names(Mutex<Vec<Vec<IpAddr>>>);

impl Names {
    pub(super) fn new(rows: &[&[&str]]) -> Arc<Self> {
        let row = |row: &&[&str]| row.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(rows.iter().rev().map(row).collect())))
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut rows = self.0.lock().unwrap();
        let row = if rows.len() > 1 { rows.pop() } else { rows.first().cloned() };
        async move { Ok(row.unwrap()) }.boxed()
    }
}

/// Fails, or never responds.
struct Broken {
    silent: bool,
}

impl Resolver for Broken {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let silent = self.silent;
        async move { if silent { pending().await } else { Err(io::ErrorKind::NotFound.into()) } }.boxed()
    }
}

/// Permits only 127.0.0.1.
pub(super) fn only_this_machine(ip: IpAddr) -> bool {
    ip == Ipv4Addr::LOCALHOST
}

/// A sender with a short time limit.
fn hasty() -> Sender {
    let settings = Settings { total: Duration::from_millis(300), ..Settings::default() };
    Sender::with(Names::new(&[&[]]), Loopback::Allowed, settings).unwrap()
}

fn patient() -> Sender {
    Sender::with(Names::new(&[&[]]), Loopback::Allowed, Settings::default()).unwrap()
}

fn url_of(peer: &Peer) -> EndpointUrl {
    EndpointUrl::parse(&format!("http://127.0.0.1:{}/in", peer.port), Loopback::Allowed).unwrap()
}

async fn outcome(sender: &Sender, url: &EndpointUrl) -> Outcome {
    sender.send(url, &message(BODY)).await.outcome
}

#[tokio::test]
async fn a_message_is_delivered_to_loopback_if_allowed() {
    let mut peer = Peer::listen(vec![Hear, say("HTTP/1.1 204 X\r\n\r\n"), Hold]).await;
    assert_eq!(outcome(&patient(), &url_of(&peer)).await, Outcome::Answered(answered(204)));
    let heard = String::from_utf8(peer.seen().await.heard).unwrap();
    assert!(heard.starts_with("POST /in HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains(&format!("host: 127.0.0.1:{}\r\n", peer.port)), "{heard}");
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn loopback_is_refused_even_for_a_url_that_was_allowed_before() {
    let peer = Peer::listen(vec![Hold]).await;
    let sender = Sender::with(Names::new(&[&["127.0.0.1"]]), Loopback::Refused, Settings::default()).unwrap();
    assert_eq!(outcome(&sender, &url_of(&peer)).await, failed(Failure::Forbidden));
    let named = endpoint("https://hooks.example.com/").with_port(peer.port);
    assert_eq!(outcome(&sender, &named).await, failed(Failure::Forbidden));
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_name_without_permitted_addresses_is_refused() {
    let rows: [(&[&str], Failure); 5] = [
        (&[], Failure::Dns),
        (&["127.0.0.1"], Failure::Forbidden),
        (&["::1", "10.0.0.1", "169.254.169.254"], Failure::Forbidden),
        (&["::ffff:8.8.8.8"], Failure::Forbidden),
        (&["0.0.0.0", "::"], Failure::Forbidden),
    ];
    for (addresses, failure) in rows {
        let sender = Sender::with(Names::new(&[addresses]), Loopback::Allowed, Settings::default()).unwrap();
        assert_eq!(outcome(&sender, &endpoint("https://a.example/")).await, failed(failure), "{addresses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_and_a_hanging_resolver_have_different_failures() {
    for (silent, failure, seconds) in [(false, Failure::Dns, 0), (true, Failure::Timeout, 5)] {
        let sender = Sender::with(Arc::new(Broken { silent }), Loopback::Allowed, Settings::default()).unwrap();
        let attempted = sender.send(&endpoint("https://a.example/"), &message(BODY)).await;
        assert_eq!((attempted.outcome, attempted.latency.as_secs()), (failed(failure), seconds));
    }
}

#[tokio::test]
async fn a_name_that_now_resolves_to_a_private_address_is_refused() {
    let peer = Peer::listen(vec![]).await;
    let names = Names::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let settings = Settings { permits: only_this_machine, ..Settings::default() };
    let sender = Sender::with(names, Loopback::Refused, settings).unwrap();
    let url = endpoint("https://hooks.example.com/").with_port(peer.port);
    assert_eq!(outcome(&sender, &url).await, failed(Failure::Tls), "the peer closes");
    assert_eq!(outcome(&sender, &url).await, failed(Failure::Forbidden));
    assert_eq!(outcome(&sender, &url).await, failed(Failure::Forbidden));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn private_addresses_of_a_name_are_skipped() {
    let peer = Peer::listen(vec![]).await;
    let names = Names::new(&[&["10.0.0.1", "::1", "127.0.0.1", "169.254.169.254"]]);
    let settings = Settings { permits: only_this_machine, ..Settings::default() };
    let sender = Sender::with(names, Loopback::Refused, settings).unwrap();
    let url = endpoint("https://hooks.example.com/").with_port(peer.port);
    assert_eq!(outcome(&sender, &url).await, failed(Failure::Tls), "the peer closes");
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn at_most_sixteen_addresses_are_tried() {
    let peer = Peer::listen(vec![]).await;
    let settings = Settings { permits: only_this_machine, ..Settings::default() };
    let sender = Sender::with(Names::new(&[&["127.0.0.1"; 1000]]), Loopback::Refused, settings).unwrap();
    let url = endpoint("https://hooks.example.com/").with_port(peer.port);
    assert_eq!(outcome(&sender, &url).await, failed(Failure::Tls), "the peer closes");
    assert_eq!(peer.connections(), 16);
}

#[tokio::test]
async fn a_closed_port_is_a_connect_failure() {
    let unused = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let url = EndpointUrl::parse(&format!("http://127.0.0.1:{unused}/"), Loopback::Allowed).unwrap();
    assert_eq!(outcome(&patient(), &url).await, failed(Failure::Connect));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Peer::listen(vec![Hold]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: http://127.0.0.1:{}/\r\n", elsewhere.port);
        let text = format!("HTTP/1.1 {status} X\r\n{location}content-length: 0\r\n\r\n");
        let peer = Peer::listen(vec![Hear, say(text), Hold]).await;
        assert_eq!(outcome(&patient(), &url_of(&peer)).await, Outcome::Answered(answered(status)));
        assert_eq!((peer.connections(), elsewhere.connections()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn most_of_a_response_of_one_gib_is_never_sent() {
    const BLOCK: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let head = say("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n");
    let mut peer = Peer::listen(vec![Hear, head, Flood(BLOCK, (1 << 30) / BLOCK.len())]).await;
    let Outcome::Answered(reply) = outcome(&patient(), &url_of(&peer)).await else { panic!("no answer") };
    assert_eq!((reply.status, reply.excerpt), (200, BLOCK.repeat(16)));
    let said = peer.seen().await.said;
    assert!(said < 64 << 20, "the buffers of two sockets took {said}");
}

#[tokio::test]
async fn endless_interim_responses_time_out() {
    let mut peer = Peer::listen(vec![Hear, Flood("HTTP/1.1 100 Continue\r\n\r\n", usize::MAX)]).await;
    assert_eq!(outcome(&hasty(), &url_of(&peer)).await, failed(Failure::Timeout));
    peer.seen().await;
}

#[tokio::test]
async fn a_connection_reset_is_a_protocol_failure() {
    let peer = Peer::listen_with(|tcp| async move {
        tcp.set_zero_linger().unwrap();
        Seen::default()
    })
    .await;
    assert_eq!(outcome(&patient(), &url_of(&peer)).await, failed(Failure::Protocol));
}

#[tokio::test]
async fn an_attempt_leaves_no_task_behind() {
    let mut peer = Peer::listen(vec![Hear, say("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), Hold]).await;
    let (sender, url) = (patient(), url_of(&peer));
    let before = Handle::current().metrics().num_alive_tasks();
    let attempted = sender.send(&url, &message(BODY)).await;
    assert!(attempted.outcome.is_delivered(), "{attempted:?}");
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
    peer.seen().await;
}

#[tokio::test]
async fn attempts_run_concurrently() {
    let peer = Peer::listen(vec![Hear, say("HTTP/1.1 204 X\r\n\r\n")]).await;
    let (sender, url) = (Arc::new(patient()), url_of(&peer));
    let attempts = [(); 8].map(|()| {
        let (sender, url) = (Arc::clone(&sender), url.clone());
        tokio::spawn(async move { sender.send(&url, &message(BODY)).await.outcome })
    });
    for attempt in attempts {
        assert_eq!(attempt.await.unwrap(), Outcome::Answered(answered(204)));
    }
    assert_eq!(peer.connections(), 8);
}

#[tokio::test]
async fn dropping_an_attempt_closes_its_connection() {
    let mut peer = Peer::listen(vec![Hear, Hold]).await;
    let (sender, url) = (patient(), url_of(&peer));
    let message = message(BODY);
    let mut attempt = Box::pin(sender.send(&url, &message));
    while peer.connections() == 0 {
        assert!((&mut attempt).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop(attempt);
    peer.seen().await;
}

#[tokio::test]
async fn the_system_resolver_resolves_localhost() {
    let found = SystemResolver.resolve("localhost", 443).await.unwrap();
    assert!(!found.is_empty() && found.iter().all(|ip| ip.is_loopback() && !is_public(*ip)), "{found:?}");
}

#[test]
fn a_sender_needs_roots_unless_loopback_is_allowed() {
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let with = |loopback| {
            let settings = Settings { roots: Some(pem.into()), ..Settings::default() };
            Sender::with(Arc::new(SystemResolver), loopback, settings).err()
        };
        assert_eq!((with(Loopback::Refused), with(Loopback::Allowed)), (Some(SenderError::Roots), None), "{pem:?}");
    }
    assert!(Sender::new(Arc::new(SystemResolver), Loopback::Refused).is_ok(), "the system has roots");
}

/// An error of ours must not look like one of the endpoint.
#[test]
fn a_sender_without_roots_is_not_ready_for_tls() {
    let ready = |roots: Option<&str>, url: &str| {
        let settings = Settings { roots: roots.map(Into::into), ..Settings::default() };
        let sender = Sender::with(Arc::new(SystemResolver), Loopback::Allowed, settings).unwrap();
        sender.prepare(&EndpointUrl::parse(url, Loopback::Allowed).unwrap())
    };
    assert_eq!(ready(Some(""), "https://hooks.example.com/"), Err(SenderError::Roots));
    assert_eq!(ready(Some(""), "http://127.0.0.1:3000/"), Ok(()));
    assert_eq!(ready(None, "https://hooks.example.com/"), Ok(()));
}
