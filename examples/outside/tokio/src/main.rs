//! A supervisor in a program of tokio. Tasks run on tokio's threads and may use all of tokio.
use std::time::Duration;

use supervisor_core::domain::name::ProcessName;
use supervisor_core::domain::state::ProcessState;
use supervisor_core::{Program, Supervisor, Task};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counter = Task::new("counter", |context| async move {
        let stopped = context.stopped();
        tokio::select! {
            () = stopped => println!("counter has tidied up"),
            () = async { loop { tokio::time::sleep(Duration::from_millis(10)).await } } => {}
        }
    });
    let runtime = tokio::runtime::Handle::current();
    let supervisor = Supervisor::builder()
        .program(Program::new("sleeper", "sleep 1000").startsecs(0))
        .task(counter.startsecs(0))
        .spawn_tasks_with(move |task| drop(runtime.spawn(task)))
        .build()?;
    let handle = supervisor.handle();
    let running = tokio::spawn(supervisor.run());
    for name in ["sleeper", "counter"] {
        let name = ProcessName::new(name, name);
        tokio::time::timeout(Duration::from_secs(60), handle.wait_for(&name, &[ProcessState::Running])).await??;
        let info = handle.process(&name).await?;
        println!("{name} is {} ({:?}, pid {:?})", info.state, info.kind, info.pid);
    }
    handle.shutdown().await?;
    println!("{:?}", running.await??);
    Ok(())
}
