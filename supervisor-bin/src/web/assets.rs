//! The style sheet, the script and the picture, embedded in the program.
//!
//! Their addresses carry a sum of their contents, so that browsers may keep them for good and still see a new version.

use std::sync::LazyLock;

use sha1::{Digest as _, Sha1};
use supervisor_rpc::server::State;
use tide::{Request, Response, Server, StatusCode};

#[derive(Clone, Copy)]
struct Asset {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const STYLE: Asset = Asset {
    path: "/stylesheets/supervisor.css",
    content_type: "text/css;charset=utf-8",
    text: include_str!("assets/supervisor.css"),
};

const SCRIPT: Asset = Asset {
    path: "/scripts/supervisor.js",
    content_type: "text/javascript;charset=utf-8",
    // One script for the page and its worker, in parts that each have one reason to change.
    text: concat!(
        include_str!("assets/script/connection.js"),
        include_str!("assets/script/usage.js"),
        include_str!("assets/script/page.js"),
        include_str!("assets/script/table.js"),
        include_str!("assets/script/filter.js"),
        include_str!("assets/script/process.js"),
        include_str!("assets/script/log.js"),
        include_str!("assets/script/keys.js"),
        include_str!("assets/script/start.js"),
    ),
};

const ICON: Asset =
    Asset { path: "/images/icon.svg", content_type: "image/svg+xml", text: include_str!("assets/icon.svg") };

/// The first bytes of the sum of everything that is embedded.
static SUM: LazyLock<String> = LazyLock::new(|| {
    let mut sum = Sha1::new();
    for asset in [STYLE, SCRIPT, ICON] {
        sum.update(asset.text);
    }
    sum.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
});

/// What stands behind `?v=` in the addresses.
pub(super) fn version() -> &'static str {
    &SUM
}

/// Adds the routes. `/favicon.ico` is asked for by browsers whatever a page says.
pub(super) fn add(server: &mut Server<State>) {
    for asset in [STYLE, SCRIPT, ICON] {
        server.at(asset.path).get(move |request: Request<State>| {
            let known = request.header("if-none-match").is_some_and(|tags| tags.as_str().contains(version()));
            async move { Ok(answer(&asset, known)) }
        });
    }
    server.at("/favicon.ico").get(|_| async { Ok(answer(&ICON, false)) });
}

fn answer(asset: &Asset, known: bool) -> Response {
    let builder = if known {
        Response::builder(StatusCode::NotModified)
    } else {
        Response::builder(StatusCode::Ok).body(asset.text).header("content-type", asset.content_type)
    };
    builder
        .header("etag", format!("\"{}\"", version()))
        .header("cache-control", "private, max-age=31536000, immutable")
        .header("content-security-policy", "default-src 'none'; connect-src 'self'; script-src 'self'")
        .header("x-frame-options", "DENY")
        .header("cross-origin-resource-policy", "same-origin")
        .build()
}
