//! The typed client at both daemons: every type of an answer is read from either of them, and says the same.

use futures_lite::future::block_on;
use supervisor_core::domain::server::Credentials;
use supervisor_core::domain::state::{ProcessState, SupervisorState};
use supervisor_core::process::Stream::{Stderr, Stdout};
use supervisor_core::rpc::Value;
use supervisor_rpc::client::{Client, ClientError, ProcessConfig, ProcessInfo, ServerUrl};

use super::against::{Access, original, our_daemon};
use super::lab::Lab;

/// What a process is, without what differs between any two runs.
fn settled(info: &ProcessInfo) -> (String, ProcessState, bool, i64, bool, bool, bool) {
    let ProcessInfo { name, state, pid, exit_status, started, stdout_log, stderr_log, .. } = info;
    let logs = (stdout_log.is_empty(), stderr_log.is_empty());
    (name.to_string(), *state, pid.is_some(), *exit_status, started.is_some(), logs.0, logs.1)
}

fn without_paths(mut config: ProcessConfig) -> ProcessConfig {
    for channel in [&mut config.stdout, &mut config.stderr] {
        // After a re-read the original has forgotten the paths of AUTO logs.
        channel.logfile = channel.logfile.take().filter(|path| path != "auto" && !path.starts_with('/'));
    }
    config
}

/// Makes calls of every type; what they come to.
async fn tour(client: &Client) -> Result<Vec<String>, ClientError> {
    let supervisor = client.supervisor();
    let mut told = vec![
        supervisor.api_version().await?,
        supervisor.version().await?,
        supervisor.identification().await?,
        format!("{}", supervisor.pid().await? > 0),
        format!("{:?}", supervisor.reload_config().await?),
    ];
    assert_eq!(supervisor.state().await?, SupervisorState::Running);
    told.extend(supervisor.processes().await?.iter().map(|info| format!("{:?}", settled(info))));
    told.extend(supervisor.configurations().await?.into_iter().map(|config| format!("{:?}", without_paths(config))));
    supervisor.start("off", true).await?;
    told.push(format!("{:?}", settled(&supervisor.process("off").await?)));
    supervisor.send_stdin("off", "words\n").await?;
    let log = loop {
        let log = supervisor.read_process_log("off", Stdout, 0, 0).await?;
        if !log.is_empty() {
            break log;
        }
    };
    told.push(log);
    told.push(format!("{:?}", supervisor.tail_process_log("off", Stdout, 0, 4).await?));
    told.push(format!("{:?}", supervisor.tail_process_log("off", Stderr, 0, 4).await?));
    told.push(format!("{:?}", supervisor.signal_group("g", "CONT").await?));
    told.push(format!("{:?}", supervisor.stop_group("g", true).await?));
    told.push(format!("{:?}", supervisor.start("zz", true).await.map_err(|error| error.to_string())));
    let system = client.system();
    told.push(format!("{:?}", system.method_signature("supervisor.startProcess").await?));
    let calls = vec![("supervisor.getAPIVersion", vec![]), ("supervisor.stopProcess", vec![Value::from("zz")])];
    told.push(format!("{:?}", system.multicall(calls).await?));
    supervisor.clear_process_logs("off").await?;
    supervisor.stop("off", true).await?;
    Ok(told)
}

#[test]
fn both_daemons_tell_the_typed_client_the_same() {
    let Some(original) = original() else { return };
    let programs = "[program:off]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n\
        [group:g]\nprograms=a\n[program:a]\ncommand=/bin/cat\nstartsecs=0\nstderr_logfile=NONE\nexitcodes=0,2\nuser=root\n";
    let [theirs, ours] = [original.join("supervisord"), our_daemon()].map(|program| {
        let daemon = Lab::of(&program, programs, Access { tcp: true, password: Some("geh:eim") });
        let credentials = Credentials { username: "user".to_owned(), password: "geh:eim".to_owned() };
        let clients = [daemon.unix_url(), daemon.tcp_url()]
            .map(|url| Client::new(ServerUrl::parse(&url).unwrap(), Some(credentials.clone())));
        let refused = block_on(Client::new(ServerUrl::parse(&daemon.tcp_url()).unwrap(), None).supervisor().pid());
        assert!(matches!(refused, Err(ClientError::Unauthorised)));
        let told = block_on(tour(&clients[0])).unwrap();
        // What the first tour has left, the second does not find as the first did.
        block_on(clients[1].supervisor().start_group("g", true)).unwrap();
        assert!(block_on(tour(&clients[1])).is_ok());
        told
    });
    assert_eq!(theirs, ours);
}
