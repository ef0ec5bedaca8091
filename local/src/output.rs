//! Prints to standard output. Nothing else does. Each text becomes one line of plain characters, so that a text from the network
//! can neither control the terminal nor look like a line of this program.

use std::borrow::Cow;
use std::error::Error;
use std::io::{self, IsTerminal, StdoutLock, Write};

use domain::text::is_forbidden;

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
        writeln!(self.to, "{}", printable(text))
    }

    /// A name and its value.
    pub fn entry(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.line(&format!("  {name:<18} {value}"))
    }

    /// Aligned columns. The first row holds the headings.
    pub fn table<const N: usize>(&mut self, rows: &[[&str; N]]) -> io::Result<()> {
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        for (number, row) in rows.iter().enumerate() {
            let cells = row.iter().enumerate().map(|(column, cell)| format!("  {cell:<width$}", width = width(column)));
            let line = cells.collect::<String>();
            if number == 0 { self.heading(line.trim_end())? } else { self.line(line.trim_end())? }
        }
        Ok(())
    }

    /// The result of a check.
    pub fn verdict(&mut self, held: bool, text: &str) -> io::Result<()> {
        let text = printable(text);
        let (style, mark) = if held { (GREEN, "✓") } else { (RED, "✗") };
        if self.color {
            writeln!(self.to, "    {style}{mark}{PLAIN} {text}")
        } else {
            writeln!(self.to, "    {mark} {text}")
        }
    }

    /// A document as it is. Its text controls no terminal.
    pub fn document(&mut self, text: &str) -> io::Result<()> {
        self.to.write_all(text.as_bytes())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    fn styled(&mut self, style: &str, text: &str) -> io::Result<()> {
        let text = printable(text);
        if self.color { writeln!(self.to, "{style}{text}{PLAIN}") } else { writeln!(self.to, "{text}") }
    }
}

/// The text with U+FFFD for each character that ends a line, controls the terminal, hides or reorders text.
fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(is_forbidden) { text.replace(is_forbidden, "\u{FFFD}").into() } else { text.into() }
}

/// Prints a warning or a remark to standard error.
pub fn warn(message: &dyn std::fmt::Display) {
    // If standard error is closed, there is no reader for it.
    let _ = writeln!(io::stderr(), "{}", printable(&message.to_string()));
}

/// Prints a failure to standard error.
pub fn fail(message: &dyn std::fmt::Display) {
    // If standard error is closed, the exit code still reports the failure.
    let _ = writeln!(io::stderr(), "multipartner: {}", printable(&message.to_string()));
}

#[cfg(test)]
mod tests {
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
}
