//! TLS to services: whose certificates are accepted, and which roots are read for that.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rcgen::date_time_ymd;
use rustls::{ALL_VERSIONS, RootCertStore, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::super::client::Caller;
use super::super::message::from_sdk;
use super::super::open::Opener;
use super::super::trust::{Roots, Trust};
use super::server::{OK, call, request};
use crate::network::certificates::{Authority, acceptor, authority, params, signed};
use crate::network::resolve::Resolver;

pub(super) const AMAZON: &str = "dynamodb.us-east-1.amazonaws.com";
const GOVERNMENT: &str = "sqs.us-gov-west-1.amazonaws.com";
const CHINA: &str = "dynamodb.cn-north-1.amazonaws.com.cn";
const SOVEREIGN: &str = "dynamodb.eusc-de-east-1.amazonaws.eu";
const CONFIGURED: &str = "dynamodb.example.com";

/// Every name is this machine.
pub(super) struct Here;

/// Every name is this machine, at two addresses.
struct Twice;

impl Resolver for Twice {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async { Ok(vec![Ipv4Addr::LOCALHOST.into(); 2]) }.boxed()
    }
}

/// Every name has eight addresses. Nothing listens at all but the last.
struct Eight;

impl Resolver for Eight {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async { Ok((1..=8).rev().map(|last| Ipv4Addr::new(127, 0, 0, last).into()).collect()) }.boxed()
    }
}

impl Resolver for Here {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async { Ok(vec![Ipv4Addr::LOCALHOST.into()]) }.boxed()
    }
}

/// A server that responds to every request, and counts its connections.
struct Service {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Service {
    async fn start(acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let service = Self { port: listener.local_addr().unwrap().port(), connections: Arc::default() };
        let connections = Arc::clone(&service.connections);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                // The other side may refuse the certificate.
                let _ = answer_all(&acceptor, tcp).await;
            }
        });
        service
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn ask(&self, caller: &Caller, host: &str) -> Result<u16, String> {
        let answered = call(caller, &format!("https://{host}:{}/", self.port)).await;
        answered.map(|answered| answered.status().as_u16()).map_err(|error| format!("{error:?}"))
    }
}

async fn answer_all(acceptor: &TlsAcceptor, tcp: TcpStream) -> io::Result<()> {
    let mut stream = acceptor.accept(tcp).await?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut heard = Vec::new();
    while stream.read_buf(&mut heard).await? > 0 {
        if heard.ends_with(b"\r\n\r\n") {
            stream.write_all(OK.as_bytes()).await?;
            heard.clear();
        }
    }
    Ok(())
}

/// A caller that trusts these two authorities, and how often it read the roots of the second.
pub(super) fn caller(amazon: &Authority, system: &Authority) -> (Caller, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let (counter, amazon, system) = (Arc::clone(&reads), store(amazon), store(system));
    let read = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        system.clone()
    };
    let trust = Trust::new(Box::new(move || amazon.clone()), Box::new(read), false);
    (Caller::with(Opener { resolver: Arc::new(Here), trust }), reads)
}

fn store(authority: &Authority) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add(authority.der().clone()).unwrap();
    store
}

/// Asks twice. The server closes its connection in between.
async fn ask_twice(host: &str, issuer: &Authority, caller: &Caller) -> (Result<u16, String>, Vec<usize>) {
    let service = Service::start(acceptor(signed(issuer, params(host)), ALL_VERSIONS)).await;
    let first = service.ask(caller, host).await;
    let connections = service.connections();
    let second = Service::start(acceptor(signed(issuer, params(host)), ALL_VERSIONS)).await;
    assert_eq!(second.ask(caller, host).await, first);
    (first, vec![connections, second.connections()])
}

#[tokio::test]
async fn services_of_amazon_need_no_roots_of_the_system() {
    let (amazon, system) = (authority(), authority());
    for host in [AMAZON, GOVERNMENT] {
        let (caller, reads) = caller(&amazon, &system);
        assert_eq!(ask_twice(host, &amazon, &caller).await, (Ok(200), vec![1, 1]), "{host}");
        assert_eq!(reads.load(Ordering::SeqCst), 0, "{host}");
    }
}

