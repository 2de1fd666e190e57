//! The trait that a namespace implements, and the data that describes its methods.

use std::borrow::Cow;
use std::net::SocketAddr;

use async_trait::async_trait;

use super::{Answer, Fault, Params};

/// The type of a parameter or result, as `methodSignature` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the wire's name for it")]
pub enum Kind {
    Int,
    Boolean,
    String,
    Array,
    Struct,
    Double,
}

impl Kind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Array => "array",
            Self::Struct => "struct",
            Self::Double => "double",
        }
    }
}

/// One parameter of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, for people.
    pub name: Cow<'static, str>,
    /// Its type.
    pub kind: Kind,
    /// False if it may be left out.
    pub required: bool,
    /// What it means, in a few words.
    pub help: Cow<'static, str>,
}

/// One method, as data: all lists, signatures and help texts come from this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its name behind the dot.
    pub name: Cow<'static, str>,
    /// Its parameters in order.
    pub parameters: Cow<'static, [Parameter]>,
    /// The type of its result.
    pub returns: Kind,
    /// What the result is, in a few words; begins with a name for it.
    pub result: Cow<'static, str>,
    /// What it does: one or more lines.
    pub help: Cow<'static, str>,
}

impl Parameter {
    /// A parameter that must be given.
    pub const fn required(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind, required: true, help: Cow::Borrowed(help) }
    }

    /// A parameter that may be left out.
    pub const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind, required: false, help: Cow::Borrowed(help) }
    }
}

impl Method {
    /// A method known at compile time.
    pub const fn new(
        name: &'static str,
        parameters: &'static [Parameter],
        returns: Kind,
        result: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            parameters: Cow::Borrowed(parameters),
            returns,
            result: Cow::Borrowed(result),
            help: Cow::Borrowed(help),
        }
    }

    /// The types of result and parameters (`system.methodSignature`).
    pub fn signature(&self) -> Vec<&'static str> {
        std::iter::once(self.returns.name()).chain(self.parameters.iter().map(|p| p.kind.name())).collect()
    }

    /// The help text (`system.methodHelp`): the description, a line for each parameter, a line for the result.
    pub fn documentation(&self) -> String {
        let mut text = format!("{}\n\n", self.help);
        for parameter in self.parameters.iter() {
            text += &format!("@param {} {}  {}\n", parameter.kind.name(), parameter.name, parameter.help);
        }
        text + &format!("@return {} {}", self.returns.name(), self.result)
    }

    /// True if a call with this many parameters is well-formed.
    pub fn accepts(&self, count: usize) -> bool {
        let required = self.parameters.iter().filter(|p| p.required).count();
        (required..=self.parameters.len()).contains(&count)
    }
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Peer {
    /// The embedding program itself.
    #[default]
    Local,
    /// A UNIX socket, with the credentials that the kernel vouches for, where it does.
    Unix {
        /// Process id.
        pid: Option<u32>,
        /// User id.
        uid: Option<u32>,
    },
    /// A TCP connection.
    Tcp(SocketAddr),
}

/// Who asks: travels with each call to where it is decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// Where the request came from.
    pub peer: Peer,
    /// The authenticated user, if the listener asked for one.
    pub user: Option<String>,
    /// The listener's name, such as `unix_http_server`.
    pub listener: String,
}

/// A namespace of RPC methods (Supervisor 4.3: `[rpcinterface:x]`).
#[async_trait]
pub trait RpcInterface: Send + Sync {
    /// The methods, as data.
    fn methods(&self) -> &[Method];

    /// Why there is no such method. A namespace whose methods come later, or from elsewhere, may know better than the default.
    fn missing(&self, method: &str) -> Fault {
        let _ = method;
        Fault::unknown_method()
    }

    /// Answers one call. `method` is one of [`methods`](Self::methods) and the number of parameters fits it; the
    /// registry has seen to both.
    ///
    /// # Errors
    /// A [`Fault`] for what is refused.
    async fn call(&self, method: &str, params: Params, caller: &Caller) -> Result<Box<dyn Answer>, Fault>;
}
