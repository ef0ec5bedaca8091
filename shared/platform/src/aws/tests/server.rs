//! A server in a thread, which the test tells what to do with its connection.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use rustls::{ServerConfig, ServerConnection, Stream};
use tokio::runtime::{Builder, Runtime};

use super::super::client::Caller;

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// What the server does next with the connection it has. For the first connection and after an end it accepts one.
pub(super) enum Do {
    /// Reads a request and responds.
    Answer(&'static str),
    /// Reads a request.
    Hear,
    /// Closes the connection (FIN). With TLS it says so before.
    Close,
    /// Closes the connection (FIN). With TLS it does not say so.
    Cut,
    /// Aborts the connection (RST).
    Abort,
    /// Waits for the other side to close.
    AwaitEnd,
}

/// A server whose every step is a step of the test.
pub(super) struct Server {
    pub(super) port: u16,
    base: String,
    steps: Sender<Do>,
    /// The number of connections so far, after each step.
    done: Receiver<usize>,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::start_with("http://127.0.0.1", None)
    }

    /// A server at another name, with TLS if there are settings for it.
    pub(super) fn start_with(base: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (steps, told) = channel();
        let (tell, done) = channel();
        thread::spawn(move || serve(&listener, tls.as_ref(), &told, &tell));
        Self { port, base: base.to_owned(), steps, done }
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
        format!("{}:{}/", self.base, self.port)
    }
}

fn serve(listener: &TcpListener, tls: Option<&Arc<ServerConfig>>, told: &Receiver<Do>, tell: &Sender<usize>) {
    let (mut connection, mut connections) = (None, 0);
    for step in told {
        let mut wire = connection.take().unwrap_or_else(|| {
            connections += 1;
            Wire::accept(listener, tls)
        });
        connection = act(&mut wire, &step).then_some(wire);
        // The test may have ended.
        let _ = tell.send(connections);
    }
}

/// A connection, with or without TLS. The handshake is done when something is read.
struct Wire {
    tcp: TcpStream,
    tls: Option<ServerConnection>,
}

impl Wire {
    fn accept(listener: &TcpListener, tls: Option<&Arc<ServerConfig>>) -> Self {
        let tcp = listener.accept().unwrap().0;
        Self { tcp, tls: tls.map(|config| ServerConnection::new(Arc::clone(config)).unwrap()) }
    }

    fn send(&mut self, text: &str) {
        match &mut self.tls {
            Some(tls) => Stream::new(tls, &mut self.tcp).write_all(text.as_bytes()).unwrap(),
            None => self.tcp.write_all(text.as_bytes()).unwrap(),
        }
    }

    fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            tls.write_tls(&mut self.tcp).unwrap();
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => Stream::new(tls, &mut self.tcp).read(buffer),
            None => self.tcp.read(buffer),
        }
    }
}

/// Whether the connection stays open.
fn act(wire: &mut Wire, step: &Do) -> bool {
    match step {
        Do::Answer(text) => {
            hear(wire);
            wire.send(text);
        }
        Do::Hear => hear(wire),
        Do::Abort => {
            let copy = OwnedFd::from(wire.tcp.try_clone().unwrap());
            abort(copy);
        }
        // With TLS a connection that ends without a word is an error, and so is a reset.
        Do::AwaitEnd => assert_eq!(wire.read_to_end(&mut Vec::new()).unwrap_or_default(), 0),
        Do::Close => wire.say_goodbye(),
        Do::Cut => {}
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
fn hear(stream: &mut Wire) {
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
