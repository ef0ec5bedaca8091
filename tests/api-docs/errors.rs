//! `docs/errors.md`, from the registry of codes.

use std::fmt::Write;

use platform::http_api::{Code, FieldCode, MAX_FIELD_ERRORS};

const HEAD: &str = include_str!("errors.md");

/// Writes the file.
///
/// # Panics
/// Never: a text can always be written.
pub fn markdown() -> String {
    let fields: Vec<_> = FieldCode::ALL.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let mut text = HEAD.replace("{MOST}", &MAX_FIELD_ERRORS.to_string()).replace("{FIELD_CODES}", &fields.join(", "));
    text.push_str("| Code | Status | Retryable | When | What to do |\n|---|---|---|---|---|\n");
    for code in Code::ALL {
        let retryable = if code.retryable() { "yes" } else { "no" };
        let (name, status, meaning, remedy) = (code.name(), code.status(), code.meaning(), code.remedy());
        writeln!(text, "| `{name}` | {status} | {retryable} | {meaning} | {remedy} |").expect("a text");
    }
    text
}
