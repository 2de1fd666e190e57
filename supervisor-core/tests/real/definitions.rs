//! Groups that come, change and go while the supervisor runs.

use std::io::{BufRead, BufReader, Write};
use std::sync::{Arc, Mutex, mpsc};

use supervisor_core::activity::ActivityLog;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::name::Namespec;
use supervisor_core::process::Stream;
use supervisor_core::{Definition, Error, RequestError};

use super::*;

#[test]
fn a_program_is_added_changed_and_removed_by_code() {
    let lab = Lab::new();
    lab.run(Supervisor::builder(), async |handle| {
        handle.add(lab.program("x", "echo first; exec sleep 1000")).await.unwrap();
        file_has(&lab.path("x.log"), "first\n").await;
        let again = handle.add(lab.program("x", "exec sleep 1000")).await;
        assert_eq!(again, Err(RequestError::AlreadyAdded("x".into())));
        let before = reaches(&handle, "x", ProcessState::Running).await.pid.unwrap();
        handle.change(lab.program("x", "echo second; exec sleep 1000")).await.unwrap();
        file_has(&lab.path("x.log"), "first\nsecond\n").await;
        assert!(!is_alive(before));
        handle.remove("x").await.unwrap();
        assert!(handle.processes().await.unwrap().is_empty());
        assert_eq!(handle.add_group("x").await, Err(RequestError::BadName("x".into())));
        assert_eq!(handle.remove("x").await, Err(RequestError::BadName("x".into())));
    });
}

#[test]
fn settings_that_cannot_work_touch_nothing() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", "exec sleep 1000")]), async |handle| {
        let before = reaches(&handle, "x", ProcessState::Running).await.pid;
        let refused = handle.change(lab.program("x", "exec sleep 1000").numprocs(2)).await;
        assert!(matches!(&refused, Err(RequestError::Settings(text)) if text.contains("numprocs > 1")), "{refused:?}");
        assert_eq!(handle.process(&name("x")).await.unwrap().pid, before);
    });
    let twice = supervisor([lab.program("x", "true"), lab.program("x", "true")]).build();
    assert!(matches!(twice, Err(Error::Settings(text)) if text == "the group 'x' is defined twice"));
}

#[test]
fn a_file_is_read_made_so_and_read_again_beside_groups_from_code() {
    let lab = Lab::new();
    let file = lab.path("supervisord.conf");
    let write = |programs: &str| {
        let program = |name: char| format!("[program:{name}]\ncommand=sleep 1000\nstartsecs=0\n");
        let text: String = programs.chars().map(program).collect();
        std::fs::write(&file, format!("[supervisord]\nidentifier=lab\nchildlogdir=%(here)s\n{text}")).unwrap();
    };
    write("ab");
    let builder = supervisor([lab.program("own", "exec sleep 1000")]).configuration_file(&file).unwrap();
    lab.run(builder, async |handle| {
        assert_eq!(handle.identifier(), "lab");
        for process in ["a", "b", "own"] {
            handle.wait_for(&name(process), &[ProcessState::Running]).await.unwrap();
        }
        let log = handle.log_path(&Namespec::parse("a"), Stream::Stdout).await.unwrap().unwrap();
        assert!(log.starts_with(lab.directory.path()), "{}", log.display());
        let own = handle.process(&name("own")).await.unwrap().pid;
        write("bc");
        let difference = handle.update().await.unwrap();
        assert_eq!((difference.added, difference.removed), (vec!["c".to_owned()], vec!["a".to_owned()]));
        assert!(difference.changed.is_empty());
        let infos = handle.processes().await.unwrap();
        assert_eq!(infos.iter().map(|info| info.name.process.as_str()).collect::<Vec<_>>(), ["b", "c", "own"]);
        assert_eq!(infos[2].pid, own);
        let belongs = handle.change(lab.program("b", "exec sleep 1000")).await;
        assert_eq!(belongs, Err(RequestError::AlreadyAdded("b".into())));
        std::fs::write(&file, "[supervisord]\n[program:own]\ncommand=sleep 1\n").unwrap();
        let clash = handle.update().await;
        assert!(matches!(&clash, Err(RequestError::CantReread(text)) if text.contains("'own'")), "{clash:?}");
        assert_eq!(handle.processes().await.unwrap().len(), 3);
    });
}

