//! Misbehaving endpoints, as scripts.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A step of a peer. After the last step it closes the connection.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Reads a request with its body.
    Hear,
    /// Writes.
    Say(Vec<u8>),
    /// Waits and writes, repeatedly.
    Drip(&'static str, Duration),
    /// Writes a text repeatedly without waiting, at most this often.
    Flood(&'static str, usize),
    /// Closes its sending side.
    Shut,
    /// Reads until the other side closes.
    Hold,
    /// Does not even read, for a day.
    Sleep,
}

pub(super) fn say(text: impl AsRef<[u8]>) -> Step {
    Step::Say(text.as_ref().to_vec())
}

/// What a peer saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub heard: Vec<u8>,
    /// The number of bytes it wrote.
    pub said: usize,
}

/// Plays a script to its end, or until the other side closes.
pub(super) async fn play(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: Vec<Step>) -> Seen {
    let mut seen = Seen::default();
    for step in script {
        if take(&mut stream, step, &mut seen).await.is_err() {
            break;
        }
    }
    seen
}

async fn take(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), step: Step, seen: &mut Seen) -> io::Result<()> {
    match step {
        Step::Hear => hear(stream, &mut seen.heard).await,
        Step::Say(bytes) => write(stream, &bytes, seen).await,
        Step::Drip(text, every) => loop {
            tokio::time::sleep(every).await;
            write(stream, text.as_bytes(), seen).await?;
        },
        Step::Flood(text, times) => {
            for _ in 0..times {
                write(stream, text.as_bytes(), seen).await?;
            }
            Ok(())
        }
        Step::Shut => stream.shutdown().await,
        Step::Hold => stream.read_to_end(&mut seen.heard).await.map(drop),
        Step::Sleep => {
            tokio::time::sleep(Duration::from_secs(86_400)).await;
            Ok(())
        }
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], seen: &mut Seen) -> io::Result<()> {
    stream.write_all(bytes).await?;
    seen.said += bytes.len();
    stream.flush().await
}

/// Reads until the tests' body, which is the end of a request.
async fn hear(stream: &mut (impl AsyncRead + Unpin), heard: &mut Vec<u8>) -> io::Result<()> {
    while !heard.ends_with(super::common::BODY) {
        if stream.read_buf(heard).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// A local listener that plays the same script on every connection.
pub(super) struct Peer {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Peer {
    pub async fn listen(script: Vec<Step>) -> Self {
        Self::listen_with(move |tcp| play(tcp, script.clone())).await
    }

    /// A listener with its own code for each connection.
    pub async fn listen_with<F: Future<Output = Seen> + Send + 'static>(
        act: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (send, seen) = mpsc::unbounded_channel();
        let peer = Self { port: listener.local_addr().unwrap().port(), connections: Arc::default(), seen };
        let connections = Arc::clone(&peer.connections);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                // The test may have ended.
                let _ = send.send(act(tcp).await);
            }
        });
        peer
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// What the peer of the next finished connection saw.
    pub async fn seen(&mut self) -> Seen {
        self.seen.recv().await.unwrap()
    }
}
