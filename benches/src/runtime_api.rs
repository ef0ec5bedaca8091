//! A minimal Lambda Runtime API for one process. The threads that hold the sockets take the times, so that no switch between
//! threads of this program is part of a measurement.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::{During, Result};
use crate::http1::Message;

/// What a function did.
pub enum Report {
    /// It asked for an event.
    Asked(Instant),
    /// It answered the event that was sent at `sent`.
    Answered { sent: Instant, done: Instant, body: Vec<u8>, failed: bool },
}

pub struct RuntimeApi {
    pub address: SocketAddr,
    events: Sender<Vec<u8>>,
    reports: Receiver<Report>,
    stopped: Arc<AtomicBool>,
}

/// What the threads of the connections share.
struct Shared {
    events: Mutex<Receiver<Vec<u8>>>,
    sent: Mutex<Instant>,
    reports: Mutex<Sender<Report>>,
}

impl RuntimeApi {
    /// # Errors
    /// If no port is free.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during("Runtime API")?;
        let address = listener.local_addr().during("Runtime API")?;
        let (events, queue) = channel();
        let (sender, reports) = channel();
        let shared =
            Shared { events: Mutex::new(queue), sent: Mutex::new(Instant::now()), reports: Mutex::new(sender) };
        let shared = Arc::new(shared);
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Ok(Self { address, events, reports, stopped })
    }

    /// Hands out an event as soon as the function asks.
    pub fn send(&self, event: Vec<u8>) {
        let _ = self.events.send(event);
    }

    /// # Errors
    /// If the function does nothing for so long.
    pub fn report(&self, patience: Duration) -> std::result::Result<Report, RecvTimeoutError> {
        self.reports.recv_timeout(patience)
    }
}

impl Drop for RuntimeApi {
    /// Wakes the thread that waits for connections, so that it ends.
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = Message::read(&mut stream) {
        let now = Instant::now();
        if request.start_line().starts_with("GET ") {
            report(shared, Report::Asked(now));
            let Ok(event) = lock(&shared.events).recv() else { return };
            let response = next(&event);
            *lock(&shared.sent) = Instant::now();
            if stream.get_mut().write_all(&response).is_err() {
                return;
            }
        } else {
            let failed = !request.start_line().contains("/response ");
            let sent = *lock(&shared.sent);
            report(shared, Report::Answered { sent, done: now, body: request.body, failed });
            if stream.get_mut().write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    }
}

fn report(shared: &Shared, report: Report) {
    let _ = lock(&shared.reports).send(report);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The response to `/next`, with the headers that Lambda sends.
fn next(event: &[u8]) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-000000000000\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:f\r\n\r\n",
        event.len(),
        now.as_millis() + 10_000,
    );
    [head.as_bytes(), event].concat()
}
