//! What a connection may take: time, memory, and place among those that wait.

use std::time::Duration;

use futures_util::FutureExt;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::super::idle::IdleLinks;
use super::super::link::{Asked, Link};
use super::super::message::{Body, Target, from_sdk};
use super::server::request;

fn asking(url: &str) -> (Target, Request<Body>) {
    from_sdk(request(url)).unwrap()
}

async fn link(target: &Target) -> (Link, DuplexStream) {
    let (near, far) = duplex(1 << 20);
    (Link::over(Box::new(near), target.clone()).await.unwrap(), far)
}

#[tokio::test(start_paused = true)]
async fn head_and_body_have_one_time_limit() {
    for text in ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh"] {
        let (target, request) = asking("http://127.0.0.1/");
        let (mut link, mut far) = link(&target).await;
        let mut asked = Box::pin(link.ask(request, Some(Duration::from_secs(1))));
        assert!((&mut asked).now_or_never().is_none());
        far.write_all(text.as_bytes()).await.unwrap();
        let Asked::Failed(error) = asked.await else { panic!("{text}") };
        assert!(error.is_timeout(), "{error:?}");
    }
}

#[tokio::test]
async fn an_endless_body_is_an_error() {
    let (target, request) = asking("http://127.0.0.1/");
    let (mut link, mut far) = link(&target).await;
    let flood = async {
        far.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        loop {
            far.write_all(chunk.as_bytes()).await.unwrap();
        }
    };
    let asked = tokio::select! {
        biased;
        asked = link.ask(request, None) => asked,
        () = flood => unreachable!(),
    };
    let Asked::Failed(error) = asked else { panic!("an answer") };
    assert!(format!("{error:?}").contains("LengthLimit"), "{error:?}");
}

#[tokio::test]
async fn eight_connections_to_a_target_wait() {
    let (idle, (target, _), (other, _)) =
        (IdleLinks::default(), asking("http://127.0.0.1/"), asking("http://127.0.0.2/"));
    let (kept, _kept) = link(&other).await;
    idle.put(kept).await;
    let mut ends = Vec::new();
    for _ in 0..9 {
        let (link, far) = link(&target).await;
        idle.put(link).await;
        ends.push(far);
    }
    let closed: Vec<_> = ends.iter_mut().map(|far| far.read(&mut [0]).now_or_never().is_some()).collect();
    assert_eq!(closed, [&[true][..], &[false; 8]].concat(), "the oldest is closed");
    assert!(idle.take(&other).await.is_some());
    for _ in 0..8 {
        assert!(idle.take(&target).await.is_some());
    }
    assert!(idle.take(&target).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_waited_too_long_is_closed_with_the_next_one() {
    let (idle, (target, _), (other, _)) =
        (IdleLinks::default(), asking("http://127.0.0.1/"), asking("http://127.0.0.2/"));
    let ((old, mut end), (new, _new)) = (link(&other).await, link(&target).await);
    idle.put(old).await;
    tokio::time::advance(Duration::from_secs(91)).await;
    assert!(end.read(&mut [0]).now_or_never().is_none());
    idle.put(new).await;
    assert!(end.read(&mut [0]).now_or_never().is_some());
}
