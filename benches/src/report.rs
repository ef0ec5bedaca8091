//! Tables in Markdown, so that documents can quote them.

use std::io::{self, Write};

use crate::error::{During, Result};
use crate::stats::Sample;

pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// # Errors
    /// If standard output is closed.
    pub fn print(&self) -> Result<()> {
        let width = |at: usize| {
            let cells = self.rows.iter().chain([&self.header]).filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let line = |row: &[String]| {
            let cells = row.iter().enumerate().map(|(at, cell)| {
                let space = " ".repeat(width(at).saturating_sub(cell.chars().count()));
                if at == 0 { format!("{cell}{space}") } else { format!("{space}{cell}") }
            });
            format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
        };
        say(&line(&self.header))?;
        let rule = (0..self.header.len()).map(|at| if at == 0 { "---" } else { "--:" });
        say(&format!("|{}|", rule.collect::<Vec<_>>().join("|")))?;
        self.rows.iter().try_for_each(|row| say(&line(row)))
    }
}

/// # Errors
/// If standard output is closed.
pub fn say(line: &str) -> Result<()> {
    writeln!(io::stdout(), "{line}").during("standard output")
}

/// # Errors
/// If standard output is closed.
pub fn heading(text: &str) -> Result<()> {
    say(&format!("\n## {text}\n"))
}

/// The median, with the quartiles in parentheses.
pub fn spread(sample: &Sample) -> String {
    if sample.is_empty() {
        return "–".to_owned();
    }
    let [low, middle, high] = [25.0, 50.0, 75.0].map(|percent| number(sample.percentile(percent)));
    format!("{middle} ({low}–{high})")
}

pub fn median(sample: &Sample) -> String {
    if sample.is_empty() { "–".to_owned() } else { number(sample.median()) }
}

/// Three significant digits or so.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// How many times `base` a value is.
pub fn times(value: f64, base: f64) -> String {
    if base > 0.0 && value > 0.0 { format!("{}x", number(value / base)) } else { "–".to_owned() }
}
