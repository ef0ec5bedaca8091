//! The documents: their code blocks run.

mod blocks;
mod markdown;
