//! `docs/reference/` says what the sources say: every option of the configuration, every public item of the crates.
//!
//! `UPDATE_REFERENCE=1 cargo test -p supervisor-core --test reference` writes the files anew; the change shows in review.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use supervisor_core::config::options::{OptionRow, SECTIONS, Scope, SectionName};
use syn::{Attribute, ImplItem, Item, TraitItem, Visibility};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Compares with the file, or writes it.
fn agree(name: &str, text: &str) {
    let path = workspace().join("docs/reference").join(name);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    let lines = there.lines().zip(text.lines()).enumerate();
    let difference = lines.filter(|(_, (before, now))| before != now).map(|(at, _)| at + 1).next();
    assert!(
        there == text,
        "docs/reference/{name} differs from the sources, first at line {}: if that is meant, \
         UPDATE_REFERENCE=1 cargo test -p supervisor-core --test reference",
        difference.unwrap_or_else(|| there.lines().count().min(text.lines().count()) + 1)
    );
}

const SCOPES: &str = "\
Values are texts in which names in `%(…)s` are replaced. Which names there are depends on the key:

| Scope | Names |
|---|---|
| section | `here` (the folder of the file), `host_node_name`, `ENV_X` (the supervisor's variable `X`) |
| program | also `program_name`, `group_name` |
| process | also `process_num`, `numprocs`, and `ENV_X` of the program's own `environment` |
";

fn option_table(rows: impl Iterator<Item = &'static OptionRow>) -> String {
    let mut text = String::from("| Key | Type | Default | Scope | |\n|---|---|---|---|---|\n");
    for row in rows {
        let default = row.default.map(|value| if value.is_empty() { "empty".into() } else { format!("`{value}`") });
        let scope = match row.scope {
            Scope::Section => "section",
            Scope::Program => "program",
            Scope::Process => "process",
        };
        let (kind, default) = (row.value_type.name(), default.unwrap_or_default());
        writeln!(text, "| `{}` | {kind} | {default} | {scope} | {} |", row.key, row.doc).unwrap();
    }
    text
}

#[test]
fn every_option_stands_in_the_reference() {
    let mut text = format!(
        "# Configuration\n\nMade from the table that the parser reads (`config/options/table.rs`): do not edit.\n\n{SCOPES}"
    );
    for table in SECTIONS {
        let name = match table.name {
            SectionName::Exact(name) => name.to_owned(),
            SectionName::Prefix(name) => format!("{name}], [{name}:x"),
            SectionName::Named(name) => format!("{name}:x"),
        };
        write!(text, "\n## [{name}]\n\n{}\n\n{}", table.doc, option_table(table.rows())).unwrap();
    }
    agree("configuration.md", &text);
}

/// The public items of a crate as Rust without bodies. `pub` means reachable here: the lint `unreachable_pub` sees to that.
fn listing(package: &str) -> String {
    let mut text = format!("The public items of {package}, made from its sources: do not edit.\n");
    let source = workspace().join(package).join("src");
    let mut files = Vec::new();
    collect(&source, &mut files);
    files.sort();
    let parsed = files.into_iter().map(|path| {
        let mut file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
        file.items.iter_mut().for_each(unwrap_type);
        (path.strip_prefix(&source).unwrap().display().to_string(), file)
    });
    let parsed: Vec<_> = parsed.collect();
    let private: HashSet<String> = parsed.iter().flat_map(|(_, file)| &file.items).filter_map(private_type).collect();
    for (inside, mut file) in parsed {
        file.attrs.clear();
        file.items.retain(|item| match item {
            Item::Impl(one) => !self_name(one).is_some_and(|name| private.contains(&name)),
            _ => true,
        });
        file.shebang = None;
        file.items = file.items.into_iter().filter_map(public).collect();
        if !file.items.is_empty() {
            write!(text, "\n// {inside}\n\n{}", prettyplease::unparse(&file)).unwrap();
        }
    }
    text
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["tests", "bin"].contains(&name) {
            collect(&path, files);
        } else if name.ends_with(".rs")
            && !["tests.rs", "testing.rs", "fuzzing.rs", "benching.rs", "fuzz.rs"].contains(&name)
        {
            files.push(path);
        }
    }
}

/// `pin_project!` takes a type as it is; what it adds is nobody's business.
fn unwrap_type(item: &mut Item) {
    if let Item::Macro(one) = item
        && one.mac.path.is_ident("pin_project")
    {
        *item = one.mac.parse_body().unwrap();
    }
}

