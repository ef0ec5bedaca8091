//! CSV files (RFC 4180): read line by line in bounded memory, and written so that a spreadsheet runs no formula in them.

mod formula;
mod records;
mod writer;

pub use self::records::{MAX_LINE, Record, Records, Wrong};
pub use self::writer::{Writer, line};

#[cfg(test)]
mod tests;
