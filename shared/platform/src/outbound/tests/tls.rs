//! Valid and invalid certificates, over real connections.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, date_time_ymd};
use rustls::{ServerConnection, version};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::super::{Failure, Loopback, Outcome, Sender, Settings};
use super::common::{BODY, answered, endpoint, failed, message};
use super::peer::{Peer, Seen, Step, play, say};
use super::send::{Names, only_this_machine};
use crate::network::certificates::{Authority, acceptor, authority, params, pem, self_signed, signed};

const HOST: &str = "hooks.example.com";

fn valid(from: i32, until: i32) -> CertificateParams {
    let mut params = params(HOST);
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}

/// An endpoint that responds 204 after the handshake, and for each handshake the requested name, the protocol and the kind.
async fn https(acceptor: TlsAcceptor) -> (Peer, Arc<Mutex<Vec<String>>>) {
    let greetings: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&greetings);
    let peer = Peer::listen_with(move |tcp| {
        let (acceptor, greetings) = (acceptor.clone(), Arc::clone(&seen));
        async move {
            let Ok(stream) = acceptor.accept(tcp).await else { return Seen::default() };
            greetings.lock().unwrap().push(greeting(stream.get_ref().1));
            play(stream, vec![Step::Hear, say("HTTP/1.1 204 X\r\n\r\n"), Step::Hold]).await
        }
    })
    .await;
    (peer, greetings)
}

fn greeting(connection: &ServerConnection) -> String {
    let protocol = String::from_utf8_lossy(connection.alpn_protocol().unwrap_or_default());
    format!("{} {protocol} {:?}", connection.server_name().unwrap_or_default(), connection.handshake_kind())
}

const GREETING: &str = "hooks.example.com http/1.1 Some(Full)";

fn sender(roots: &Authority, addresses: &[&str]) -> Sender {
    let settings = Settings { roots: Some(pem(roots.der())), permits: only_this_machine, ..Settings::default() };
    Sender::with(Names::new(&[addresses]), Loopback::Refused, settings).unwrap()
}

async fn outcome(sender: &Sender, port: u16) -> Outcome {
    let url = endpoint(&format!("https://{HOST}/in")).with_port(port);
    sender.send(&url, &message(BODY)).await.outcome
}

#[tokio::test]
async fn a_certificate_must_be_valid_for_the_host_in_date_and_from_a_known_root() {
    let (known, unknown) = (authority(), authority());
    let delivered = Outcome::Answered(answered(204));
    let refused = failed(Failure::Tls);
    let rows = [
        ("the host's own", signed(&known, params(HOST)), &delivered),
        ("a wildcard", signed(&known, params("*.example.com")), &delivered),
        ("of an unknown root", signed(&unknown, params(HOST)), &refused),
        ("self-signed", self_signed(params(HOST)), &refused),
        ("another name", signed(&known, params("other.example.com")), &refused),
        ("a name above", signed(&known, params("example.com")), &refused),
        ("a wildcard above", signed(&known, params("*.com")), &refused),
        ("the address", signed(&known, params("127.0.0.1")), &refused),
        ("expired", signed(&known, valid(2000, 2001)), &refused),
        ("not yet valid", signed(&known, valid(2900, 2901)), &refused),
    ];
    for (name, identity, expected) in rows {
        let (peer, greetings) = https(acceptor(identity, rustls::ALL_VERSIONS)).await;
        assert_eq!(&outcome(&sender(&known, &["127.0.0.1"]), peer.port).await, expected, "{name}");
        let expected = if *expected == delivered { GREETING } else { "" };
        assert_eq!((peer.connections(), greetings.lock().unwrap().concat().as_str()), (1, expected), "{name}");
    }
}

#[tokio::test]
async fn both_tls_versions_work_and_every_connection_is_verified() {
    let known = authority();
    for version in [&version::TLS12, &version::TLS13] {
        let (mut peer, greetings) = https(acceptor(signed(&known, params(HOST)), &[version])).await;
        let sender = sender(&known, &["127.0.0.1"]);
        for _ in 0..2 {
            assert_eq!(outcome(&sender, peer.port).await, Outcome::Answered(answered(204)), "{version:?}");
            assert!(peer.seen().await.heard.ends_with(BODY));
        }
        assert_eq!(peer.connections(), 2, "no connection is used twice");
        assert_eq!(*greetings.lock().unwrap(), [GREETING; 2], "{version:?}");
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_fails() {
    let known = authority();
    let (acceptor, first) = (acceptor(signed(&known, params(HOST)), rustls::ALL_VERSIONS), AtomicBool::new(true));
    let peer = Peer::listen_with(move |tcp| {
        let (acceptor, fails) = (acceptor.clone(), first.swap(false, Ordering::SeqCst));
        async move {
            let script = vec![Step::Hear, say("HTTP/1.1 204 X\r\n\r\n"), Step::Hold];
            if fails { Seen::default() } else { play(acceptor.accept(tcp).await.unwrap(), script).await }
        }
    })
    .await;
    let sender = sender(&known, &["10.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"]);
    assert_eq!(outcome(&sender, peer.port).await, Outcome::Answered(answered(204)));
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn a_malformed_handshake_is_a_tls_failure() {
    let sender = sender(&authority(), &["127.0.0.1"]);
    for (name, script) in [
        ("closes", vec![]),
        ("speaks HTTP", vec![say("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), Step::Hold]),
        ("speaks SSH", vec![say("SSH-2.0-OpenSSH_9.6\r\n"), Step::Hold]),
        ("sends an alert", vec![say(b"\x15\x03\x03\0\x02\x02\x28"), Step::Hold]),
        ("sends zeros", vec![say([0; 1024]), Step::Hold]),
        ("offers SSL 3", vec![say(b"\x16\x03\0\0\x04\x02\0\0\0"), Step::Hold]),
        ("ends the stream", vec![Step::Shut, Step::Hold]),
    ] {
        let peer = Peer::listen(script).await;
        assert_eq!(outcome(&sender, peer.port).await, failed(Failure::Tls), "{name}");
    }
}

/// Virtual time waits for a socket only if nothing is spawned.
#[tokio::test(start_paused = true)]
async fn hanging_handshakes_time_out_after_five_seconds_shared_by_the_addresses() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = endpoint(&format!("https://{HOST}/in")).with_port(listener.local_addr().unwrap().port());
    let (sender, message) = (sender(&authority(), &["127.0.0.1"; 3]), message(BODY));
    let began = Instant::now();
    let (mut kept, mut seconds) = (Vec::new(), Vec::new());
    let accepted = async {
        for _ in 0..3 {
            kept.push(listener.accept().await.unwrap());
            seconds.push(began.elapsed().as_secs());
        }
    };
    let (attempted, ()) = tokio::join!(sender.send(&url, &message), accepted);
    assert_eq!((attempted.outcome, attempted.latency.as_secs()), (failed(Failure::Timeout), 5));
    assert_eq!(seconds, [0, 1, 3], "a third of the time for the first address, half of the rest for the second");
}
