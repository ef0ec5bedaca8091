//! Cycles of references between files.

use std::collections::{BTreeMap, BTreeSet};

/// A file refers to an item that another file defines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: String,
    pub to: String,
}

impl Edge {
    /// The top-level module of each end.
    pub fn top_modules(&self) -> (&str, &str) {
        (top_module(&self.from), top_module(&self.to))
    }
}

/// `store` for `store/page.rs`, `clock` for `clock.rs`.
fn top_module(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// The largest sets of files in which each file refers to each other one, directly or not.
pub fn cycles(edges: &BTreeSet<Edge>) -> BTreeSet<BTreeSet<&str>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    edges.iter().for_each(|edge| next.entry(&edge.from).or_default().push(&edge.to));
    let reached: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|file| (*file, reachable(file, &next))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let own =
        |file: &&str| reached.keys().copied().filter(|other| reaches(file, other) && reaches(other, file)).collect();
    reached.keys().map(own).filter(|cycle: &BTreeSet<&str>| !cycle.is_empty()).collect()
}

fn reachable<'a>(from: &'a str, next: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(next.get(file).into_iter().flatten().copied().filter(|to| found.insert(*to)));
    }
    found
}
