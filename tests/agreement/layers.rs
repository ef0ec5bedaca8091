//! The dependencies between crates, between the layers of `platform`, and between files.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{Crate, Edge, cycles, library, root};

/// The libraries that `domain` may depend on. None of them does I/O.
const DOMAIN_LIBRARIES: &[&str] = &[
    "data-encoding",
    "idna",
    "iso3166-static",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "time",
    "unicode-security",
];

/// What a function may depend on.
const FUNCTION_LIBRARIES: &[&str] = &[
    "data-encoding",
    "domain",
    "flate2",
    "futures-util",
    "platform",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "time",
    "tokio",
    "tracing",
];

/// The folders of all libraries whose files must not refer to each other in cycles.
fn libraries() -> Vec<String> {
    let functions = std::fs::read_dir(root().join("functions")).expect("a folder");
    let names = functions.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"));
    let fixed = ["shared/domain", "shared/platform", "local"].map(str::to_owned);
    fixed.into_iter().chain(names.map(|name| format!("functions/{name}"))).collect()
}

/// The layers in a crate's documentation, lowest first. Their lines have the form ``//! 1. [`aws`], `clock`: why``.
fn layers(lib: &str) -> Vec<BTreeSet<String>> {
    let is_layer = |line: &&str| line.split_once('.').is_some_and(|(number, _)| number.parse::<u8>().is_ok());
    let lines = lib.lines().filter_map(|line| line.strip_prefix("//! ")).filter(is_layer);
    // Names are in backticks: every other part.
    let modules = |line: &str| line.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    lines.map(modules).collect()
}

/// References to a module of the same layer or of a higher one.
fn upward(source: &Crate, layers: &[BTreeSet<String>]) -> Vec<Edge> {
    let layer_of = |module: &str| layers.iter().position(|layer| layer.contains(module));
    let is_upward = |edge: &Edge| {
        let (from, to) = edge.top_modules();
        from != to && layer_of(from).is_some() && layer_of(to) >= layer_of(from)
    };
    source.edges().into_iter().filter(is_upward).collect()
}

/// The names in `[dependencies]` of a `Cargo.toml`.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let section = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let lines = section.take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', '=', ' ']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect()
}

fn manifest(folder: &str) -> String {
    std::fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("a manifest")
}

fn assert_only(folder: &str, allowed: &[&str]) {
    let allowed = allowed.iter().map(|name| (*name).to_owned()).collect();
    let found = dependencies(&manifest(folder));
    let unexpected: Vec<_> = found.difference(&allowed).collect();
    assert!(unexpected.is_empty(), "{folder} depends on {unexpected:?}");
}

#[test]
fn every_module_of_platform_is_in_one_layer() {
    let layers = layers(&std::fs::read_to_string(root().join("shared/platform/src/lib.rs")).expect("a file"));
    let named: Vec<_> = layers.iter().flatten().cloned().collect();
    let unique: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(named.len(), unique.len(), "a module is in two layers: {named:?}");
    let modules = library("shared/platform").top_modules();
    let missing: Vec<_> = modules.difference(&unique).collect();
    assert!(missing.is_empty(), "add to the layers in shared/platform/src/lib.rs: {missing:?}");
}

