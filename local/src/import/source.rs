//! The file that is imported. It is read twice: first it is checked as a whole, and then its lines are sent. Each block of the
//! second reading must have the bytes of the first, so no line is sent that was not checked.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use super::error::FileError;
use super::utf8::Utf8;

const BLOCK: usize = 256 * 1024;

pub struct Source {
    path: PathBuf,
    file: File,
    /// The hashes of the blocks of the first reading; `None` during it.
    checked: Option<Vec<Hash>>,
    /// The hashes of the blocks of this reading.
    hashes: Vec<Hash>,
    utf8: Utf8,
    block: Vec<u8>,
    position: usize,
}

type Hash = [u8; 32];

impl Source {
    /// Opens a file for the first reading.
    ///
    /// # Errors
    /// If it is not a file, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let unreadable = |error| FileError::Unreadable(path.to_owned(), error);
        // It is read twice, which is impossible with a pipe. To open a pipe would wait for a writer.
        let is_file = std::fs::metadata(path).map_err(unreadable)?.is_file();
        if !is_file {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        let file = File::open(path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            checked: None,
            hashes: Vec::new(),
            utf8: Utf8::default(),
            block: Vec::new(),
            position: 0,
        })
    }

    /// The same file for the second reading.
    ///
    /// # Errors
    /// If the file cannot be read from the start again.
    pub fn again(mut self) -> Result<Self, FileError> {
        self.file.rewind().map_err(|error| FileError::Unreadable(self.path.clone(), error))?;
        Ok(Self { checked: Some(self.hashes), hashes: Vec::new(), block: Vec::new(), position: 0, ..self })
    }

    fn read_block(&mut self) -> Result<(), FileError> {
        self.block.clear();
        self.position = 0;
        let limit = BLOCK as u64;
        let read = Read::by_ref(&mut self.file).take(limit).read_to_end(&mut self.block);
        read.map_err(|error| FileError::Unreadable(self.path.clone(), error))?;
        let hash = hash(&self.block);
        match &self.checked {
            Some(checked) if checked.get(self.hashes.len()) != Some(&hash) => {
                self.block.clear();
                return Err(FileError::Changed(self.path.clone()));
            }
            Some(_) => {}
            None => self.utf8.check(&self.block).map_err(|fault| FileError::Encoding(self.path.clone(), fault))?,
        }
        // The empty block at the end counts: what is appended later would be in its place.
        self.hashes.push(hash);
        Ok(())
    }
}

fn hash(block: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, block).as_ref());
    hash
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let is_at_end = self.block.is_empty() && !self.hashes.is_empty();
        if self.position == self.block.len() && !is_at_end {
            self.read_block().map_err(io::Error::other)?;
        }
        Ok(&self.block[self.position..])
    }

    fn consume(&mut self, count: usize) {
        self.position = self.block.len().min(self.position + count);
    }
}
