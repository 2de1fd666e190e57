//! A supervisor in a program of smol: a real process and a task of this program, side by side.
//!
//! `cargo run -p supervisor-examples --example smol`

use std::time::Duration;

use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::{Program, Supervisor, Task};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    smol::block_on(async {
        let sleeper = Program::new("sleeper", "sleep 1000").startsecs(0);
        let counter = Task::new("counter", |context| async move {
            let stopped = context.stopped(); // from here on it is told to stop instead of being dropped
            let counting = async {
                for number in 1.. {
                    println!("{number}");
                    smol::Timer::after(Duration::from_millis(10)).await;
                }
            };
            smol::future::or(stopped, counting).await;
            println!("counter has tidied up");
        });
        let supervisor = Supervisor::builder().program(sleeper).task(counter.startsecs(0)).build()?;
        let handle = supervisor.handle();
        let running = smol::spawn(supervisor.run());
        for name in ["sleeper", "counter"] {
            let name = ProcessName::new(name, name);
            handle.wait_for(&name, &[ProcessState::Running]).await?;
            let info = handle.process(&name).await?;
            println!("{name} is {} ({:?}, pid {:?})", info.state, info.kind, info.pid);
        }
        handle.shutdown().await?;
        running.await?;
        Ok(())
    })
}
