//! From `[rpcinterface:x]` sections to a registry: factories by name.
//!
//! Rust cannot import a dotted path, so `supervisor.rpcinterface_factory` names a factory that was registered with the
//! daemon. A daemon of one's own registers more of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use supervisor_core::Handle;
use supervisor_core::config::PluginSection;
use supervisor_core::rpc::{Registry, RpcInterface};

use super::{SupervisorNamespace, SystemNamespace};
use crate::plugin::{EXECUTABLE, ExecutablePlugin};

/// The name of the factory of the `supervisor` namespace, in the original's own spelling.
pub const STANDARD_FACTORY: &str = "supervisor.rpcinterface:make_main_rpcinterface";

/// Makes a namespace for a supervisor from the further keys of its section.
pub type Factory =
    Arc<dyn Fn(&Handle, &BTreeMap<String, String>) -> Result<Arc<dyn RpcInterface>, FactoryError> + Send + Sync>;

/// One `[rpcinterface:x]` section. `Debug` hides the settings: there may be passwords among them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// The name behind the colon: that of the namespace.
    pub name: String,
    /// `supervisor.rpcinterface_factory`.
    pub factory: String,
    /// The section's other keys.
    pub settings: BTreeMap<String, String>,
}

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Section")
            .field("name", &self.name)
            .field("factory", &self.factory)
            .field("keys", &self.settings.keys())
            .finish_non_exhaustive()
    }
}

impl From<&PluginSection> for Section {
    fn from(section: &PluginSection) -> Self {
        Self { name: section.name.clone(), factory: section.factory.clone(), settings: section.options.clone() }
    }
}

impl Section {
    /// True of `[rpcinterface:system]`: that namespace is always there and always the same. Supervisor 4.3 takes the section
    /// and passes over it.
    pub fn is_built_in(&self) -> bool {
        self.name == "system"
    }

    /// The name of the group that its program runs in, if the namespace is one (`exec:COMMAND`).
    pub fn group(&self) -> Option<String> {
        self.factory.starts_with(EXECUTABLE).then(|| format!("rpcinterface-{}", self.name))
    }
}

/// Why a namespace could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FactoryError {
    /// No factory of this name is registered.
    #[error("{factory} cannot be resolved within [rpcinterface:{section}]")]
    Unknown {
        /// The name of the factory.
        factory: String,
        /// The name of the section.
        section: String,
    },
    /// `system` is always there and always the same. Only 4.3's own factory, which loads there, is passed over.
    #[error("[rpcinterface:system] is not allowed: the namespace 'system' is built in")]
    Reserved,
    /// The factory refuses the settings; the text says why.
    #[error("{0}")]
    Refused(String),
}

/// Factories by name. Beside those that are registered there is `exec:COMMAND`: the namespace is a program
/// ([`plugin`](crate::plugin)).
#[derive(Clone)]
pub struct Factories {
    known: BTreeMap<String, Factory>,
}

impl std::fmt::Debug for Factories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

impl Default for Factories {
    /// The factory of the `supervisor` namespace.
    fn default() -> Self {
        let mut factories = Self { known: BTreeMap::new() };
        factories.register(STANDARD_FACTORY, |handle, _| Ok(Arc::new(SupervisorNamespace::new(handle.clone()))));
        factories
    }
}

impl Factories {
    /// Adds a factory, or replaces the one of this name.
    pub fn register<F>(&mut self, name: impl Into<String>, factory: F)
    where
        F: Fn(&Handle, &BTreeMap<String, String>) -> Result<Arc<dyn RpcInterface>, FactoryError>
            + Send
            + Sync
            + 'static,
    {
        self.known.insert(name.into(), Arc::new(factory));
    }