/// Keeps every line.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl ActivityLog for Lines {
    fn enabled(&self, _: Level) -> bool {
        true
    }

    fn write(&self, _: Level, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

#[test]
fn a_group_that_is_added_by_many_at_once_is_made_ready_once() {
    let lab = Lab::new();
    let file = lab.path("supervisord.conf");
    let program = "[fcgi-program:f]\ncommand=sleep 1000\nsocket=unix://%(here)s/f.sock\nautostart=false\n";
    std::fs::write(&file, format!("[supervisord]\nchildlogdir=%(here)s\n{program}")).unwrap();
    let lines = Arc::new(Lines::default());
    let builder = Supervisor::builder().configuration_file(&file).unwrap().activity_log(lines.clone());
    lab.run(builder, async |handle| {
        handle.remove_group("f").await.unwrap();
        let proofs = || lines.0.lock().unwrap().iter().filter(|line| line.starts_with("Creating socket")).count();
        let before = proofs();
        let add = || handle.add_group("f");
        let (first, (second, third)) = future::zip(add(), future::zip(add(), add())).await;
        let already = Err(RequestError::AlreadyAdded("f".into()));
        assert_eq!((first, second, third), (Ok(()), already.clone(), already.clone()));
        assert_eq!(proofs() - before, 1);
        assert_eq!(add().await, already);
        // What is active is not told apart from what was never there, once it is no longer configured.
        std::fs::write(&file, "[supervisord]\n").unwrap();
        assert_eq!(handle.reload_config().await.unwrap().removed, ["f"]);
        assert_eq!(add().await, Err(RequestError::BadName("f".into())));
    });
}

#[test]
fn waiting_for_a_state_hears_of_one_that_is_left_at_once() {
    let lab = Lab::new();
    let program = lab.program("x", "exit 0").autostart(false);
    lab.run(supervisor([program]), async |handle| {
        let x = name("x");
        let waits = handle.wait_for(&x, &[ProcessState::Running]);
        let (state, started) = future::zip(waits, handle.start(&x)).await;
        assert_eq!((state, started), (Ok(ProcessState::Running), Ok(())));
        let unknown = handle.wait_for(&name("y"), &[ProcessState::Running]).await;
        assert_eq!(unknown, Err(RequestError::BadName("y".into())));
        handle.wait_for(&x, &[ProcessState::Exited]).await.unwrap();
        let (gone, removed) = future::zip(handle.wait_for(&x, &[ProcessState::Fatal]), handle.remove("x")).await;
        assert_eq!((gone, removed), (Err(RequestError::Gone), Ok(())));
    });
}

#[test]
fn the_pipes_of_a_program_are_handed_over_at_each_start() {
    let lab = Lab::new();
    let (sender, pipes) = mpsc::channel();
    let sender = Mutex::new(sender);
    let program = lab.program("x", "read line; echo \"you said $line\"");
    let definition = Definition::from(program).with_pipes(move |pipes| sender.lock().unwrap().send(pipes).unwrap());
    let pipes = Arc::new(Mutex::new(pipes));
    lab.run(Supervisor::builder().define(definition), async |handle| {
        for word in ["one", "two"] {
            let pipes = Arc::clone(&pipes);
            let answer = supervisor_core::offload::unblock(move || {
                let pipes = pipes.lock().unwrap().recv().unwrap();
                assert_eq!(pipes.name, name("x"));
                let (stdin, stdout) = (pipes.stdin.unwrap(), pipes.stdout.unwrap());
                rustix::io::ioctl_fionbio(&stdout, false).unwrap();
                std::fs::File::from(stdin).write_all(format!("{word}\n").as_bytes()).unwrap();
                let mut line = String::new();
                BufReader::new(std::fs::File::from(stdout)).read_line(&mut line).unwrap();
                line
            });
            assert_eq!(answer.await, format!("you said {word}\n"));
            let state = handle.wait_for(&name("x"), &[ProcessState::Exited]).await;
            assert_eq!(state, Ok(ProcessState::Exited));
            if word == "one" {
                handle.start(&name("x")).await.unwrap();
            }
        }
        assert!(!lab.path("x.log").exists());
    });
}
