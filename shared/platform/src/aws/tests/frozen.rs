//! Lambda freezes a function between two requests. What happens to its connections meanwhile, it sees only afterwards: here
//! nothing polls the runtime while the server acts.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::super::client::Caller;
use super::server::{Do, OK, Server, call, runtime};
use super::tls::{AMAZON, caller};
use crate::network::certificates::{acceptor, authority, params, signed};

/// Longer than any machine needs. Without the cures these requests never end.
const LONG: Duration = Duration::from_secs(20);

/// Without TLS, and with each version.
const WIRES: [Option<&SupportedProtocolVersion>; 3] = [None, Some(&TLS12), Some(&TLS13)];

/// A function that has a connection, and its server.
fn connected(version: Option<&'static SupportedProtocolVersion>) -> (Runtime, Server, Caller) {
    let (runtime, (server, caller)) = (runtime(), pair(version));
    server.begin(Do::Answer(OK));
    assert_eq!(runtime.block_on(call(&caller, &server.url())).unwrap().status().as_u16(), 200);
    assert_eq!(server.finish(), 1);
    (runtime, server, caller)
}

fn pair(version: Option<&'static SupportedProtocolVersion>) -> (Server, Caller) {
    let Some(version) = version else { return (Server::start(), Caller::default()) };
    let amazon = authority();
    let acceptor = acceptor(signed(&amazon, params(AMAZON)), &[version]);
    let server = Server::start_with(&format!("https://{AMAZON}"), Some(acceptor.config().clone()));
    (server, caller(&amazon, &authority()).0)
}

/// Sends a request, which needs another connection.
fn works_with_a_second_connection(runtime: &Runtime, server: &Server, caller: &Caller) {
    server.begin(Do::Answer(OK));
    let answered = runtime.block_on(async { timeout(LONG, call(caller, &server.url())).await });
    assert_eq!(answered.unwrap().unwrap().status().as_u16(), 200);
    assert_eq!(server.finish(), 2);
}

#[test]
fn closed_or_aborted_while_frozen() {
    for version in WIRES {
        for end in [Do::Close, Do::Cut, Do::Abort] {
            let (runtime, server, caller) = connected(version);
            server.run(end);
            works_with_a_second_connection(&runtime, &server, &caller);
        }
    }
}

/// The next event and the end of the connection arrive while the function is frozen, so it sees both at once.
#[test]
fn closed_while_frozen_with_an_event_waiting() {
    for version in WIRES {
        let (runtime, server, caller) = connected(version);
        let events = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let event = runtime.block_on(tokio::net::TcpStream::connect(events.local_addr().unwrap())).unwrap();
        let mut sender = events.accept().unwrap().0;
        let mut next = Box::pin(async move {
            let mut event = event;
            event.read_u8().await.unwrap()
        });
        // It waits for the event, as a function does between requests.
        runtime.block_on(async { timeout(Duration::ZERO, &mut next).await }).unwrap_err();
        server.run(Do::Close);
        sender.write_all(b"!").unwrap();
        server.begin(Do::Answer(OK));
        let answered = runtime.block_on(async {
            assert_eq!(next.await, b'!');
            timeout(LONG, call(&caller, &server.url())).await
        });
        assert_eq!(answered.unwrap().unwrap().status().as_u16(), 200);
        assert_eq!(server.finish(), 2);
    }
}

/// The connection ends after the request was sent over it. Only the caller knows whether to repeat it.
#[test]
fn closed_instead_of_an_answer() {
    for version in WIRES {
        let (runtime, server, caller) = connected(version);
        server.begin(Do::Hear);
        server.begin(Do::Close);
        let failed = runtime.block_on(async { timeout(LONG, call(&caller, &server.url())).await });
        let failed = failed.unwrap().unwrap_err();
        assert!(failed.is_io(), "{failed:?}");
        assert_eq!((server.finish(), server.finish()), (1, 1));
        works_with_a_second_connection(&runtime, &server, &caller);
    }
}

/// A server that reads and never responds. The caller stops waiting, which ends the connection.
#[test]
fn a_silent_server_holds_nothing_up() {
    for version in WIRES {
        let (runtime, server, caller) = connected(version);
        server.begin(Do::Hear);
        runtime.block_on(async {
            let url = server.url();
            let mut waiting = Box::pin(call(&caller, &url));
            loop {
                assert!(timeout(Duration::ZERO, &mut waiting).await.is_err(), "there is no answer");
                if server.try_finish() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(server.run(Do::AwaitEnd), 1, "the connection is closed");
        works_with_a_second_connection(&runtime, &server, &caller);
    }
}
