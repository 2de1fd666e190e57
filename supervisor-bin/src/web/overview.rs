//! The page at `/`: every process with its state and actions, and where actions are posted to.

use askama::Template;
use serde::Serialize;
use supervisor_core::domain::state::ProcessState;
use tide::StatusCode;

use super::action::Action;
use super::answer::{json, page, see};
use super::assets;
use super::moment;
use super::parameters::encoded;
use super::row::{Group, counts, groups};
use super::site::{Frame, Visit};

/// Said when a form came without our token.
const STALE: &str = "ERROR: this page was out of date, so nothing was done. Please try again.";

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    groups: Vec<Group>,
    counts: Vec<(ProcessState, usize)>,
    total: usize,
    states: [ProcessState; 8],
    blank: Group,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    frame: Frame,
    words: String,
    query: String,
}

/// What the script is told of an action.
#[derive(Serialize)]
struct Told<'a> {
    message: &'a str,
    token: Option<String>,
}

/// GET shows, POST acts; a GET that names an action is asked for a POST.
pub(super) async fn answer(visit: Visit) -> tide::Result {
    let Some(name) = visit.parameters.get("action") else {
        return overview(&visit, StatusCode::Ok, None).await;
    };
    if name == "refresh" {
        let message = format!("Page refreshed at {}", moment::long(moment::now()));
        return Ok(see("./", &message));
    }
    let action = match Action::read(name, &visit.parameters) {
        Ok(action) => action,
        Err(why) => return refuse(&visit, StatusCode::BadRequest, &why).await,
    };
    if let Some(ending) = visit.frame().ending {
        return refuse(&visit, StatusCode::Conflict, &format!("ERROR: {ending}, so nothing was done.")).await;
    }
    if !visit.posted {
        let words = action.words();
        return page(StatusCode::Ok, &Confirm { frame: visit.frame(), words, query: action.query() });
    }
    if !visit.has_token() {
        return refuse(&visit, StatusCode::Forbidden, STALE).await;
    }
    let message = action.perform(&visit.site.handle).await;
    if visit.by_script {
        return json(StatusCode::Ok, &Told { message: &message, token: None });
    }
    Ok(see(&back(&visit), &message))
}

/// The page that the action came from.
fn back(visit: &Visit) -> String {
    match (visit.parameters.get("back"), visit.parameters.get("processname")) {
        (Some("tail"), Some(name)) => format!("tail.html?processname={}", encoded(name)),
        _ => "./".to_owned(),
    }
}

/// The page, or data, that says why nothing was done.
async fn refuse(visit: &Visit, status: StatusCode, why: &str) -> tide::Result {
    if visit.by_script {
        return json(status, &Told { message: why, token: Some(visit.token()) });
    }
    overview(visit, status, Some(why)).await
}

async fn overview(visit: &Visit, status: StatusCode, message: Option<&str>) -> tide::Result {
    let mut frame = visit.frame();
    let infos = match visit.site.handle.processes().await {
        Ok(infos) => infos,
        Err(_) => {
            frame.ending = frame.ending.or(Some("supervisord has ended its work"));
            Vec::new()
        }
    };
    if let Some(message) = message {
        frame = frame.saying(message);
    }
    let counts = counts(&infos);
    let (groups, total) = (groups(&infos), infos.len());
    page(status, &Overview { frame, groups, counts, total, states: ProcessState::ALL, blank: Group::blank() })
}
