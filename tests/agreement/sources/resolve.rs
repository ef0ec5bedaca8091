//! The modules of a crate, and the files that their paths lead to.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;

use super::graph::Edge;
use super::parse::{Content, Import, Segments, content};

/// Imports of imports followed at most.
const DEPTH: usize = 8;

/// A crate's modules by their path from the root, whose path is empty.
#[derive(Debug, Default)]
pub struct Crate {
    modules: BTreeMap<Segments, Module>,
}

#[derive(Debug)]
struct Module {
    file: String,
    content: Content,
}

/// What a path leads to.
#[derive(Debug, PartialEq)]
enum Target {
    /// A module itself.
    Module(Segments),
    /// An item that this module defines.
    ItemOf(Segments),
}

impl Crate {
    /// Reads the crate whose root is `root`. `text` returns a file's text by its path.
    pub fn read(root: &str, text: impl Fn(&str) -> Option<String>) -> Self {
        let mut this = Self::default();
        let items = parse(root, &text(root).unwrap_or_else(|| panic!("{root} is missing")));
        this.add(Vec::new(), root, items, &text);
        this
    }

    fn add(&mut self, path: Segments, file: &str, items: Vec<Item>, text: &impl Fn(&str) -> Option<String>) {
        let (content, children) = content(items);
        self.modules.insert(path.clone(), Module { file: file.to_owned(), content });
        for (name, inline) in children {
            let child = [path.clone(), vec![name]].concat();
            if let Some(items) = inline {
                self.add(child, file, items, text);
                continue;
            }
            let files = [format!("{}.rs", child.join("/")), format!("{}/mod.rs", child.join("/"))];
            let found = files.into_iter().find_map(|file| text(&file).map(|text| (file, text)));
            let (file, source) = found.unwrap_or_else(|| panic!("no file for module {}", child.join("::")));
            let items = parse(&file, &source);
            self.add(child, &file, items, text);
        }
    }

    /// The modules right below the root.
    pub fn top_modules(&self) -> BTreeSet<String> {
        self.modules.keys().filter(|path| path.len() == 1).map(|path| path[0].clone()).collect()
    }

    /// Every reference from one file to another.
    pub fn edges(&self) -> BTreeSet<Edge> {
        let mut edges = BTreeSet::new();
        for (path, module) in &self.modules {
            let content = &module.content;
            // A re-export that the module does not use itself is no dependency.
            let is_used = |import: &&Import| {
                !import.is_public || import.name.as_ref().is_some_and(|name| content.words.contains(name))
            };
            let imported = content.imports.iter().filter(is_used).filter_map(|import| self.imported(path, import));
            let mentioned = content.paths.iter().filter_map(|mention| match self.target(path, mention, 0) {
                Some(Target::ItemOf(module)) => Some(module),
                _ => None,
            });
            for target in imported.chain(mentioned) {
                let file = &self.modules[&target].file;
                if *file != module.file {
                    edges.insert(Edge { from: module.file.clone(), to: file.clone() });
                }
            }
        }
        edges
    }

    /// The module that an import depends on. Importing a module is no dependency yet: mentions of its items are.
    fn imported(&self, module: &Segments, import: &Import) -> Option<Segments> {
        match self.target(module, &import.path, 0)? {
            Target::Module(target) => import.name.is_none().then_some(target),
            Target::ItemOf(target) => Some(target),
        }
    }

    /// What a path in `module` leads to; `None` if it leads out of the crate or to a local name.
    fn target(&self, module: &Segments, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let (mut base, mut rest) = match first.as_str() {
            "crate" => (Vec::new(), rest),
            "self" => (module.clone(), rest),
            "super" => (module[..module.len().checked_sub(1)?].to_vec(), rest),
            _ if self.child(module, first).is_some() => (module.clone(), path),
            _ => return self.through_import(module, path, depth),
        };
        while let Some((first, after)) = rest.split_first().filter(|(first, _)| *first == "super") {
            debug_assert_eq!(first, "super");
            base.pop()?;
            rest = after;
        }
        self.walk(base, rest, depth)
    }

    fn walk(&self, mut module: Segments, path: &[String], depth: usize) -> Option<Target> {
        for name in path {
            match self.child(&module, name) {
                Some(child) => module = child,
                None => return Some(self.item(&module, name, depth).unwrap_or(Target::ItemOf(module))),
            }
        }
        Some(Target::Module(module))
    }

    /// Follows a path whose first segment is an imported name.
    fn through_import(&self, module: &Segments, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let mut imports = self.modules[module].content.imports.iter();
        // `use time::Timestamp` imports no `time`; `use serde_json` does, from outside.
        let import = imports.find(|import| import.name.as_ref() == Some(first) && import.path[0] != *first)?;
        let target = self.target(module, &import.path, deeper(depth)?)?;
        match target {
            Target::Module(module) => self.walk(module, rest, depth),
            item => Some(item),
        }
    }

    /// The module that defines an item that `module` defines or re-exports.
    fn item(&self, module: &Segments, name: &str, depth: usize) -> Option<Target> {
        let content = &self.modules[module].content;
        if content.items.contains(name) {
            return Some(Target::ItemOf(module.clone()));
        }
        let depth = deeper(depth)?;
        let named = content.imports.iter().find(|import| import.name.as_deref() == Some(name));
        if let Some(import) = named {
            return self.target(module, &import.path, depth);
        }
        content.imports.iter().filter(|import| import.name.is_none()).find_map(|glob| {
            match self.target(module, &glob.path, depth)? {
                Target::Module(target) if target != *module => self.item(&target, name, depth),
                _ => None,
            }
        })
    }

    fn child(&self, module: &Segments, name: &str) -> Option<Segments> {
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        self.modules.contains_key(&child).then_some(child)
    }
}

fn deeper(depth: usize) -> Option<usize> {
    (depth < DEPTH).then_some(depth + 1)
}

fn parse(file: &str, text: &str) -> Vec<Item> {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}")).items
}
