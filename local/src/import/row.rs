//! What became of a line.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is new.
    Created,
    /// It exists already, from an earlier run or another program. Nothing changed.
    Unchanged,
    /// The same as an earlier line of the file. It was not sent again.
    Duplicate,
    /// The file says that there is nothing to import.
    Skipped,
    Failed,
    /// In a rehearsal: it would be created.
    WouldCreate,
    /// In a rehearsal: it would fail.
    WouldFail,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Unchanged => "unchanged",
            Self::Duplicate => "duplicate",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::WouldCreate => "would_create",
            Self::WouldFail => "would_fail",
        }
    }

    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::WouldFail)
    }
}

/// The result of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub outcome: Outcome,
    /// The code of a problem, or one of the codes of an import; empty if there is none.
    pub code: String,
    pub message: String,
    /// Of an invitation.
    pub link: Option<Link>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Empty if the invitation is not pending.
    pub accept_url: String,
    pub expires_at: String,
}

/// Codes of lines that were not sent.
pub mod code {
    /// The line cannot be sent as it is.
    pub const LINE_INVALID: &str = "line_invalid";
    /// An earlier line has the same id and other content.
    pub const LINE_CONFLICT: &str = "line_conflict";
}

impl Row {
    pub fn new(line: u64, outcome: Outcome, message: impl Into<String>) -> Self {
        Self { line, outcome, code: String::new(), message: message.into(), link: None }
    }

    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self { code: code.into(), ..self }
    }
}

/// For a person.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.outcome.as_str())?;
        if !self.code.is_empty() {
            write!(f, " ({})", self.code)?;
        }
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

/// How many lines had each outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(std::collections::BTreeMap<Outcome, u64>);

impl Tally {
    pub fn add(&mut self, outcome: Outcome) {
        *self.0.entry(outcome).or_default() += 1;
    }

    pub fn count(&self, outcome: Outcome) -> u64 {
        self.0.get(&outcome).copied().unwrap_or_default()
    }

    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    pub fn failures(&self) -> u64 {
        self.0.iter().filter(|(outcome, _)| outcome.is_failure()).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> = self.0.iter().map(|(outcome, count)| format!("{count} {}", outcome.as_str())).collect();
        if counts.is_empty() { f.write_str("no lines") } else { f.write_str(&counts.join(", ")) }
    }
}
