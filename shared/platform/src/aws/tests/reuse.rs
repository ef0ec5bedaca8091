//! Which connections are used again.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnectorSettings;

use super::super::client::Caller;
use super::server::{Do, OK, Server, call, request, runtime};

/// Sends a request for which the server has one response.
async fn status(caller: &Caller, server: &Server, text: &'static str) -> (u16, usize) {
    server.begin(Do::Answer(text));
    let answered = call(caller, &server.url()).await.unwrap();
    assert_eq!(answered.body().bytes(), Some(&b"hi"[..]));
    (answered.status().as_u16(), server.finish())
}

#[test]
fn ten_requests_need_one_connection() {
    let (server, caller) = (Server::start(), Caller::default());
    runtime().block_on(async {
        for _ in 0..10 {
            assert_eq!(status(&caller, &server, OK).await, (200, 1));
        }
    });
}

#[test]
fn a_connection_that_the_server_gives_up_is_not_used_again() {
    const CLOSING: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
    const FAILING: &str = "HTTP/1.1 500 X\r\ncontent-length: 2\r\n\r\nhi";
    const REFUSING: &str = "HTTP/1.1 400 X\r\ncontent-length: 2\r\n\r\nhi";
    for (text, expected, connections) in [(CLOSING, 200, 2), (FAILING, 500, 2), (REFUSING, 400, 1)] {
        let (server, caller) = (Server::start(), Caller::default());
        runtime().block_on(async {
            assert_eq!(status(&caller, &server, text).await, (expected, 1));
            if connections == 2 {
                server.run(Do::AwaitEnd);
            }
            assert_eq!(status(&caller, &server, OK).await, (200, connections), "{text}");
        });
    }
}

/// What the thread does takes no virtual time.
#[test]
fn a_connection_is_not_used_after_ninety_idle_seconds() {
    let (server, caller) = (Server::start(), Caller::default());
    runtime().block_on(async {
        assert_eq!(status(&caller, &server, OK).await, (200, 1));
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(89)).await;
        tokio::time::resume();
        assert_eq!(status(&caller, &server, OK).await, (200, 1));
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(91)).await;
        tokio::time::resume();
        server.begin(Do::AwaitEnd);
        server.begin(Do::Answer(OK));
        assert_eq!(call(&caller, &server.url()).await.unwrap().status().as_u16(), 200);
        assert_eq!((server.finish(), server.finish()), (1, 2));
    });
}

#[test]
fn a_slow_head_is_a_timeout_and_ends_the_connection() {
    let (server, caller) = (Server::start(), Caller::default());
    runtime().block_on(async {
        let limits = HttpConnectorSettings::builder().read_timeout(Duration::from_millis(10)).build();
        server.begin(Do::Hear);
        let failed = caller.send(request(&server.url()), &limits).await.unwrap_err();
        assert!(failed.is_timeout(), "{failed:?}");
        assert_eq!((server.finish(), server.run(Do::AwaitEnd)), (1, 1));
    });
}

#[test]
fn what_cannot_be_reached_or_is_no_http_is_an_error() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    runtime().block_on(async {
        let caller = Caller::default();
        let closed = call(&caller, &format!("http://127.0.0.1:{unused}/")).await.unwrap_err();
        assert!(closed.is_io(), "{closed:?}");
        let other = call(&caller, "ftp://127.0.0.1/").await.unwrap_err();
        assert!(other.is_user(), "{other:?}");
        let server = Server::start();
        server.begin(Do::Answer("SSH-2.0-OpenSSH_9.6\r\n\r\n"));
        let strange = call(&caller, &server.url()).await.unwrap_err();
        assert!(strange.is_io(), "{strange:?}");
    });
}
