//! `[rpcinterface:x]` and `[ctlplugin:x]`: a factory by name, and options for it.
//!
//! The factory gets the section's own keys only: those of `[DEFAULT]` are meant for sections that know them.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::host::Host;

use super::error::{ConfigError, ErrorKind};
use super::expand::Names;
use super::ini::Document;
use super::options::Scope;
use super::section::Reader;

/// A section that names a factory (Supervisor 4.3: `[rpcinterface:x]`, `[ctlplugin:x]`). `Debug` hides the options: there may
/// be passwords among them.
#[derive(Clone, PartialEq, Eq)]
pub struct PluginSection {
    /// The name behind the colon.
    pub name: String,
    /// The factory's name, expanded.
    pub factory: String,
    /// The other keys of the section with their values, expanded.
    pub options: BTreeMap<String, String>,
}

impl fmt::Debug for PluginSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&String> = self.options.keys().collect();
        f.debug_struct("PluginSection")
            .field("name", &self.name)
            .field("factory", &self.factory)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

/// A section `[rpcinterface:x]`.
pub type RpcInterfaceSection = PluginSection;

/// The sections `[kind:…]`. `known` are the factories that exist; `None` takes any.
pub(crate) fn plugins(
    document: &Document,
    names: Names<'_>,
    host: &dyn Host,
    kind: (&'static str, &'static str),
    known: Option<&[&str]>,
) -> Result<Vec<PluginSection>, ConfigError> {
    let (kind, factory_key) = kind;
    let mut plugins = Vec::new();
    for section in document.sections() {
        let Some(name) = section.name.strip_prefix(kind).and_then(|rest| rest.strip_prefix(':')) else { continue };
        let reader = Reader::new(document, section, names, host);
        let missing = || ErrorKind::NoFactory { section: section.name.clone(), key: factory_key };
        section.get(factory_key).ok_or_else(|| reader.end(missing()))?;
        let mut options = BTreeMap::new();
        for entry in section.entries() {
            let label = || format!("{}.{}", section.name, entry.key);
            let names = Names { here: &entry.place.source.here, ..names };
            let value = names.expand(&entry.value, label, Scope::Section);
            options.insert(entry.key.clone(), value.map_err(|kind| reader.unexpanded(&entry.key, kind))?.into_owned());
        }
        let factory = options.remove(factory_key).unwrap_or_default();
        let stands_for = |name: &&str| match name.strip_suffix('*') {
            Some(beginning) => factory.starts_with(beginning),
            None => **name == factory,
        };
        if known.is_some_and(|known| !known.iter().any(stands_for)) {
            let kind = ErrorKind::Unresolved { value: factory, section: section.name.clone() };
            return Err(reader.error(factory_key, kind));
        }
        plugins.push(PluginSection { name: name.to_owned(), factory, options });
    }
    Ok(plugins)
}
