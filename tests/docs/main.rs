//! The documents: their code blocks run, and everything that people read is in plain words.

mod blocks;
mod markdown;
mod words;
