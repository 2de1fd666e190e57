//! Three programs and a task, their events, an RPC method of our own; `supervisorctl -s unix:///SOCKET` controls it all.
use std::time::Duration;

use async_trait::async_trait;
use supervisor_core::domain::event_type::EventType;
use supervisor_core::listener::{Event, EventListener, Verdict};
use supervisor_core::rpc::{Answer, Caller, Fault, Kind, Method, Params, RpcInterface, Value};
use supervisor_core::{Program, Supervisor, Task, TaskContext};
use supervisor_rpc::Rpc;

struct Diary;

#[async_trait]
impl EventListener for Diary {
    fn events(&self) -> &[EventType] {
        &[EventType::ProcessState]
    }
    async fn notify(&self, event: &Event) -> Verdict {
        println!("{} {}", event.event_type, event.payload);
        Verdict::Processed
    }
}

struct Hello;
static METHODS: [Method; 1] = [Method::new("hello", &[], Kind::String, "text  a greeting", "Greet.")];

#[async_trait]
impl RpcInterface for Hello {
    fn methods(&self) -> &[Method] {
        &METHODS
    }
    async fn call(&self, _: &str, _: Params, _: &Caller) -> Result<Box<dyn Answer>, Fault> {
        Ok(Value::from("hello from inside").into())
    }
}

async fn heartbeat(context: TaskContext) -> std::io::Result<()> {
    loop {
        context.write_stdout("still here\n").await?;
        async_std::task::sleep(Duration::from_secs(1)).await;
    }
}

#[async_std::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::env::args().nth(1).ok_or("usage: sixty SOCKET")?;
    let supervisor = Supervisor::builder()
        .program(Program::new("web", "sleep 1000"))
        .program(Program::new("worker", "sleep 1000").numprocs(2).process_name("worker_%(process_num)d"))
        .program(Program::new("database", "sleep 1000").priority(1))
        .task(Task::new("heartbeat", heartbeat).stdout_logfile(format!("{socket}.heartbeat")))
        .listener(Diary)
        .build()?;
    let serving = Rpc::new(&supervisor.handle()).namespace("my", Hello).unix_socket(&socket).serve()?;
    supervisor.run().await?; // until `supervisorctl shutdown`
    serving.close(Duration::from_secs(1)).await;
    Ok(())
}
