//! Writes CSV.

use std::io::{self, Write};

use super::formula::guarded;

/// Writes one line after the other.
pub struct Writer<W>(W);

impl<W: Write> Writer<W> {
    pub fn new(to: W) -> Self {
        Self(to)
    }

    /// # Errors
    /// If the line cannot be written.
    pub fn write<T: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = T>) -> io::Result<()> {
        self.0.write_all(line(fields).as_bytes())
    }

    /// # Errors
    /// If the lines before cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    pub fn get_ref(&self) -> &W {
        &self.0
    }
}

/// A line with its end (CRLF, as RFC 4180 has it).
pub fn line<T: AsRef<str>>(fields: impl IntoIterator<Item = T>) -> String {
    let mut line = String::new();
    for (number, field) in fields.into_iter().enumerate() {
        if number > 0 {
            line.push(',');
        }
        push_field(&mut line, field.as_ref());
    }
    line.push_str("\r\n");
    line
}

fn push_field(line: &mut String, field: &str) {
    let guarded = guarded(field);
    // A guarded field is always quoted, so that a separator of another kind in it starts no new cell.
    let is_quoted = guarded.is_some() || field.contains([',', '"', '\n', '\r', ';', '\t']) || field.trim() != field;
    let field = guarded.as_deref().unwrap_or(field);
    if is_quoted {
        line.push('"');
        line.push_str(&field.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(field);
    }
}
