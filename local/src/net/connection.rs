//! A listener that limits how many connections are open, and how long each may take for a request.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};

use super::places::{Place, Places};

/// How long a client may take for a request, and how long a connection may wait for the next one. This is longer than a body and
/// a function may take together.
pub const REQUEST_TIME: Duration = Duration::from_secs(75);

pub struct LimitedListener {
    listener: TcpListener,
    places: Arc<Places>,
}

impl LimitedListener {
    /// At most `max` connections at once. One more takes the place of the connection that has waited longest for a request, so
    /// that clients that send nothing do not keep others out.
    pub fn new(listener: TcpListener, max: usize) -> Self {
        Self { listener, places: Arc::new(Places::new(max)) }
    }
}

impl Listener for LimitedListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        let place = self.places.take().await;
        // A response is written in one go, so waiting to fill a packet only delays it.
        let _ = stream.set_nodelay(true);
        (Connection { stream, reading: false, time: Box::pin(sleep(REQUEST_TIME)), place }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that holds one of the listener's places. Reading fails when its time is up or when it loses its place.
pub struct Connection {
    stream: TcpStream,
    /// Whether a request has begun. Its time starts with the first byte, and more bytes do not extend it.
    reading: bool,
    time: Pin<Box<Sleep>>,
    place: Place,
}

impl Connection {
    fn restart_time(&mut self) {
        self.time.as_mut().reset(Instant::now() + REQUEST_TIME);
    }

    fn written(&mut self) {
        self.reading = false;
        self.restart_time();
        self.place.renew();
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.time.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if self.place.poll_lost(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() && !self.reading {
            self.reading = true;
            self.restart_time();
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.written();
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.written();
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn listener(max: usize) -> (LimitedListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (LimitedListener::new(listener, max), address)
    }

    #[tokio::test]
    async fn one_more_connection_takes_the_place_of_the_one_that_waits_longest() {
        let (mut listener, address) = listener(2).await;
        let mut clients = Vec::new();
        let mut connect = async |listener: &mut LimitedListener| {
            clients.push(TcpStream::connect(address).await.unwrap());
            listener.accept().await.0
        };
        let mut first = connect(&mut listener).await;
        let mut second = connect(&mut listener).await;
        // The first has answered a request since, so the second waits longer.
        first.write_all(b"answer").await.unwrap();
        let losing = tokio::spawn(async move { second.read_u8().await.unwrap_err().kind() });
        let third = connect(&mut listener).await;
        assert_eq!(losing.await.unwrap(), io::ErrorKind::ConnectionAborted);
        drop((first, third));
    }

    #[tokio::test(start_paused = true)]
    async fn reading_from_a_silent_client_times_out() {
        let (mut listener, address) = listener(1).await;
        let _client = TcpStream::connect(address).await.unwrap();
        let (mut connection, _) = listener.accept().await;
        let began = Instant::now();
        let error = connection.read_u8().await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, REQUEST_TIME.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_a_byte_now_and_then_times_out_too() {
        let (mut listener, address) = listener(1).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        let (mut connection, _) = listener.accept().await;
        let began = Instant::now();
        let error = loop {
            client.write_all(b"x").await.unwrap();
            if let Err(error) = connection.read_u8().await {
                break error;
            }
            tokio::time::advance(Duration::from_secs(10)).await;
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() < REQUEST_TIME + Duration::from_secs(11), "{:?}", began.elapsed());
    }
}
