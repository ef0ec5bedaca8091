//! Prints to standard output. Nothing else does. Each text becomes one line of plain characters, so that a text from the network
//! can neither control the terminal nor look like a line of this program.

use std::error::Error;
use std::io::{self, IsTerminal, StdoutLock, Write};

use local::printable;
use unicode_width::UnicodeWidthStr;

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[1;31m";
const PLAIN: &str = "\u{1b}[0m";

/// Styled text.
pub struct Output<W> {
    to: W,
    color: bool,
}

/// The reader of standard output has gone, as in `listen | head -1`. There is no reader for the rest.
#[derive(Debug, thiserror::Error)]
#[error("standard output is closed")]
struct Closed;

/// Whether the error, or its cause, is that standard output is closed. Other pipes and connections do not count.
pub fn is_closed(error: &(dyn Error + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<Closed>()) || error.source().is_some_and(is_closed)
}

/// Ready when nothing reads standard output any more. A command that waits for something to print ends then.
#[cfg(unix)]
pub async fn reader_gone() {
    use std::os::fd::AsFd;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    let output = io::stdout().as_fd().try_clone_to_owned();
    // A file cannot be watched, and always takes more.
    #[expect(deprecated, reason = "its successor is unsafe, and the descriptor is owned")]
    if let Ok(watched) = output.and_then(|output| AsyncFd::with_interest(output, Interest::ERROR))
        && watched.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Never ready on this system: the next output fails instead.
#[cfg(not(unix))]
pub async fn reader_gone() {
    std::future::pending().await
}

/// Standard output.
pub struct Stdout(StdoutLock<'static>);

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(name_closed)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(name_closed)
    }
}

fn name_closed(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::BrokenPipe { io::Error::new(error.kind(), Closed) } else { error }
}

impl Output<Stdout> {
    /// Standard output: with color on a terminal, unless `NO_COLOR` is set.
    pub fn stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let to = io::stdout().lock();
        Self { color: wanted && to.is_terminal(), to: Stdout(to) }
    }

    /// A JSON document: to a program as it is, to a terminal without characters that control it.
    pub fn document(&mut self, document: &[u8]) -> io::Result<()> {
        if self.to.0.is_terminal() {
            self.to.write_all(printable::json(&String::from_utf8_lossy(document)).as_bytes())?;
        } else {
            self.to.write_all(document)?;
        }
        self.to.write_all(b"\n")
    }

    /// The same output, with the type that `Output::to` returns for other writers.
    pub fn boxed(self) -> Output<Box<dyn Write>> {
        Output { to: Box::new(self.to), color: self.color }
    }
}

impl<W: Write> Output<W> {
    /// Any writer, without color.
    #[cfg(test)]
    pub fn to(to: W) -> Self {
        Self { to, color: false }
    }

