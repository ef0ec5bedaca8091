//! Text that controls no terminal. The API rejects names with these characters, but a text may come from any server.

use std::borrow::Cow;
use std::fmt::Write;

use domain::text::is_forbidden;

/// One line, with U+FFFD for each character that ends a line, controls the terminal, hides or reorders text.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.contains(is_forbidden) { text.replace(is_forbidden, "\u{FFFD}").into() } else { text.into() }
}

/// As [`line()`], but line breaks, tabs, and the joiners that some scripts need, stay.
pub fn text(text: &str) -> String {
    let is_kept = |c| matches!(c, '\n' | '\t' | '\u{200C}' | '\u{200D}');
    text.replace(|c| is_forbidden(c) && !is_kept(c), "\u{FFFD}")
}

/// A JSON document with these characters as escape sequences: it has the same value. Its line breaks and tabs stay: they are only
/// between two tokens.
pub fn json(document: &str) -> String {
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        if is_forbidden(c) && !matches!(c, '\n' | '\r' | '\t') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// As [`json`], on one line.
pub fn json_line(document: &str) -> String {
    json(document).replace(['\n', '\r', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_document_is_the_same_and_controls_nothing() {
        let document = "{\n\t\"a\": \"\u{9b}2J\u{202e}\u{e0001}\\u001b日本\"}";
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let shown = json(document);
        assert!(shown.contains("\\u009b2J\\u202e\\udb40\\udc01") && shown.contains("日本"), "{shown}");
        assert_eq!((value(&shown), value(&json_line(document))), (value(document), value(document)));
        assert!(!json_line(document).contains(is_forbidden));
    }
}
