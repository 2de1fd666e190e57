//! Floor 4: the loop, the children, the bus: the only code that owns state and does things.
//!
//! `supervisor.rs` is the front door, `main_loop.rs` the one receive point, `engine.rs` the state. A start goes
//! `control.rs` → machine → `apply.rs` → `door.rs` → `start_lane.rs` → `launch.rs` → `spawner.rs` and comes back as a
//! notice; output goes `output.rs` → `sink.rs` on a `lane.rs` and never through the loop.

mod apply;
mod builder;
mod clock;
mod command;
mod control;
mod deadlines;
mod define;
mod door;
mod ending;
mod engine;
mod environment;
mod fastcgi;
mod groups;
mod history;
mod inquiries;
mod lane;
mod latch;
mod launch;
mod leftovers;
mod main_loop;
mod message;
mod narrate;
mod notices;
mod orphans;
#[cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "paces attempts at a pipe that is full, decides nothing about processes"
    )
)]
mod output;
mod prepare;
mod pressure;
mod requests;
mod signaller;
#[cfg(test)]
mod simulation;
#[cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "paces attempts at a pipe that is full, decides nothing about processes"
    )
)]
mod sink;
mod spawn;
mod spawner;
mod start_lane;
mod state_file;
mod stdin;
mod subscribers;
mod supervisor;
mod tasks;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod vforked;
mod waiters;
mod weak_executor;

pub use builder::Builder;
pub use supervisor::{Handover, RunOutcome, Supervisor};