#[tokio::test]
async fn after_a_certificate_of_another_root_the_system_decides() {
    let (amazon, system) = (authority(), authority());
    let (caller, reads) = caller(&amazon, &system);
    assert_eq!(
        ask_twice(AMAZON, &system, &caller).await,
        (Ok(200), vec![2, 1]),
        "only the first has a second connection"
    );
    assert_eq!(reads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn other_partitions_and_configured_endpoints_trust_the_system() {
    let (amazon, system) = (authority(), authority());
    for host in [CHINA, SOVEREIGN, CONFIGURED, "amazonaws.com"] {
        let (caller, reads) = caller(&amazon, &system);
        assert_eq!(ask_twice(host, &system, &caller).await, (Ok(200), vec![1, 1]), "{host}");
        assert_eq!(reads.load(Ordering::SeqCst), 1, "{host}");
        let (refused, connections) = ask_twice(host, &amazon, &caller).await;
        assert!(refused.unwrap_err().contains("UnknownIssuer"), "{host}");
        assert_eq!(connections, [1, 1], "{host}");
    }
}

#[tokio::test]
async fn an_unknown_root_is_refused() {
    let (amazon, system, unknown) = (authority(), authority(), authority());
    for (host, connections) in [(AMAZON, [2, 2]), (CONFIGURED, [1, 1])] {
        let (caller, _) = caller(&amazon, &system);
        let (refused, seen) = ask_twice(host, &unknown, &caller).await;
        assert!(refused.unwrap_err().contains("UnknownIssuer"), "{host}");
        assert_eq!(seen, connections, "{host}");
    }
}

/// The one certificate of an unknown root may be that of an attacker.
#[tokio::test]
async fn a_refused_certificate_changes_nothing() {
    let (amazon, system, unknown) = (authority(), authority(), authority());
    let (amazon_roots, system_roots) = (store(&amazon), store(&system));
    let trust = Trust::new(Box::new(move || amazon_roots.clone()), Box::new(move || system_roots.clone()), false);
    let opener = Opener { resolver: Arc::new(Here), trust };
    let limit = Some(Duration::from_secs(20));
    for (issuer, roots) in [(&unknown, Roots::Amazon), (&amazon, Roots::Amazon), (&system, Roots::System)] {
        let service = Service::start(acceptor(signed(issuer, params(AMAZON)), ALL_VERSIONS)).await;
        let (target, _) = from_sdk(request(&format!("https://{AMAZON}:{}/", service.port))).unwrap();
        assert_eq!(opener.open(&target, limit).await.is_ok(), !std::ptr::eq(issuer, &unknown));
        assert_eq!(opener.trust.roots_for(AMAZON), roots);
    }
}

#[tokio::test]
async fn one_unknown_root_is_enough() {
    let (amazon, system, unknown) = (authority(), authority(), authority());
    let service = Service::start(acceptor(signed(&unknown, params(CONFIGURED)), ALL_VERSIONS)).await;
    let (roots, trusted) = (store(&amazon), store(&system));
    let trust = Trust::new(Box::new(move || roots.clone()), Box::new(move || trusted.clone()), false);
    let caller = Caller::with(Opener { resolver: Arc::new(Twice), trust });
    assert!(service.ask(&caller, CONFIGURED).await.unwrap_err().contains("UnknownIssuer"));
    assert_eq!(service.connections(), 1);
}

#[tokio::test]
async fn no_other_fault_of_a_certificate_is_tried_twice() {
    let (amazon, system) = (authority(), authority());
    let mut expired = params(AMAZON);
    (expired.not_before, expired.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
    for (fault, params) in [("Expired", expired), ("NotValidForName", params(CONFIGURED))] {
        let (caller, reads) = caller(&amazon, &system);
        let service = Service::start(acceptor(signed(&amazon, params), ALL_VERSIONS)).await;
        let refused = service.ask(&caller, AMAZON).await.unwrap_err();
        assert!(refused.contains(fault), "{refused}");
        assert_eq!((service.connections(), reads.load(Ordering::SeqCst)), (1, 0), "{fault}");
    }
}

#[tokio::test]
async fn both_tls_versions_work_and_connections_are_used_again() {
    let (amazon, system) = (authority(), authority());
    for version in [&version::TLS12, &version::TLS13] {
        let (caller, _) = caller(&amazon, &system);
        let service = Service::start(acceptor(signed(&amazon, params(AMAZON)), &[version])).await;
        for _ in 0..3 {
            assert_eq!(service.ask(&caller, AMAZON).await, Ok(200), "{version:?}");
        }
        assert_eq!(service.connections(), 1, "{version:?}");
    }
}

/// Virtual time waits for a socket only if nothing is spawned.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_hangs_ends_at_the_limit() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://{AMAZON}:{}/", listener.local_addr().unwrap().port());
    let (caller, _) = caller(&authority(), &authority());
    let limits = HttpConnectorSettings::builder().connect_timeout(Duration::from_secs(1)).build();
    let began = tokio::time::Instant::now();
    let failed = caller.send(request(&url), &limits).await.unwrap_err();
    assert!(failed.is_timeout(), "{failed:?}");
    assert_eq!(began.elapsed().as_secs(), 1);
}

/// At 128 MB the handshake takes longer than an eighth of the limit.
#[tokio::test]
async fn a_slow_handshake_has_the_time_of_all_addresses() {
    let (amazon, listener) = (authority(), TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
    let url = format!("https://{AMAZON}:{}/", listener.local_addr().unwrap().port());
    let roots = store(&amazon);
    let trust = Trust::new(Box::new(move || roots.clone()), Box::new(RootCertStore::empty), false);
    let caller = Caller::with(Opener { resolver: Arc::new(Eight), trust });
    let limits = HttpConnectorSettings::builder().connect_timeout(Duration::from_secs(3)).build();
    let acceptor = acceptor(signed(&amazon, params(AMAZON)), ALL_VERSIONS);
    let serve = async {
        let (tcp, _) = listener.accept().await.unwrap();
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(2)).await;
        tokio::time::resume();
        answer_all(&acceptor, tcp).await
    };
    let answered = tokio::select! {
        answered = caller.send(request(&url), &limits) => answered,
        ended = serve => panic!("{ended:?}"),
    };
    assert_eq!(answered.unwrap().status().as_u16(), 200);
}
