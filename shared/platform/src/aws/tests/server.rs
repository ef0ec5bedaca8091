//! A server in a thread, which the test tells what to do with its connection.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use tokio::runtime::{Builder, Runtime};

use super::super::client::Caller;

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// What the server does next with the connection it has. For the first connection and after an end it accepts one.
pub(super) enum Do {
    /// Reads a request and responds.
    Answer(&'static str),
    /// Reads a request.
    Hear,
    /// Closes the connection (FIN).
    Close,
    /// Aborts the connection (RST).
    Abort,
    /// Waits for the other side to close.
    AwaitEnd,
}

/// A server whose every step is a step of the test.
pub(super) struct Server {
    pub(super) port: u16,
    steps: Sender<Do>,
    /// The number of connections so far, after each step.
    done: Receiver<usize>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (steps, told) = channel();
        let (tell, done) = channel();
        thread::spawn(move || serve(&listener, &told, &tell));
        Self { port, steps, done }
    }

    /// Makes it do something while the test goes on.
    pub(super) fn begin(&self, step: Do) {
        self.steps.send(step).unwrap();
    }

    /// Waits for the end of a step, and returns the number of connections so far.
    pub(super) fn finish(&self) -> usize {
        self.done.recv().unwrap()
    }

    /// Whether a step has ended.
    pub(super) fn try_finish(&self) -> bool {
        self.done.try_recv().is_ok()
    }

    /// Makes it do something while nothing else runs.
    pub(super) fn run(&self, step: Do) -> usize {
        self.begin(step);
        self.finish()
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

fn serve(listener: &TcpListener, told: &Receiver<Do>, tell: &Sender<usize>) {
    let (mut connection, mut connections) = (None, 0);
    for step in told {
        let mut stream = connection.take().unwrap_or_else(|| {
            connections += 1;
            listener.accept().unwrap().0
        });
        connection = act(&mut stream, &step).then_some(stream);
        // The test may have ended.
        let _ = tell.send(connections);
    }
}

/// Whether the connection stays open.
fn act(stream: &mut TcpStream, step: &Do) -> bool {
    match step {
        Do::Answer(text) => {
            hear(stream);
            stream.write_all(text.as_bytes()).unwrap();
        }
        Do::Hear => hear(stream),
        Do::Abort => {
            let copy = OwnedFd::from(stream.try_clone().unwrap());
            abort(copy);
        }
        Do::AwaitEnd => assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap_or_default(), 0),
        Do::Close => {}
    }
    matches!(step, Do::Answer(_) | Do::Hear)
}

/// Without time for what is left to be sent, closing sends a reset.
fn abort(stream: OwnedFd) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let stream = TcpStream::from(stream);
    stream.set_nonblocking(true).unwrap();
    tokio::net::TcpStream::from_std(stream).unwrap().set_zero_linger().unwrap();
}

/// Reads until the end of a head. The tests' requests have no body.
fn hear(stream: &mut TcpStream) {
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => heard.push(byte[0]),
            Ok(_) => panic!("the connection ended"),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::Interrupted, "{error}"),
        }
    }
}

pub(super) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A request to a URL.
pub(super) fn request(url: &str) -> HttpRequest {
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(url).unwrap();
    request
}

pub(super) async fn call(caller: &Caller, url: &str) -> Result<HttpResponse, ConnectorError> {
    caller.send(request(url), &HttpConnectorSettings::default()).await
}
