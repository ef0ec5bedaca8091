//! Text that controls no terminal. The API rejects names with these characters, but an export may come from any server.

use std::fmt::Write;

use domain::text::is_forbidden;

/// With U+FFFD for each character that controls a terminal, hides or reorders text. Line breaks, tabs, and the joiners that some
/// scripts need, stay.
pub fn printable(text: &str) -> String {
    let is_kept = |c| matches!(c, '\n' | '\t' | '\u{200C}' | '\u{200D}');
    text.replace(|c| is_forbidden(c) && !is_kept(c), "\u{FFFD}")
}

/// A JSON document on one line, with these characters as escape sequences: it has the same value.
pub fn escaped(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if c < ' ' {
            // Only between two tokens. In a string it would not be JSON.
            line.push(' ');
        } else if is_forbidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(c);
        }
    }
    line
}
