//! Asks before an action that cannot be undone.

use std::io::{self, BufRead, IsTerminal, Write};

use super::args::Yes;
use crate::exit::UsageError;
use crate::output;

/// Asks to type the id, unless `--yes` is given.
///
/// # Errors
/// [`UsageError`] if the id is not typed, or there is no terminal to ask on. Nothing was sent.
pub fn confirm(yes: Yes, action: &str, id: &str) -> Result<(), UsageError> {
    if yes.yes {
        return Ok(());
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() || !io::stderr().is_terminal() {
        return Err(UsageError(format!("this cannot be undone: {action}. To confirm without a terminal, add --yes")));
    }
    output::warn(&format!("This cannot be undone: {action}."));
    read(&mut stdin.lock(), &mut io::stderr(), id)
}

fn read(from: &mut impl BufRead, to: &mut impl Write, id: &str) -> Result<(), UsageError> {
    let failed = |error: io::Error| UsageError(format!("cannot ask for a confirmation: {error}"));
    write!(to, "Type {id} to confirm: ").and_then(|()| to.flush()).map_err(failed)?;
    let mut typed = String::new();
    from.read_line(&mut typed).map_err(failed)?;
    if typed.trim() == id { Ok(()) } else { Err(UsageError("not confirmed; nothing was sent".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_confirms() {
        for (typed, is_confirmed) in [("key_a\n", true), (" key_a ", true), ("y\n", false), ("", false)] {
            let mut asked = Vec::new();
            assert_eq!(read(&mut typed.as_bytes(), &mut asked, "key_a").is_ok(), is_confirmed, "{typed:?}");
            assert_eq!(asked, b"Type key_a to confirm: ");
        }
        assert!(confirm(Yes { yes: true }, "", "key_a").is_ok());
    }
}
