//! Shows how far an import is: a bar on a terminal, otherwise a line every ten seconds.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Between two lines in a file or pipe.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Between two states of the bar.
const BAR_EVERY: Duration = Duration::from_millis(200);
const BAR_WIDTH: usize = 24;
/// Moves to the start of the line and clears it.
const CLEAR: &str = "\r\u{1b}[K";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Silent,
    Lines,
    Bar,
}

pub struct Progress {
    style: Style,
    to: Box<dyn Write>,
    started: Instant,
    shown: Instant,
    total: u64,
    done: u64,
    failed: u64,
}

impl Progress {
    /// On standard error.
    pub fn stderr(total: u64) -> Self {
        let style = if io::stderr().is_terminal() { Style::Bar } else { Style::Lines };
        Self::with(style, Box::new(io::stderr()), total)
    }

    pub fn silent() -> Self {
        Self::with(Style::Silent, Box::new(io::sink()), 0)
    }

    fn with(style: Style, to: Box<dyn Write>, total: u64) -> Self {
        let now = Instant::now();
        Self { style, to, started: now, shown: now, total, done: 0, failed: 0 }
    }

    pub fn add(&mut self, is_failure: bool) {
        self.done += 1;
        self.failed += u64::from(is_failure);
    }

    /// Shows the state if it is time. That standard error is closed stops no import.
    pub fn tick(&mut self) {
        let (now, every) = (Instant::now(), if self.style == Style::Bar { BAR_EVERY } else { LINE_EVERY });
        if self.style == Style::Silent || now.duration_since(self.shown) < every {
            return;
        }
        self.shown = now;
        let state = state(self.done, self.failed, self.total, now.duration_since(self.started));
        let _ = match self.style {
            Style::Bar => write!(self.to, "{CLEAR}{} {state}", bar(self.done, self.total)),
            _ => writeln!(self.to, "{state}"),
        };
        let _ = self.to.flush();
    }

    /// Removes the bar.
    pub fn clear(&mut self) {
        if self.style == Style::Bar {
            let _ = write!(self.to, "{CLEAR}");
            let _ = self.to.flush();
        }
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

fn bar(done: u64, total: u64) -> String {
    let filled = usize::try_from(done * BAR_WIDTH as u64 / total.max(1)).unwrap_or(BAR_WIDTH).min(BAR_WIDTH);
    format!("[{}{}]", "=".repeat(filled), " ".repeat(BAR_WIDTH - filled))
}

/// `1200 of 10000 lines, 400/s, 22 s left`
fn state(done: u64, failed: u64, total: u64, elapsed: Duration) -> String {
    let mut state = format!("{done} of {total} lines, {}", rate(done, elapsed));
    if failed > 0 {
        state.push_str(&format!(", {failed} failed"));
    }
    if done > 0 && done < total {
        let left = elapsed.as_secs_f64() * (total - done) as f64 / done as f64;
        state.push_str(&format!(", {} left", duration(left)));
    }
    state
}

/// Lines per second.
pub fn rate(done: u64, elapsed: Duration) -> String {
    format!("{:.0}/s", done as f64 / elapsed.as_secs_f64().max(0.001))
}

fn duration(seconds: f64) -> String {
    match seconds.ceil() {
        seconds if seconds < 100.0 => format!("{seconds:.0} s"),
        seconds if seconds < 100.0 * 60.0 => format!("{:.0} min", (seconds / 60.0).ceil()),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_has_rate_and_time_left() {
        let state = |done, failed, seconds| state(done, failed, 10_000, Duration::from_secs(seconds));
        assert_eq!(state(0, 0, 10), "0 of 10000 lines, 0/s");
        assert_eq!(state(1200, 0, 3), "1200 of 10000 lines, 400/s, 22 s left");
        assert_eq!(state(10, 3, 3), "10 of 10000 lines, 3/s, 3 failed, 50 min left");
        assert_eq!(state(1, 0, 3), "1 of 10000 lines, 0/s, 8.3 h left");
        assert_eq!(state(10_000, 0, 20), "10000 of 10000 lines, 500/s");
    }

    #[test]
    fn the_bar_has_one_width() {
        for (done, total, filled) in [(0, 0, 0), (0, 5, 0), (5, 10, 12), (10, 10, 24), (11, 10, 24)] {
            let bar = bar(done, total);
            assert_eq!((bar.len(), bar.matches('=').count()), (26, filled));
        }
    }
}
