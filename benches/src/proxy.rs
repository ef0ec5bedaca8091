//! A proxy in front of the engine, with or without TLS. It counts the calls to the table, and measures each: the time of the same
//! call by a bare client.

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::error::{During, Result};
use crate::http1::{Connection, Message};

/// One call to the table.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation, for example `GetItem`.
    pub operation: String,
    /// From sending the request to the engine to the end of its response.
    pub took: Duration,
}

pub struct Proxy {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Proxy {
    /// # Errors
    /// If no port is free.
    pub fn start(engine: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during("proxy")?;
        let port = listener.local_addr().during("proxy")?.port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let proxy = Self { url: format!("{scheme}://127.0.0.1:{port}"), calls: Arc::clone(&calls) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (calls, tls) = (Arc::clone(&calls), tls.clone());
                thread::spawn(move || serve(stream, tls, engine, &calls));
            }
        });
        Ok(proxy)
    }

    /// The calls since the last time.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn serve(client: TcpStream, tls: Option<Arc<ServerConfig>>, engine: SocketAddr, calls: &Mutex<Vec<Call>>) {
    let _ = client.set_nodelay(true);
    // A client that ends a connection in the middle of something is not an error of the measurement.
    let _ = match tls {
        None => forward(client, engine, calls),
        Some(config) => match ServerConnection::new(config) {
            Ok(connection) => forward(StreamOwned::new(connection, client), engine, calls),
            Err(error) => Err(io::Error::other(error)),
        },
    };
}

fn forward(client: impl Read + Write, engine: SocketAddr, calls: &Mutex<Vec<Call>>) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut upstream = Connection::open(engine)?;
    while let Some(request) = Message::read(&mut client)? {
        let operation = request.header("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or("-");
        let operation = operation.to_owned();
        let bytes = [request.head, request.body].concat();
        let began = Instant::now();
        let response = upstream.exchange(&bytes)?;
        let took = began.elapsed();
        calls.lock().unwrap_or_else(PoisonError::into_inner).push(Call { operation, took });
        client.get_mut().write_all(&[response.head, response.body].concat())?;
        client.get_mut().flush()?;
    }
    Ok(())
}
