//! One module of a source file: what it declares, imports and mentions.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, ItemUse, UseTree, Visibility};

/// The segments of a path, such as `crate::store::Item`.
pub type Segments = Vec<String>;

/// What a `use` brings into a module.
#[derive(Debug)]
pub struct Import {
    pub path: Segments,
    /// The local name; `None` for `*`.
    pub name: Option<String>,
    pub is_public: bool,
}

/// A child module: its name, and its items if they are in the same file.
pub type Child = (String, Option<Vec<Item>>);

/// A module's own content.
#[derive(Debug, Default)]
pub struct Content {
    /// Items it defines.
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Paths of two segments or more that its code mentions.
    pub paths: BTreeSet<Segments>,
    /// Every identifier in its code, imports excluded.
    pub words: BTreeSet<String>,
}

/// Splits a module into its content and its child modules.
pub fn content(items: Vec<Item>) -> (Content, Vec<Child>) {
    let (mut content, mut children) = (Content::default(), Vec::new());
    for item in items {
        if attributes(&item).iter().any(is_excluded) {
            continue;
        }
        match item {
            Item::Mod(module) => {
                children.push((module.ident.to_string(), module.content.map(|(_, items)| items)));
            }
            Item::Use(import) => content.import(&import),
            item => {
                content.items.extend(name(&item));
                content.mention(item.to_token_stream());
            }
        }
    }
    (content, children)
}

impl Content {
    fn import(&mut self, import: &ItemUse) {
        let is_public = !matches!(import.vis, Visibility::Inherited);
        self.flatten(&import.tree, &[], is_public);
    }

    fn flatten(&mut self, tree: &UseTree, before: &[String], is_public: bool) {
        let with = |last: &syn::Ident| [before, &[last.to_string()]].concat();
        let mut bind = |path: Segments, name: Option<String>| self.imports.push(Import { path, name, is_public });
        match tree {
            UseTree::Path(path) => self.flatten(&path.tree, &with(&path.ident), is_public),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.flatten(tree, before, is_public)),
            UseTree::Glob(_) => bind(before.to_vec(), None),
            UseTree::Name(name) if name.ident == "self" => bind(before.to_vec(), before.last().cloned()),
            UseTree::Name(name) => bind(with(&name.ident), Some(name.ident.to_string())),
            UseTree::Rename(rename) if rename.ident == "self" => {
                bind(before.to_vec(), Some(rename.rename.to_string()));
            }
            UseTree::Rename(rename) => bind(with(&rename.ident), Some(rename.rename.to_string())),
        }
    }

    /// Notes every path in `tokens`, including those inside macro calls.
    fn mention(&mut self, tokens: TokenStream) {
        let mut path = Segments::new();
        let (mut colons, mut is_excluded) = (0, false);
        for token in tokens {
            // An excluded item ends with its body or a semicolon.
            if is_excluded {
                is_excluded = match &token {
                    TokenTree::Group(group) => group.delimiter() != Delimiter::Brace,
                    TokenTree::Punct(punct) => punct.as_char() != ';',
                    _ => true,
                };
                continue;
            }
            match token {
                TokenTree::Group(group) if is_excluding_cfg(&group.stream()) => is_excluded = true,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end(&mut path);
                    }
                    path.push(ident.to_string());
                    self.words.insert(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    self.mention(group.stream());
                    colons = 0;
                }
                _ => {
                    self.end(&mut path);
                    colons = 0;
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Segments) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }
}

fn is_excluded(attribute: &Attribute) -> bool {
    attribute.path().is_ident("test") || is_excluding_cfg(&attribute.meta.to_token_stream())
}

/// Whether an attribute is a `cfg` of tests or of the feature `describe`.
fn is_excluding_cfg(attribute: &TokenStream) -> bool {
    let text: String = attribute.to_string().split_whitespace().collect();
    ["cfg(test)", "cfg(feature=\"describe\")", "cfg(all(test,"].iter().any(|excluding| text.starts_with(excluding))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => return item.ident.as_ref().map(ToString::to_string),
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
