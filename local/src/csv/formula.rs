//! Spreadsheets run a cell that begins with one of these characters as a formula (OWASP, "CSV Injection"). A single quotation mark
//! before it makes the cell a text.

const GUARD: char = '\'';

/// The field as it is written into a file.
pub fn guarded(field: &str) -> Option<String> {
    is_dangerous(field).then(|| format!("{GUARD}{field}"))
}

/// The field as it was before [`guarded`].
pub fn unguarded(field: &str) -> &str {
    field.strip_prefix(GUARD).filter(|rest| is_dangerous(rest)).unwrap_or(field)
}

/// Fields that already look guarded count too, so that reading returns exactly what was written.
fn is_dangerous(field: &str) -> bool {
    let starts_formula = |c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    field.trim_start_matches(GUARD).starts_with(starts_formula)
}
