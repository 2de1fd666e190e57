//! What the pages share, and the way of a request to one of them.

use std::future::Future;
use std::io;
use std::sync::Arc;

use supervisor_core::Handle;
use supervisor_core::rpc::Caller;
use supervisor_rpc::server::{State, caller};
use tide::http::Method;
use tide::{Request, Server};

use super::live::{Hub, ending};
use super::parameters::Parameters;
use super::token::Tokens;
use crate::daemon::{OWN_VERSION, VERSION};

/// Everything that pages need.
pub(super) struct Site {
    pub(super) handle: Handle,
    pub(super) hub: Arc<Hub>,
    tokens: Tokens,
}

impl Site {
    pub(super) fn new(handle: Handle) -> io::Result<Self> {
        Ok(Self { hub: Arc::new(Hub::new(handle.clone())), handle, tokens: Tokens::new()? })
    }
}

/// One request for a page.
pub(super) struct Visit {
    pub(super) site: Arc<Site>,
    pub(super) parameters: Parameters,
    pub(super) posted: bool,
    /// The script asks: it wants JSON, not pages.
    pub(super) by_script: bool,
    page: &'static str,
    caller: Caller,
}

impl Visit {
    async fn read(site: Arc<Site>, mut request: Request<State>) -> tide::Result<Self> {
        let caller = caller(&request);
        let posted = request.method() == Method::Post;
        let body = if posted { request.body_bytes().await? } else { Vec::new() };
        let parameters = Parameters::read(request.url().query(), &body);
        let by_script = request.header("accept").is_some_and(|accept| accept.as_str() == "application/json");
        let page = match request.url().path().trim_start_matches('/') {
            "tail.html" => "tail",
            "mainlog.html" => "mainlog",
            "update.html" => "update",
            _ => "overview",
        };
        Ok(Self { site, parameters, posted, by_script, page, caller })
    }

    /// The token for the forms of the answer.
    pub(super) fn token(&self) -> String {
        self.site.tokens.of(&self.caller)
    }

    /// The form came from a page that this life of the daemon gave to this user.
    pub(super) fn has_token(&self) -> bool {
        self.parameters.posted("token").is_some_and(|token| self.site.tokens.is_of(&self.caller, token))
    }

    /// What every page shows.
    pub(super) fn frame(&self) -> Frame {
        Frame {
            page: self.page,
            identifier: self.site.handle.identifier().to_owned(),
            message: self.parameters.get("message").map(Message::new),
            token: self.token(),
            ending: ending(self.site.handle.state()),
        }
    }
}

/// What became of an action.
pub(super) struct Message {
    pub(super) text: String,
}

impl Message {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// It tells of a failure.
    pub(super) fn is_failure(&self) -> bool {
        ["ERROR", "No such", "unexpected"].iter().any(|word| self.text.starts_with(word))
            || self.text.contains(", but not all")
    }
}

/// The frame around every page.
pub(super) struct Frame {
    /// Which page it is.
    pub(super) page: &'static str,
    pub(super) identifier: String,
    pub(super) message: Option<Message>,
    pub(super) token: String,
    /// Said while the daemon ends; there are no actions then.
    pub(super) ending: Option<&'static str>,
}

impl Frame {
    /// The same with this message.
    pub(super) fn saying(mut self, text: &str) -> Self {
        self.message = Some(Message::new(text));
        self
    }

    /// The release of Supervisor that we stand in for.
    pub(super) fn version(&self) -> &'static str {
        VERSION
    }

    /// Our own release.
    pub(super) fn own_version(&self) -> &'static str {
        OWN_VERSION
    }
}

/// Answers GET and POST at a path.
pub(super) fn route<F>(server: &mut Server<State>, path: &str, site: &Arc<Site>, answer: fn(Visit) -> F)
where
    F: Future<Output = tide::Result> + Send + 'static,
{
    get(server, path, site, answer);
    let site = Arc::clone(site);
    server.at(path).post(move |request| {
        let site = Arc::clone(&site);
        async move { answer(Visit::read(site, request).await?).await }
    });
}

/// Answers GET at a path.
pub(super) fn get<F>(server: &mut Server<State>, path: &str, site: &Arc<Site>, answer: fn(Visit) -> F)
where
    F: Future<Output = tide::Result> + Send + 'static,
{
    let site = Arc::clone(site);
    server.at(path).get(move |request| {
        let site = Arc::clone(&site);
        async move { answer(Visit::read(site, request).await?).await }
    });
}
