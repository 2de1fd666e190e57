//! Commands that are compiled in beside the built-in ones.
//!
//! A fork of `bin/supervisorctl.rs` registers factories by name, and `[ctlplugin:x]` names one of them in
//! `supervisor.ctl_factory`. Supervisor 4.3 loads Python code there; we cannot. A factory that nobody registered is a
//! usage error in 4.3 (`SPEC cannot be resolved within [ctlplugin:x]`); here the same sentence is a warning on standard
//! error, since the built-in commands work without it. A section without a factory stays a usage error.

use std::collections::BTreeMap;

use super::command::{Command, Table};
use super::settings::PluginSection;

/// Makes the commands of a plugin from the section that names it.
pub type Factory = fn(&PluginSection) -> Result<Vec<Box<dyn Command>>, String>;

/// The factories by the names that configuration files use.
#[derive(Debug, Clone, Default)]
pub struct Plugins {
    factories: BTreeMap<String, Factory>,
}

impl Plugins {
    /// Adds a factory, or replaces the one of this name.
    pub fn register(&mut self, name: impl Into<String>, factory: Factory) {
        self.factories.insert(name.into(), factory);
    }

    /// Adds the commands of all sections to `table`; returns a warning for each section that gave none.
    pub(super) fn load(&self, sections: &[PluginSection], table: &mut Table) -> Vec<String> {
        let mut warnings = Vec::new();
        for section in sections {
            let PluginSection { name, factory, .. } = section;
            let loaded = match self.factories.get(factory) {
                Some(make) => make(section).map_err(|why| format!("[ctlplugin:{name}]: {why}")),
                None => Err(format!(
                    "{factory} cannot be resolved within [ctlplugin:{name}]: this supervisorctl cannot load Python code"
                )),
            };
            match loaded {
                Ok(commands) => table.add_plugin(name, commands),
                Err(why) => warnings.push(format!("Warning: {why}; its commands are not available.")),
            }
        }
        warnings
    }
}
