//! The table of attacks on sign-in in docs/sign-in.md names tests. This checks that each of them exists.

use std::path::Path;

use crate::rules::tests_by_name;

/// The rows of the table: attack, check, outcome, tests.
fn rows(document: &str) -> Vec<Vec<&str>> {
    let section = document.split_once("\n## Attacks\n").expect("a section").1;
    let section = section.split("\n## ").next().expect("its text");
    let lines = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn every_attack_on_sign_in_names_tests_that_exist() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let tests = tests_by_name(root);
    let document = std::fs::read_to_string(root.join("docs/sign-in.md")).expect("a document");
    let rows = rows(&document);
    let mut missing = Vec::new();
    for row in &rows {
        let [attack, _, outcome, named] = row.as_slice() else { panic!("four columns: {row:?}") };
        let named: Vec<&str> = named.split(", ").map(|name| name.trim_matches('`')).collect();
        println!("{attack} → {outcome}: {}", named.join(", "));
        assert!(!named.is_empty(), "{attack} has no test");
        missing.extend(
            named.into_iter().filter(|name| !tests.contains_key(*name)).map(|name| format!("{attack}: {name}")),
        );
    }
    assert!(rows.len() >= 20, "the table has all attacks: {}", rows.len());
    assert!(missing.is_empty(), "these tests do not exist: {missing:#?}");
}
