//! Signals to stop.

use std::future::Future;
use std::io;

/// Listens for Ctrl-C and, on Unix, SIGTERM from now on. The future is ready at the first of them. A command that says how to
/// stop it must listen before it says so.
///
/// # Errors
/// If the process cannot listen for signals.
#[cfg(unix)]
pub fn stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens for Ctrl-C. The future is ready at the first one.
///
/// # Errors
/// Never on this system.
#[cfg(not(unix))]
pub fn stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
