//! Reads CSV record by record. A record of any length takes at most [`MAX_LINE`] bytes of memory.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader};

use super::formula::unguarded;

/// Maximum bytes of a line. The longest line that the API accepts has less than a tenth of it.
pub const MAX_LINE: usize = 64 * 1024;
/// Maximum fields of a line.
const MAX_FIELDS: usize = 64;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line of the file, or several if a quoted field contains line breaks.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The number of its first line, from 1.
    pub line: u64,
    /// Without whitespace at the edges, and without the mark before formulas.
    pub fields: Vec<String>,
}

/// Why a line cannot be read. The lines after it can, except for [`Wrong::Unclosed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("the line is longer than {MAX_LINE} bytes. Is a closing quotation mark missing?")]
    TooLong,
    #[error("the line has more than {MAX_FIELDS} fields")]
    TooManyFields,
    #[error("a quotation mark is not closed. Inside a quoted field, write a quotation mark twice")]
    Quotes,
    /// Nothing after it can be trusted.
    #[error("a quotation mark is opened and not closed; the lines up to {last} were read as one")]
    Unclosed { last: u64 },
    #[error("the line is not valid UTF-8")]
    Encoding,
}

pub struct Records<R> {
    input: R,
    parser: Reader,
    line: u64,
    is_at_start: bool,
    output: Box<[u8]>,
    ends: [usize; MAX_FIELDS],
}

/// How far a record was read.
#[derive(Default)]
struct Progress {
    written: usize,
    fields: usize,
    quotes: usize,
    /// What was read last is a line end.
    is_at_line_end: bool,
    wrong: Option<Wrong>,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            parser: Reader::new(),
            line: 1,
            is_at_start: true,
            output: vec![0; MAX_LINE].into(),
            ends: [0; MAX_FIELDS],
        }
    }

    pub fn into_inner(self) -> R {
        self.input
    }

    /// The next record with its line, or why it is wrong. Empty lines are skipped. `None` at the end.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub fn next_record(&mut self) -> io::Result<Option<Result<Record, (u64, Wrong)>>> {
        if std::mem::take(&mut self.is_at_start) && self.input.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            self.input.consume(BYTE_ORDER_MARK.len());
        }
        self.skip_line_ends()?;
        let line = self.line;
        let mut progress = Progress::default();
        loop {
            match self.step(&mut progress)? {
                ReadRecordResult::Record => return Ok(Some(self.record(line, &progress))),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::InputEmpty => {}
                // What does not fit is read over what came before.
                ReadRecordResult::OutputFull => {
                    let wrong = self.unclosed(line, &progress).unwrap_or(Wrong::TooLong);
                    progress.wrong.get_or_insert(wrong);
                    progress.written = 0;
                }
                ReadRecordResult::OutputEndsFull => {
                    progress.wrong.get_or_insert(Wrong::TooManyFields);
                    progress.fields = 0;
                }
            }
        }
    }

    fn step(&mut self, progress: &mut Progress) -> io::Result<ReadRecordResult> {
        let input = self.input.fill_buf()?;
        let (output, ends) = (&mut self.output[progress.written..], &mut self.ends[progress.fields..]);
        let (result, read, written, fields) = self.parser.read_record(input, output, ends);
        if let Some(last) = input[..read].last() {
            progress.is_at_line_end = *last == b'\n';
        }
        progress.quotes += input[..read].iter().filter(|byte| **byte == b'"').count();
        self.line += count_lines(&input[..read]);
        progress.written += written;
        progress.fields += fields;
        self.input.consume(read);
        Ok(result)
    }

    /// The parser would skip them too, but a record's line is the one where it starts.
    fn skip_line_ends(&mut self) -> io::Result<()> {
        loop {
            let input = self.input.fill_buf()?;
            let ends = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if ends == 0 {
                return Ok(());
            }
            self.line += count_lines(&input[..ends]);
            self.input.consume(ends);
        }
    }

    /// If a field with quotation marks is open: a line end is only inside that field, or the end of a record.
    fn unclosed(&self, line: u64, progress: &Progress) -> Option<Wrong> {
        let last = self.line - u64::from(progress.is_at_line_end);
        let is_open = progress.quotes % 2 == 1 && last > line;
        is_open.then_some(Wrong::Unclosed { last })
    }

    fn record(&self, line: u64, progress: &Progress) -> Result<Record, (u64, Wrong)> {
        let wrong = |wrong| (line, wrong);
        if let Some(found) = progress.wrong {
            return Err(wrong(found));
        }
        if progress.quotes % 2 == 1 {
            return Err(wrong(self.unclosed(line, progress).unwrap_or(Wrong::Quotes)));
        }
        let mut start = 0;
        let mut fields = Vec::with_capacity(progress.fields);
        for end in &self.ends[..progress.fields] {
            let field = std::str::from_utf8(&self.output[start..*end]).map_err(|_| wrong(Wrong::Encoding))?;
            fields.push(unguarded(field).trim().to_owned());
            start = *end;
        }
        Ok(Record { line, fields })
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