#[test]
fn modules_of_platform_use_lower_layers_only() {
    let layers = layers(&std::fs::read_to_string(root().join("shared/platform/src/lib.rs")).expect("a file"));
    let upward = upward(&library("shared/platform"), &layers);
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn domain_depends_on_pure_libraries_only() {
    assert_only("shared/domain", DOMAIN_LIBRARIES);
}

#[test]
fn functions_depend_on_domain_platform_and_a_few_libraries() {
    for folder in libraries().iter().filter(|folder| folder.starts_with("functions/")) {
        assert_only(folder, FUNCTION_LIBRARIES);
    }
}

#[test]
fn files_refer_to_each_other_without_cycles() {
    let mut found = BTreeMap::new();
    for folder in libraries() {
        let edges = library(&folder).edges();
        for cycle in cycles(&edges) {
            let inside = edges.iter().filter(|edge| cycle.contains(&*edge.from) && cycle.contains(&*edge.to));
            let inside: Vec<_> = inside.map(|edge| format!("    {} -> {}\n", edge.from, edge.to)).collect();
            let files: Vec<_> = cycle.iter().copied().collect();
            found.insert(format!("{folder}: {}", files.join(" ")), inside.concat());
        }
    }
    let shown: String = found.iter().map(|(cycle, edges)| format!("{cycle}\n{edges}")).collect();
    assert!(found.is_empty(), "cycles between files:\n{shown}");
}

mod checker {
    use super::*;

    /// Reads a crate of these files.
    fn source(files: &[(&str, &str)]) -> Crate {
        let text = |file: &str| files.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_owned());
        Crate::read("lib.rs", text)
    }

    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        source(files).edges().iter().map(|edge| format!("{} {}", edge.from, edge.to)).collect()
    }

    const LIB: (&str, &str) = ("lib.rs", "mod a; mod b;");
    const ITEM: (&str, &str) = ("b.rs", "pub struct B; pub fn make() -> B { B }");

    #[test]
    fn every_way_to_refer_to_another_file_is_found() {
        for text in [
            "use crate::b::B;",
            "use super::b::B as Other;",
            "use crate::{b::{self, B}};",
            "use crate::b::*;",
            "fn f() { crate::b::make(); }",
            "fn f() { super::b::make(); }",
            "use crate::b; fn f() { b::make(); }",
            "use crate::b as other; fn f(x: other::B) {}",
            "fn f() { println!(\"{}\", crate::b::make()); }",
            "mod inner { use super::super::b::B; }",
            "impl From<crate::b::B> for u8 {}",
            "impl T { #[cfg(test)] fn f() {} fn g() { crate::b::make(); } }",
            "#[cfg(not(feature = \"describe\"))] use crate::b::B;",
        ] {
            assert_eq!(edges(&[LIB, ("a.rs", text), ITEM]), ["a.rs b.rs"], "{text}");
        }
    }

    #[test]
    fn tests_other_crates_and_unused_modules_do_not_count() {
        for text in [
            "#[cfg(test)] mod tests { use crate::b::B; }",
            "#[cfg(test)] use crate::b::B;",
            "#[cfg(feature = \"describe\")] use crate::b::B;",
            "trait T { #[cfg(feature = \"describe\")] fn f(b: crate::b::B); }",
            "impl T { #[cfg(test)] fn f() -> crate::b::B { crate::b::make() } }",
            "use other::b::B;",
            "fn f() { other::b::make(); }",
            "use crate::b;",
            "/// [`crate::b::B`]\nstruct A;",
        ] {
            assert_eq!(edges(&[LIB, ("a.rs", text), ITEM]), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn re_exports_are_followed_to_the_file_that_defines_the_item() {
        let lib = ("lib.rs", "mod a; mod c;");
        let user = ("a.rs", "use crate::c::B;");
        for text in ["mod b; pub use b::B;", "mod b; pub use self::b::*;", "mod b; pub(crate) use b::{make, B};"] {
            assert_eq!(edges(&[lib, user, ("c/mod.rs", text), ("c/b.rs", ITEM.1)]), ["a.rs c/b.rs"], "{text}");
        }
        let used = ("c/mod.rs", "mod b; pub use b::B; fn f(b: B) {}");
        assert_eq!(edges(&[lib, user, used, ("c/b.rs", ITEM.1)]), ["a.rs c/b.rs", "c/mod.rs c/b.rs"]);
    }

    #[test]
    fn cycles_are_found_and_chains_are_none() {
        let cycle_of = |c: &str| {
            let lib = ("lib.rs", "mod a; mod b; mod c;");
            let files = [lib, ("a.rs", "use crate::b::B; pub struct A;"), ("b.rs", "use crate::c::C; pub struct B;")];
            let edges = source(&[files.as_slice(), &[("c.rs", c)]].concat()).edges();
            cycles(&edges).iter().map(|cycle| cycle.iter().copied().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(cycle_of("pub struct C;"), Vec::<String>::new());
        assert_eq!(cycle_of("pub struct C; fn f(a: crate::a::A) {}"), ["a.rs b.rs c.rs"]);
        assert_eq!(cycle_of("use crate::b::B; pub struct C;"), ["b.rs c.rs"]);
    }

    #[test]
    fn a_module_that_uses_its_own_layer_or_a_higher_one_is_found() {
        let text = "//! Layers.\n//!\n//! 1. [`a`], `b`: low\n//! 2. [`c`]: high\n\nmod a; mod b; mod c;";
        let layers = layers(text);
        let names: Vec<Vec<_>> = layers.iter().map(|layer| layer.iter().map(String::as_str).collect()).collect();
        assert_eq!(names, [vec!["a", "b"], vec!["c"]]);
        let found = |a: &str, c: &str| {
            let source = source(&[("lib.rs", text), ("a.rs", a), ITEM, ("c.rs", c)]);
            let edges = upward(&source, &layers);
            edges.iter().map(|edge| format!("{} {}", edge.from, edge.to)).collect::<Vec<_>>()
        };
        assert_eq!(found("", "use crate::b::B;"), Vec::<String>::new());
        assert_eq!(found("use crate::b::B;", ""), ["a.rs b.rs"]);
        assert_eq!(found("use crate::c::C;", "pub struct C;"), ["a.rs c.rs"]);
    }

    #[test]
    fn dependencies_are_read_without_those_of_tests() {
        let text = "[package]\nname = \"x\"\n[dependencies]\n# Why.\na.workspace = true\n\nb = { workspace = true }\n\
                    c = \"1\"\n[dev-dependencies]\nd = \"1\"\n";
        assert_eq!(dependencies(text), ["a", "b", "c"].map(str::to_owned).into());
    }
}
