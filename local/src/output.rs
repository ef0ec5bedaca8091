//! What a person reads on standard output. This is the only place that writes there.

use std::io::{self, IsTerminal, StdoutLock, Write};

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[1;31m";
const PLAIN: &str = "\u{1b}[0m";

/// Standard output, in colour where somebody sees it.
pub struct Output<W> {
    to: W,
    colour: bool,
}

impl Output<StdoutLock<'static>> {
    /// Standard output; in colour on a terminal, unless `NO_COLOR` is set to anything.
    pub fn stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let to = io::stdout().lock();
        Self { colour: wanted && to.is_terminal(), to }
    }

    /// The same, for those who also write elsewhere.
    pub fn boxed(self) -> Output<Box<dyn Write>> {
        Output { to: Box::new(self.to), colour: self.colour }
    }
}

impl<W: Write> Output<W> {
    /// Anything that takes text, without colour.
    #[cfg(test)]
    pub fn to(to: W) -> Self {
        Self { to, colour: false }
    }

    /// A line that stands out.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.styled(BOLD, text)
    }

    /// A line of small print.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        self.styled(DIM, text)
    }

    /// A plain line.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "{text}")
    }

    /// A name and what belongs to it.
    pub fn entry(&mut self, name: &str, value: &str, note: &str) -> io::Result<()> {
        write!(self.to, "  {name:<18} {value}")?;
        if note.is_empty() { writeln!(self.to) } else { self.styled(DIM, &format!("  {note}")) }
    }

    /// A guarantee, and whether it held.
    pub fn verdict(&mut self, held: bool, text: &str) -> io::Result<()> {
        let (style, mark) = if held { (GREEN, "✓") } else { (RED, "✗") };
        if self.colour {
            writeln!(self.to, "    {style}{mark}{PLAIN} {text}")
        } else {
            writeln!(self.to, "    {mark} {text}")
        }
    }

    /// Hands over what is written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    fn styled(&mut self, style: &str, text: &str) -> io::Result<()> {
        if self.colour { writeln!(self.to, "{style}{text}{PLAIN}") } else { writeln!(self.to, "{text}") }
    }
}

/// A failure, on standard error.
pub fn fail(message: &dyn std::fmt::Display) {
    // If nobody can be told, the exit code still tells.
    let _ = writeln!(io::stderr(), "multipartner: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(colour: bool) -> String {
        let mut output = Output { to: Vec::new(), colour };
        output.heading("Title").unwrap();
        output.entry("name", "value", "note").unwrap();
        output.entry("name", "value", "").unwrap();
        String::from_utf8(output.to).unwrap()
    }

    #[test]
    fn colours_are_left_out_where_nobody_sees_them() {
        assert_eq!(written(false), "Title\n  name               value  note\n  name               value\n");
        assert!(written(true).starts_with("\u{1b}[1mTitle\u{1b}[0m\n"));
    }
}