/// The name of a type that is not public.
fn private_type(item: &Item) -> Option<String> {
    match item {
        Item::Struct(one) if !is_public(&one.vis) => Some(one.ident.to_string()),
        Item::Enum(one) if !is_public(&one.vis) => Some(one.ident.to_string()),
        _ => None,
    }
}

/// The name of the type that is implemented for.
fn self_name(one: &syn::ItemImpl) -> Option<String> {
    match &*one.self_ty {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// Attributes that a user notices.
fn keep(attributes: &mut Vec<Attribute>) {
    attributes.retain(|one| ["derive", "must_use", "non_exhaustive"].iter().any(|name| one.path().is_ident(name)));
}

fn is_test(attributes: &[Attribute]) -> bool {
    let mut conditions = attributes.iter().filter(|one| one.path().is_ident("cfg"));
    conditions.any(|one| {
        let condition = one.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        ["test", "fuzzing", "feature = \"benching\""].contains(&condition.as_str())
    })
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The item without what is private in it.
fn public(item: Item) -> Option<Item> {
    let block = || syn::parse_quote!({});
    match item {
        Item::Const(mut one) if is_public(&one.vis) => {
            keep(&mut one.attrs);
            Some(Item::Const(one))
        }
        Item::Static(mut one) if is_public(&one.vis) => {
            keep(&mut one.attrs);
            one.expr = syn::parse_quote!(_);
            Some(Item::Static(one))
        }
        Item::Type(mut one) if is_public(&one.vis) => {
            keep(&mut one.attrs);
            Some(Item::Type(one))
        }
        Item::Use(mut one) if is_public(&one.vis) && !is_test(&one.attrs) => {
            keep(&mut one.attrs);
            Some(Item::Use(one))
        }
        Item::Mod(mut one) if is_public(&one.vis) && !is_test(&one.attrs) && one.content.is_none() => {
            keep(&mut one.attrs);
            Some(Item::Mod(one))
        }
        Item::Fn(mut one) if is_public(&one.vis) && !is_test(&one.attrs) => {
            keep(&mut one.attrs);
            one.block = Box::new(block());
            Some(Item::Fn(one))
        }
        Item::Enum(mut one) if is_public(&one.vis) => {
            keep(&mut one.attrs);
            for variant in &mut one.variants {
                keep(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| keep(&mut field.attrs));
            }
            Some(Item::Enum(one))
        }
        Item::Struct(mut one) if is_public(&one.vis) => {
            keep(&mut one.attrs);
            if let syn::Fields::Named(fields) = &mut one.fields {
                let all = std::mem::take(&mut fields.named);
                fields.named = all.into_iter().filter(|field| is_public(&field.vis)).collect();
            }
            one.fields.iter_mut().for_each(|field| keep(&mut field.attrs));
            Some(Item::Struct(one))
        }
        Item::Trait(mut one) if is_public(&one.vis) => {
            keep(&mut one.attrs);
            for item in &mut one.items {
                match item {
                    TraitItem::Fn(function) => {
                        keep(&mut function.attrs);
                        function.default = function.default.is_some().then(block);
                    }
                    TraitItem::Type(kind) => keep(&mut kind.attrs),
                    TraitItem::Const(constant) => keep(&mut constant.attrs),
                    _ => {}
                }
            }
            Some(Item::Trait(one))
        }
        Item::Impl(mut one) if !is_test(&one.attrs) => {
            keep(&mut one.attrs);
            let of_trait = one.trait_.is_some();
            one.items.retain(|item| match item {
                ImplItem::Fn(function) => is_public(&function.vis) && !is_test(&function.attrs),
                ImplItem::Const(constant) => is_public(&constant.vis) && !is_test(&constant.attrs),
                ImplItem::Type(_) => of_trait,
                _ => false,
            });
            for item in &mut one.items {
                match item {
                    ImplItem::Fn(function) => {
                        keep(&mut function.attrs);
                        function.block = block();
                    }
                    ImplItem::Const(constant) => {
                        keep(&mut constant.attrs);
                        constant.expr = syn::parse_quote!(_);
                    }
                    _ => {}
                }
            }
            (of_trait || !one.items.is_empty()).then_some(Item::Impl(one))
        }
        // What macros make is public by what they are given.
        Item::Macro(one) if one.ident.is_none() && !is_test(&one.attrs) => Some(Item::Macro(one)),
        _ => None,
    }
}

#[test]
fn every_public_item_stands_in_the_listing() {
    for package in ["supervisor-core", "supervisor-rpc", "supervisor-bin"] {
        agree(&format!("api/{package}.txt"), &listing(package));
    }
}
