//! Words that plain English does not need. `banned.txt` lists them, each with the phrases in which it is allowed.
//!
//! Whole files are searched, so comments, string literals and the names of tests count alike.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A banned phrase, and longer phrases that contain it and are allowed.
struct Banned {
    phrase: Vec<String>,
    allowed: Vec<Vec<String>>,
}

fn banned() -> Vec<Banned> {
    let line = |line: &str| {
        let mut phrases = line.split('|').map(words);
        Banned { phrase: phrases.next().unwrap_or_default(), allowed: phrases.collect() }
    };
    include_str!("banned.txt").lines().map(line).collect()
}

/// The words of a text in lower case. `snake_case` and `CamelCase` are split.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in text.chars() {
        let is_new = !letter.is_alphabetic() || (letter.is_uppercase() && before.is_lowercase());
        if is_new && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphabetic()) {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The banned phrases in a text.
fn found(text: &str, banned: &[Banned]) -> BTreeSet<String> {
    let words = words(text);
    let is_found = |banned: &&Banned| {
        let mut places = (0..words.len()).filter(|at| words[*at..].starts_with(&banned.phrase));
        places.any(|at| !banned.allowed.iter().any(|allowed| words[at..].starts_with(allowed)))
    };
    banned.iter().filter(is_found).map(|banned| banned.phrase.join(" ")).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file whose text people read, by its path from the root.
fn files() -> BTreeSet<String> {
    let folders = [".ci", "benches", "docs", "functions", "local", "shared", "tests"];
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    open.push(root());
    let mut files = BTreeSet::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let name = entry.strip_prefix(root()).expect("a path below the root").to_string_lossy().into_owned();
            match entry.is_dir() {
                true if folder != root() => open.push(entry),
                false if is_read(&name) => drop(files.insert(name)),
                _ => {}
            }
        }
    }
    files
}

fn is_read(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    match file.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css" | "html" | "js" | "md" | "py" | "rs" | "sh" | "toml" | "yaml" | "yml") => true,
        Some("json") => name.starts_with("docs/") || name.starts_with("tests/") || file.ends_with(".en.json"),
        // Scripts have no extension.
        None => name.starts_with(".ci/"),
        _ => false,
    }
}

#[test]
fn everything_that_people_read_is_in_plain_words() {
    let banned = banned();
    let text = |name: &String| std::fs::read_to_string(root().join(name)).unwrap_or_default();
    let found: Vec<_> = files().into_iter().map(|name| (found(&text(&name), &banned), name)).collect();
    let found: Vec<_> = found.iter().filter(|(words, _)| !words.is_empty()).collect();
    assert!(found.is_empty(), "banned words: {found:#?}");
}

#[test]
fn each_banned_phrase_is_found_in_every_form() {
    for one in &banned() {
        let alone = std::slice::from_ref(one);
        let phrase = one.phrase.join(" ");
        let camel: String = one.phrase.iter().map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        for text in [
            phrase.clone(),
            format!("// Text, {phrase}."),
            format!("fn x_{}_y() {{}}", phrase.replace(' ', "_")),
            format!("// x {}", phrase.replace(' ', "\n    // ")),
            format!("struct {camel}Key;"),
            phrase.to_uppercase(),
        ] {
            assert_eq!(found(&text, alone), BTreeSet::from([phrase.clone()]), "{text}");
        }
        for text in [format!("x{phrase}"), format!("{phrase}x"), "plain".to_owned()] {
            assert_eq!(found(&text, alone), BTreeSet::new(), "{text}");
        }
        for allowed in &one.allowed {
            assert_eq!(found(&allowed.join(" "), alone), BTreeSet::new(), "{allowed:?}");
        }
    }
}
