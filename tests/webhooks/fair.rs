//! The local delivery worker: a slow receiver delays only itself.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use local::courier::QUEUE_BATCH;
use serde_json::{Value, json};
use tests::Call;
use tokio::task::JoinSet;

use crate::common::Stage;

/// Events of the slow endpoint. More than all batches together could carry if it got all of them.
const EVENTS: usize = 100;

/// A receiver that answers challenges, and never answers anything else.
struct Slow {
    url: String,
    /// The number of messages that wait for an answer.
    waiting: Arc<AtomicUsize>,
    _held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Slow {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (waiting, held) = (Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (count, keep) = (Arc::clone(&waiting), Arc::clone(&held));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = String::new();
                while !request.contains("\"type\":") {
                    let mut part = [0; 4096];
                    let length = stream.read(&mut part).unwrap();
                    request.push_str(&String::from_utf8_lossy(&part[..length]));
                }
                if request.contains("\"endpoint.challenge\"") {
                    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
                } else {
                    count.fetch_add(1, Ordering::SeqCst);
                    keep.lock().unwrap().push(stream);
                }
            }
        });
        Self { url, waiting, _held: held }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_delays_only_itself() {
    let stage = Stage::start().await;
    let slow = Slow::start();
    let body = json!({"url": slow.url, "event_types": ["partner.updated"]});
    stage.ask(stage.endpoints("POST", "").json(&body)).await.expect(201);
    let fast = stage.active(json!(["invitation.created"])).await;
    let path = format!("/v1/partners/{}", stage.partner.partner_id);
    for number in 0..EVENTS {
        let rename = Call::new("PATCH", path.as_str()).json(&json!({"name": format!("Northwind {number}")}));
        stage.world.operator(rename).await.expect(200);
    }
    let customer = stage.world.customer().await;
    stage.world.invite(&stage.partner, &customer, Value::Null).await.expect(201);
    let page = stage.ask(stage.partner.call("GET", "/events?limit=1")).await.expect(200);
    let newest = page["items"][0]["event_id"].as_str().unwrap();
    let courier = Arc::clone(stage.world.here().unwrap().0.courier());
    while courier.publish().await.unwrap() > 0 {}
    assert_eq!(courier.queue.len(), EVENTS + 1, "the slow endpoint's messages are first in the queue");

    let mut running = JoinSet::new();
    courier.run(&mut running);
    fast.receiver.until_arrived(newest).await;
    let waiting = slow.waiting.load(Ordering::SeqCst);
    assert!(waiting <= QUEUE_BATCH, "{waiting} messages wait for the slow receiver");
}
