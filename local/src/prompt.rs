//! Hidden input on a terminal.

use std::io;

use zeroize::Zeroizing;

/// Asks for one line and does not show it. The terminal shows input again afterwards, also after Ctrl-C.
///
/// # Errors
/// If there is no terminal, or the input ends early.
pub fn hidden(question: &str) -> io::Result<Zeroizing<String>> {
    let typed = without_interrupt(|| rpassword::prompt_password(question))?;
    typed.map(Zeroizing::new)
}

/// The prompt reads Ctrl-C as a character, and raises the signal before it restores the terminal. Here the signal waits until the
/// terminal is restored.
#[cfg(unix)]
fn without_interrupt<T>(ask: impl FnOnce() -> T) -> io::Result<T> {
    use nix::sys::signal::{SigSet, Signal};
    let interrupt = SigSet::from(Signal::SIGINT);
    interrupt.thread_block()?;
    let answer = ask();
    interrupt.thread_unblock()?;
    Ok(answer)
}

#[cfg(not(unix))]
fn without_interrupt<T>(ask: impl FnOnce() -> T) -> io::Result<T> {
    Ok(ask())
}
