//! Finds the namespace and method of a call in a closed table; nothing outside the tables can be reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answer, Caller, Fault, Method, Params, RpcInterface};

/// Namespaces by name.
#[derive(Clone, Default)]
pub struct Registry {
    namespaces: BTreeMap<String, Arc<dyn RpcInterface>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.namespaces.keys()).finish()
    }
}

impl Registry {
    /// A registry without namespaces.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a namespace, or replaces the one of this name.
    pub fn add(&mut self, namespace: impl Into<String>, interface: Arc<dyn RpcInterface>) {
        self.namespaces.insert(namespace.into(), interface);
    }

    /// True if there is such a namespace.
    pub fn contains(&self, namespace: &str) -> bool {
        self.namespaces.contains_key(namespace)
    }

    /// Every method with its full name, sorted.
    pub fn methods(&self) -> Vec<(String, Method)> {
        let mut all: Vec<_> = self
            .namespaces
            .iter()
            .flat_map(|(namespace, interface)| {
                interface.methods().iter().map(move |method| (format!("{namespace}.{}", method.name), method.clone()))
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// The interface and the method with this full name: exactly one dot, both halves in the tables.
    pub fn find(&self, full_name: &str) -> Option<(&Arc<dyn RpcInterface>, &Method)> {
        let (namespace, name) = full_name.split_once('.')?;
        let interface = self.namespaces.get(namespace)?;
        interface.methods().iter().find(|method| method.name == name).map(|method| (interface, method))
    }

    /// Answers a call by its full name.
    ///
    /// # Errors
    /// UNKNOWN_METHOD, INCORRECT_PARAMETERS for a wrong number of parameters, or what the method says.
    pub async fn call(&self, full_name: &str, params: Params, caller: &Caller) -> Result<Box<dyn Answer>, Fault> {
        let Some((interface, method)) = self.find(full_name) else {
            let (namespace, name) = full_name.split_once('.').ok_or_else(Fault::unknown_method)?;
            let namespace = self.namespaces.get(namespace);
            return Err(namespace.map_or_else(Fault::unknown_method, |interface| interface.missing(name)));
        };
        if !method.accepts(params.len()) {
            return Err(Fault::incorrect_parameters());
        }
        let name = method.name.clone();
        interface.call(&name, params, caller).await
    }
}
