//! The page at `/update.html`: reads the configuration again, shows the differences, and applies those that are chosen.
//!
//! Reading changes nothing that runs. What is applied is what was shown and chosen, in the order of `supervisorctl
//! update`: what is gone is stopped and removed, what has changed is stopped and replaced, what is new is added.

use askama::Template;
use supervisor_core::{Handle, RequestError};
use supervisor_rpc::namespace::fault;
use tide::StatusCode;

use super::action::few;
use super::answer::{page, see};
use super::assets;
use super::difference::{Part, parts};
use super::site::{Frame, Visit};

/// One group that differs.
struct Difference {
    /// `added`, `changed` or `removed`.
    kind: &'static str,
    name: String,
    /// What differs within.
    parts: Vec<Part>,
}

#[derive(Template)]
#[template(path = "update.html")]
struct Update {
    frame: Frame,
    /// `None` before the configuration was read.
    differences: Option<Vec<Difference>>,
}

/// GET asks, POST reads or applies.
pub(super) async fn answer(visit: Visit) -> tide::Result {
    let frame = visit.frame();
    let action = visit.parameters.get("action");
    if !visit.posted || action.is_none() || frame.ending.is_some() {
        return page(StatusCode::Ok, &Update { frame, differences: None });
    }
    if !visit.has_token() {
        let frame = frame.saying("ERROR: this page was out of date, so nothing was done. Please try again.");
        return page(StatusCode::Forbidden, &Update { frame, differences: None });
    }
    let handle = &visit.site.handle;
    match action {
        Some("update") => Ok(see("./", &apply(&visit).await)),
        Some("reread") => match differences(handle).await {
            Ok(differences) => page(StatusCode::Ok, &Update { frame, differences: Some(differences) }),
            Err(error) => {
                let frame = frame.saying(&format!("ERROR: {error}"));
                page(StatusCode::Ok, &Update { frame, differences: None })
            }
        },
        other => {
            let frame = frame.saying(&format!("ERROR: there is no action named {}", other.unwrap_or_default()));
            page(StatusCode::BadRequest, &Update { frame, differences: None })
        }
    }
}

async fn differences(handle: &Handle) -> Result<Vec<Difference>, RequestError> {
    let diff = handle.reload_config().await?;
    let mut differences = Vec::new();
    for (kind, names) in [("added", diff.added), ("changed", diff.changed), ("removed", diff.removed)] {
        for name in names {
            let parts = parts(&handle.group_settings(&name).await?);
            differences.push(Difference { kind, name, parts });
        }
    }
    Ok(differences)
}

async fn apply(visit: &Visit) -> String {
    let handle = &visit.site.handle;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for kind in ["removed", "changed", "added"] {
        for group in visit.parameters.all_posted(kind) {
            match replace(handle, kind, group).await {
                Ok(()) => done.push(format!("{group} {kind}")),
                Err(error) => failed.push(format!("{group}: {}", fault(&error, Some(group)))),
            }
        }
    }
    match (done.is_empty(), failed.is_empty()) {
        (true, true) => "Nothing was chosen, so nothing was changed".to_owned(),
        (_, true) => format!("Updated: {}", few(&done, ", ")),
        (true, false) => format!("ERROR: {}", few(&failed, "; ")),
        (false, false) => format!("ERROR: {}; done: {}", few(&failed, "; "), few(&done, ", ")),
    }
}

async fn replace(handle: &Handle, kind: &str, group: &str) -> Result<(), RequestError> {
    if kind != "added" {
        handle.stop_group(group, true).await?;
        handle.remove_group(group).await?;
    }
    if kind != "removed" { handle.add_group(group).await } else { Ok(()) }
}
