//! Reads the code blocks of a Markdown file, and the HTML comments that say how a block is tested:
//!
//! - `<!-- not run: REASON -->`: the next block is only for reading.
//! - `<!-- file: NAME -->`: the next block is saved as this file.
//! - `<!-- prints: TEXT -->`: the output of the next block contains this text.
//! - `<!-- needs: PROGRAM -->`: the next block is skipped if this program is missing.

use std::path::{Path, PathBuf};

/// A fenced code block and the comments before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    pub line: usize,
    pub language: String,
    pub text: String,
    pub not_run: Option<String>,
    pub file: Option<String>,
    pub prints: Vec<String>,
    pub needs: Vec<String>,
}

/// The Markdown files that a user or contributor reads, by their path in the repository.
pub fn documents() -> Vec<(String, Vec<Block>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<PathBuf> = ["", "docs", "docs/events"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).expect("a path in the repository").display().to_string();
        let blocks = blocks(&std::fs::read_to_string(path).expect("a text file"));
        (name, blocks.unwrap_or_else(|error| panic!("{error}")))
    };
    files.iter().map(read).collect()
}

/// The code blocks of a document.
///
/// # Errors
/// The line and the reason if a fence or a comment is not as described above.
pub fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut found = Vec::new();
    let mut next = Block::default();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(comment) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
            let (name, value) = comment.split_once(": ").ok_or(format!("line {}: a name and a value", number + 1))?;
            match name {
                "not run" => next.not_run = Some(value.to_owned()),
                "file" => next.file = Some(value.to_owned()),
                "prints" => next.prints.push(value.to_owned()),
                "needs" => next.needs.push(value.to_owned()),
                "Generated" => {}
                _ => return Err(format!("line {}: unknown comment `{name}`", number + 1)),
            }
        } else if let Some(language) = line.strip_prefix("```") {
            let mut block = Block { line: number + 1, language: language.to_owned(), ..std::mem::take(&mut next) };
            loop {
                let (_, line) = lines.next().ok_or(format!("line {}: the block has no end", block.line))?;
                if line == "```" {
                    break;
                }
                block.text += line;
                block.text.push('\n');
            }
            found.push(block);
        } else if !line.is_empty() && next != Block::default() {
            return Err(format!("line {}: a comment about a block comes directly before it", number + 1));
        }
    }
    Ok(found)
}

#[test]
fn comments_belong_to_the_next_block() {
    let text = "Text\n\n<!-- prints: one -->\n<!-- needs: two -->\n```sh\necho one\n```\n```json\n{}\n```\n";
    let read = blocks(text).unwrap();
    let [shell, json] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!((shell.line, shell.text.as_str()), (5, "echo one\n"));
    assert_eq!((&shell.prints, &shell.needs), (&vec!["one".to_owned()], &vec!["two".to_owned()]));
    assert_eq!(json, &Block { line: 8, language: "json".into(), text: "{}\n".into(), ..Block::default() });
}

#[test]
fn a_comment_without_a_block_is_an_error() {
    assert_eq!(
        blocks("<!-- prints: one -->\ntext\n").unwrap_err(),
        "line 2: a comment about a block comes directly before it"
    );
    assert_eq!(blocks("<!-- print: one -->\n").unwrap_err(), "line 1: unknown comment `print`");
    assert_eq!(blocks("```sh\n").unwrap_err(), "line 1: the block has no end");
}