    /// The names of all factories, sorted; `exec:*` at the end stands for every name that begins so.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str).chain(["exec:*"])
    }

    /// Says whether the sections name known factories, and programs with settings that can work, before there is a
    /// supervisor to make anything for. What a registered factory thinks of its settings is not known before it is asked.
    ///
    /// # Errors
    /// [`FactoryError`] for the first section that does not.
    pub fn check(&self, sections: &[Section]) -> Result<(), FactoryError> {
        sections.iter().try_for_each(|section| match self.find(section)? {
            None if !section.is_built_in() => ExecutablePlugin::check(section),
            _ => Ok(()),
        })
    }

    /// Makes the namespaces of these sections, and `system` about them all.
    ///
    /// # Errors
    /// [`FactoryError`] for the first section that cannot be made.
    pub fn registry(&self, handle: &Handle, sections: &[Section]) -> Result<Registry, FactoryError> {
        let mut registry = Registry::new();
        for section in sections {
            let factory = self.find(section)?;
            if section.is_built_in() {
                continue;
            }
            let interface = match factory {
                Some(factory) => factory(handle, &section.settings)?,
                None => Arc::new(ExecutablePlugin::new(handle, section)?),
            };
            registry.add(&section.name, interface);
        }
        Ok(with_system(registry, handle))
    }

    /// The factory of a section; `None` if it is a program.
    fn find(&self, section: &Section) -> Result<Option<&Factory>, FactoryError> {
        if section.is_built_in() && section.factory != STANDARD_FACTORY {
            return Err(FactoryError::Reserved);
        }
        if section.group().is_some() {
            return Ok(None);
        }
        self.known
            .get(&section.factory)
            .map(Some)
            .ok_or_else(|| FactoryError::Unknown { factory: section.factory.clone(), section: section.name.clone() })
    }
}

/// The standard registry: `supervisor` and `system`.
pub fn registry(handle: &Handle) -> Registry {
    let standard: Arc<dyn RpcInterface> = Arc::new(SupervisorNamespace::new(handle.clone()));
    registry_of(handle, [("supervisor".to_owned(), standard)])
}

/// A registry of these namespaces, and `system` about them all.
pub fn registry_of(handle: &Handle, namespaces: impl IntoIterator<Item = (String, Arc<dyn RpcInterface>)>) -> Registry {
    let mut registry = Registry::new();
    for (name, interface) in namespaces {
        registry.add(name, interface);
    }
    with_system(registry, handle)
}

fn with_system(mut registry: Registry, handle: &Handle) -> Registry {
    let system = SystemNamespace::new(registry.clone(), Arc::clone(handle.activity_log()));
    registry.add("system", Arc::new(system));
    registry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_name_factories() {
        let factories = Factories::default();
        let section = |name: &str, factory: &str| Section {
            name: name.to_owned(),
            factory: factory.to_owned(),
            settings: BTreeMap::new(),
        };
        assert_eq!(factories.check(&[section("supervisor", STANDARD_FACTORY)]), Ok(()));
        let unknown = factories.check(&[section("x", "foo:bar")]).map_err(|error| error.to_string());
        assert_eq!(unknown, Err("foo:bar cannot be resolved within [rpcinterface:x]".to_owned()));
        assert_eq!(factories.check(&[section("x", "exec:/bin/x")]), Ok(()));
        let refused = |mut section: Section, timeout: &str| {
            section.settings.insert("supervisor.call_timeout".to_owned(), timeout.to_owned());
            factories.check(&[section]).map_err(|error| error.to_string())
        };
        assert_eq!(refused(section("x", "exec:/bin/x"), "10"), Ok(()));
        let soon = "supervisor.call_timeout is no number of seconds within [rpcinterface:x]";
        assert_eq!(refused(section("x", "exec:/bin/x"), "soon"), Err(soon.to_owned()));
        let nothing = "exec: names no program within [rpcinterface:x]";
        assert_eq!(refused(section("x", "exec: "), "10"), Err(nothing.to_owned()));
        assert_eq!(factories.check(&[section("system", "exec:/bin/x")]), Err(FactoryError::Reserved));
        assert_eq!(factories.check(&[section("system", STANDARD_FACTORY)]), Ok(()), "it loads in 4.3");
    }

    #[test]
    fn a_daemon_registers_more() {
        let mut factories = Factories::default();
        factories.register("janitor", |_, _| Err(FactoryError::Refused("too clean".to_owned())));
        assert_eq!(factories.names().collect::<Vec<_>>(), ["janitor", STANDARD_FACTORY, "exec:*"]);
    }
}