    /// A bold line.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.styled(BOLD, text)
    }

    /// A dim line.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        self.styled(DIM, text)
    }

    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "{}", printable::line(text))
    }

    /// A name and its value.
    pub fn entry(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.line(&format!("  {name:<18} {value}"))
    }

    /// Names and their values, aligned.
    pub fn entries(&mut self, entries: &[(String, String)]) -> io::Result<()> {
        let width = entries.iter().map(|(name, _)| columns_of(name)).max().unwrap_or_default();
        entries.iter().try_for_each(|(name, value)| {
            let space = " ".repeat(width - columns_of(name));
            self.line(&format!("  {name}{space}  {value}"))
        })
    }

    /// Aligned columns. The first row holds the headings.
    pub fn table<const N: usize>(&mut self, rows: &[[&str; N]]) -> io::Result<()> {
        let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        self.aligned(&rows, true)
    }

    /// Aligned columns with headings.
    pub fn rows(&mut self, headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
        self.aligned(&[std::slice::from_ref(&headings), rows].concat(), true)
    }

    /// Aligned columns without headings, as a continuation.
    pub fn more_rows(&mut self, rows: &[Vec<String>]) -> io::Result<()> {
        self.aligned(rows, false)
    }

    fn aligned(&mut self, rows: &[Vec<String>], is_headed: bool) -> io::Result<()> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| columns_of(cell)).max();
        let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        for (number, row) in rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str("  ");
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - columns_of(cell)));
            }
            if is_headed && number == 0 { self.heading(line.trim_end())? } else { self.line(line.trim_end())? }
        }
        Ok(())
    }

    /// Bytes that this program made, such as a script or an export, which controls no terminal.
    pub fn text(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    /// The result of a check.
    pub fn verdict(&mut self, held: bool, text: &str) -> io::Result<()> {
        let text = printable::line(text);
        let (style, mark) = if held { (GREEN, "✓") } else { (RED, "✗") };
        if self.color {
            writeln!(self.to, "    {style}{mark}{PLAIN} {text}")
        } else {
            writeln!(self.to, "    {mark} {text}")
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    fn styled(&mut self, style: &str, text: &str) -> io::Result<()> {
        let text = printable::line(text);
        if self.color { writeln!(self.to, "{style}{text}{PLAIN}") } else { writeln!(self.to, "{text}") }
    }
}

/// The columns that a text takes on a terminal. East Asian letters take two, and accents that combine take none.
fn columns_of(text: &str) -> usize {
    UnicodeWidthStr::width(printable::line(text).as_ref())
}

/// Prints a warning or a remark to standard error.
pub fn warn(message: &dyn std::fmt::Display) {
    // If standard error is closed, there is no reader for it.
    let _ = writeln!(io::stderr(), "{}", printable::line(&message.to_string()));
}

/// Prints a failure to standard error.
pub fn fail(message: &dyn std::fmt::Display) {
    // If standard error is closed, the exit code still reports the failure.
    let _ = writeln!(io::stderr(), "multipartner: {}", printable::line(&message.to_string()));
}

#[cfg(test)]
mod tests {
    use domain::text::is_forbidden;

    use super::*;

    fn written(color: bool) -> String {
        let mut output = Output { to: Vec::new(), color };
        output.heading("Title").unwrap();
        output.entry("name", "value").unwrap();
        String::from_utf8(output.to).unwrap()
    }

    #[test]
    fn styles_are_omitted_without_color() {
        assert_eq!(written(false), "Title\n  name               value\n");
        assert!(written(true).starts_with("\u{1b}[1mTitle\u{1b}[0m\n"));
    }

    #[test]
    fn a_text_stays_one_line_and_controls_nothing() {
        for (text, printed) in [
            ("a\nOperator key", "a\u{FFFD}Operator key"),
            ("a\r\u{1b}[2J\u{85}\u{2028}b", "a\u{FFFD}\u{FFFD}[2J\u{FFFD}\u{FFFD}b"),
            ("a\u{202e}b\u{2066}\u{200f}\u{7f}", "a\u{FFFD}b\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("Müller & Søn 日本", "Müller & Søn 日本"),
        ] {
            let mut output = Output { to: Vec::new(), color: false };
            output.heading(text).unwrap();
            output.note(text).unwrap();
            output.line(text).unwrap();
            output.entry(text, text).unwrap();
            output.table(&[[text], [text]]).unwrap();
            output.verdict(true, text).unwrap();
            let written = String::from_utf8(output.to).unwrap();
            assert_eq!((written.lines().count(), written.matches(printed).count()), (7, 8), "{written:?}");
            assert!(!written.trim_end().replace('\n', "").contains(is_forbidden), "{written:?}");
        }
    }

    #[test]
    fn only_a_closed_standard_output_counts_as_closed() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed(&name_closed(broken())) && !is_closed(&broken()));
        assert!(!is_closed(&name_closed(io::ErrorKind::StorageFull.into())));
    }

    #[test]
    fn a_table_has_headings_and_aligned_columns() {
        let mut output = Output { to: Vec::new(), color: false };
        output.table(&[["Caller", "Key"], ["A", "mpk_1"], ["Operator", ""]]).unwrap();
        assert_eq!(String::from_utf8(output.to).unwrap(), "  Caller    Key\n  A         mpk_1\n  Operator\n");
    }

    #[test]
    fn columns_are_counted_as_a_terminal_shows_them() {
        let mut output = Output { to: Vec::new(), color: false };
        let rows =
            ["日本", "e\u{301}e\u{301}", "\u{1b}[2J", "Müller"].map(|name| vec![name.to_owned(), "|".to_owned()]);
        output.rows(&["name", ""], &rows).unwrap();
        let written = String::from_utf8(output.to).unwrap();
        let expected = ["  name", "  日本    |", "  e\u{301}e\u{301}      |", "  \u{FFFD}[2J    |", "  Müller  |"];
        assert_eq!(written.lines().collect::<Vec<_>>(), expected);
    }
}
