//! The web page of the daemon (Supervisor 4.3: web interface), mounted onto the application of `supervisor-rpc`.
//!
//! A consumer of the public [`Handle`] like any other. Works without scripts; the one script makes it live. Nothing is
//! done by GET: forms are posted with a token, and the application has refused requests of other sites before they come
//! here. Templates escape by default, answers forbid framing, foreign content and caching.

mod action;
mod answer;
mod assets;
mod difference;
mod live;
mod logs;
mod moment;
mod overview;
mod parameters;
mod row;
mod site;
mod sse;
mod tail;
mod token;
mod update;
mod usage;

use std::io;
use std::sync::Arc;

use supervisor_core::Handle;
use supervisor_rpc::server::Application;

use site::Site;

/// Adds the pages. They say no more to anybody than the API of the same listener does.
///
/// # Errors
/// The system has no random bytes for the key of the tokens.
pub(crate) fn mount(application: &mut Application, handle: &Handle) -> io::Result<()> {
    let site = Arc::new(Site::new(handle.clone())?);
    application.mount(|server| {
        for path in ["/", "/index.html"] {
            site::route(server, path, &site, overview::answer);
        }
        site::route(server, "/tail.html", &site, tail::process);
        site::route(server, "/mainlog.html", &site, tail::activity);
        site::route(server, "/update.html", &site, update::answer);
        site::get(server, "/live", &site, live::answer);
        site::get(server, "/live/logs", &site, logs::answer);
        assets::add(server);
    });
    Ok(())
}
