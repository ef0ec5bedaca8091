//! Prints to standard output. Nothing else does.

use std::io::{self, IsTerminal, StdoutLock, Write};

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

impl Output<StdoutLock<'static>> {
    /// Standard output: with color on a terminal, unless `NO_COLOR` is set.
    pub fn stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let to = io::stdout().lock();
        Self { color: wanted && to.is_terminal(), to }
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
        writeln!(self.to, "{text}")
    }

    /// A name and its value.
    pub fn entry(&mut self, name: &str, value: &str) -> io::Result<()> {
        writeln!(self.to, "  {name:<18} {value}")
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
        if self.color { writeln!(self.to, "{style}{text}{PLAIN}") } else { writeln!(self.to, "{text}") }
    }
}

/// Prints a failure to standard error.
pub fn fail(message: &dyn std::fmt::Display) {
    // If standard error is closed, the exit code still reports the failure.
    let _ = writeln!(io::stderr(), "multipartner: {message}");
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
    fn a_table_has_headings_and_aligned_columns() {
        let mut output = Output { to: Vec::new(), color: false };
        output.table(&[["Caller", "Key"], ["A", "mpk_1"], ["Operator", ""]]).unwrap();
        assert_eq!(String::from_utf8(output.to).unwrap(), "  Caller    Key\n  A         mpk_1\n  Operator\n");
    }
}
