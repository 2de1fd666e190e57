//! Configurations that are wrong, huge, not there, or somebody else's.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::{Lab, SLEEPER, Signal, eventually, is_alive, is_root, memory, program, run};

/// Runs a daemon on this file until it ends by itself; its status and what it says.
fn start(path: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(program("supervisord"));
    command.args(["-n", "-c"]).arg(path);
    let (status, said) = run(command);
    assert!(!said.contains("panicked"), "{said}");
    (status, said)
}

#[test]
fn errors_name_what_is_wrong() {
    let long = "x".repeat(120);
    let program = |keys: &str| format!("[program:xy]\ncommand=/bin/cat\n{keys}\n");
    let cases: Vec<(String, &[&str])> = vec![
        ("[program:xy]\n".to_owned(), &["program:xy", "command"]),
        (program("startsecs=abc"), &["program:xy", "startsecs", "abc"]),
        (program("startretries=-x"), &["program:xy", "startretries"]),
        (program("autorestart=maybe"), &["program:xy", "autorestart", "maybe"]),
        (program("stopsignal=FOO"), &["program:xy", "stopsignal", "FOO"]),
        (program("stopwaitsecs="), &["program:xy", "stopwaitsecs"]),
        (program("user=nosuchuser"), &["nosuchuser"]),
        (program("priority=high"), &["priority", "high"]),
        (program("numprocs=2"), &["program:xy", "process_name"]),
        (program("numprocs=a"), &["program:xy", "numprocs"]),
        (program("numprocs=1000000000\nprocess_name=%(process_num)d"), &["numprocs"]),
        (program("umask=999"), &["program:xy", "umask"]),
        (program("environment=A"), &["program:xy", "environment"]),
        (program("environment=A=\"b"), &["program:xy", "environment"]),
        (program("stdout_logfile_maxbytes=10XB"), &["program:xy", "stdout_logfile_maxbytes"]),
        (program("stdout_logfile_backups=x"), &["program:xy", "stdout_logfile_backups"]),
        (program("stdout_logfile=/nonexistent/x.log"), &["/nonexistent"]),
        (program("exitcodes=a,b"), &["program:xy", "exitcodes"]),
        (program("stopasgroup=true\nkillasgroup=false"), &["program:xy", "killasgroup"]),
        (program("directory=%(nosuch)s"), &["program:xy", "nosuch"]),
        (program("directory=%(ENV_NOSUCH)s"), &["program:xy", "ENV_NOSUCH"]),
        ("garbage\n".to_owned(), &["garbage"]),
        ("[program:x:y]\ncommand=/bin/cat\n".to_owned(), &["x:y"]),
        ("[program:a b]\ncommand=/bin/cat\n".to_owned(), &["a b"]),
        ("[group:gg]\nprograms=nope\n".to_owned(), &["gg", "nope"]),
        ("[eventlistener:ll]\ncommand=/bin/cat\n".to_owned(), &["ll", "events"]),
        ("[eventlistener:ll]\ncommand=/bin/cat\nevents=NOPE\n".to_owned(), &["NOPE"]),
        ("[eventlistener:ll]\ncommand=/bin/cat\nevents=TICK_5\nbuffer_size=0\n".to_owned(), &["buffer_size"]),
        ("[eventlistener:ll]\ncommand=/bin/cat\nevents=TICK_5\nresult_handler=no:such\n".to_owned(), &["no:such"]),
        ("[fcgi-program:ff]\ncommand=/bin/cat\n".to_owned(), &["ff", "socket"]),
        ("[fcgi-program:ff]\ncommand=/bin/cat\nsocket=foo\n".to_owned(), &["ff", "socket"]),
        (format!("[fcgi-program:ff]\ncommand=/bin/cat\nsocket=unix:///tmp/{long}\n"), &["socket", "too long"]),
        ("[rpcinterface:zz]\nsupervisor.rpcinterface_factory=no.such:thing\n".to_owned(), &["no.such"]),
        ("[rpcinterface:zz]\n".to_owned(), &["rpcinterface:zz", "supervisor.rpcinterface_factory"]),
        ("[inet_http_server]\nport=abc:def\n".to_owned(), &["port", "def"]),
        ("[inet_http_server]\nport=127.0.0.1:99999\n".to_owned(), &["99999"]),
        ("[inet_http_server]\n".to_owned(), &["inet_http_server", "port"]),
        ("[unix_http_server:b]\n".to_owned(), &["unix_http_server:b", "file"]),
        (format!("[unix_http_server:b]\nfile=/tmp/{long}\n"), &["unix_http_server:b", "file", "AF_UNIX path too long"]),
        ("[unix_http_server:b]\nfile=/nonexistent/x\n".to_owned(), &["unix_http_server:b", "file", "/nonexistent/x"]),
        ("[unix_http_server:b]\nfile=%(here)s/b\nchmod=abc\n".to_owned(), &["chmod", "abc"]),
        ("[unix_http_server:b]\nfile=%(here)s/b\nchown=nosuchuser\n".to_owned(), &["nosuchuser"]),
        ("[include]\n".to_owned(), &["include", "files"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conf");
    for (body, words) in cases {
        let text = format!(
            "[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nchildlogdir=%(here)s\nminfds=256\nminprocs=50\n{body}"
        );
        fs::write(&path, text).unwrap();
        let (status, said) = start(&path);
        assert_eq!(status, Some(2), "{body}: {said}");
        words.iter().for_each(|word| assert!(said.contains(word), "{word} is not named for {body}: {said}"));
        assert!(!folder.path().join("pid").exists(), "{body}");
    }
    for (key, word) in [
        ("loglevel=nope", "nope"),
        ("minfds=x", "minfds"),
        ("minfds=100000000000", "minfds"),
        ("umask=abc", "umask"),
        ("user=nosuchuser", "nosuchuser"),
        ("logfile=/nonexistent/log", "/nonexistent"),
        ("directory=/nonexistent", "/nonexistent"),
        ("childlogdir=/nonexistent", "/nonexistent"),
        ("pidfile=/nonexistent/pid", "/nonexistent"),
        ("logfile_maxbytes=x", "logfile_maxbytes"),
        ("environment=A", "environment"),
        ("nodaemon=perhaps", "nodaemon"),
    ] {
        fs::write(
            &path,
            format!("[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nminfds=256\nminprocs=50\n{key}\n"),
        )
        .unwrap();
        let (status, said) = start(&path);
        assert!(status == Some(2) && said.contains(word), "{key}: {status:?} {said}");
    }
}

#[test]
fn files_that_are_none_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let good = "[supervisord]\nlogfile=%(here)s/log\npidfile=%(here)s/pid\nminfds=256\nminprocs=50\n";
    fs::write(path("empty"), "").unwrap();
    fs::write(path("latin1"), [good.as_bytes(), b"[program:x]\ncommand=/bin/echo caf\xe9\n"].concat()).unwrap();
    fs::write(path("comment"), [good.as_bytes(), b"; caf\xe9\n"].concat()).unwrap();
    fs::write(path("utf16"), format!("\u{feff}{good}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
        .unwrap();
    fs::write(path("include"), format!("{good}[include]\nfiles=latin1\n")).unwrap();
    symlink("loop", path("loop")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let missing = path("missing").display().to_string();
    for (file, words) in [
        ("missing", &[&*missing][..]),
        (".", &["irectory"]),
        ("empty", &["supervisord"]),
        ("latin1", &["latin1", "line 7", "UTF-8"]),
        ("comment", &["comment", "line 6", "UTF-8"]),
        ("utf16", &["utf16", "UTF-8"]),
        ("include", &["latin1", "line 7", "UTF-8"]),
        ("loop", &["loop"]),
        ("fifo", &["supervisord"]),
        ("../../dev/zero", &["larger than"]),
        ("../../dev/null", &["supervisord"]),
    ] {
        let file = if file.starts_with("../../dev") { Path::new("/dev").join(&file[10..]) } else { path(file) };
        let (status, said) = start(&file);
        assert_eq!(status, Some(2), "{}: {said}", file.display());
        words.iter().for_each(|word| assert!(said.contains(word), "{word} is not in: {said}"));
    }
}

#[test]
fn files_that_include_one_another_are_read_once() {
    let mut lab = Lab::on_port(&format!("{SLEEPER}[include]\nfiles=conf a.conf *.conf b.conf fifo /dev\n"));
    fs::write(lab.path("a.conf"), "[include]\nfiles=b.conf conf\n[program:a]\ncommand=/bin/sleep 600\nstartsecs=0\n")
        .unwrap();
    fs::write(lab.path("b.conf"), "[include]\nfiles=a.conf\n[program:b]\ncommand=/bin/sleep 600\nstartsecs=0\n")
        .unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, lab.path("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    lab.start();
    ["x", "a", "b"].iter().for_each(|name| assert!(is_alive(lab.pid_of(name))));
    let reread = lab.ctl(&["reread"]);
    assert!(reread.status.success(), "{reread:?}");
}

#[test]
fn a_huge_file_is_read_soon() {
    let line = format!("; {}\n", "x".repeat(1000));
    let programs: String =
        (0..500).map(|number| format!("[program:p{number}]\ncommand=/bin/sleep 600\nautostart=false\n")).collect();
    let began = Instant::now();
    let lab = Lab::running_on_port(&format!("{programs}{}", line.repeat(10_000)));
    let time = began.elapsed();
    assert!(time < Duration::from_secs(15), "{time:?}");
    assert!(memory(lab.daemon()) < 250 << 20, "{} MiB", memory(lab.daemon()) >> 20);
    assert_eq!(lab.state("p499"), "STOPPED");
}

#[test]
fn of_a_section_that_is_there_twice_the_last_values_count() {
    let lab = Lab::running_on_port(
        "[program:x]\ncommand=/bin/sleep 1000.25\nstartsecs=0\n[program:x]\ncommand=/bin/sleep 1001.25\n",
    );
    lab.pid_of("x");
    eventually("it has executed", || (lab.instances("/bin/sleep 1001.25") == 1).then_some(()));
    assert_eq!(lab.instances("/bin/sleep 1000.25"), 0);
    lab.wait_log("Section [program:x] is given at");
}

#[test]
fn a_reread_tells_what_is_new() {
    let lab = Lab::running_on_port(&format!("[program:x]\nstartsecz=1\n{SLEEPER}"));
    let misspelt = "WARN Unknown key 'startsecz' in section [program:x]";
    lab.wait_log(misspelt);
    lab.configure(&format!("[program:x]\nstartsecz=1\n{SLEEPER}[program:y]\ncommand=/bin/cat\nautostrat=no\n"));
    for _ in 0..2 {
        assert!(lab.ctl(&["reread"]).status.success());
        lab.wait_log("WARN Unknown key 'autostrat' in section [program:y]");
    }
    // Each is told once: the file has both each time.
    assert_eq!(
        (lab.log().matches(misspelt).count(), lab.log().matches("'autostrat'").count()),
        (1, 1),
        "{}",
        lab.log()
    );
}

#[test]
fn who_claims_a_name_that_is_taken_is_told_of() {
    let named =
        |name: &str, factory: &str| format!("[rpcinterface:{name}]\nsupervisor.rpcinterface_factory={factory}\n");
    let standard = "supervisor.rpcinterface:make_main_rpcinterface";
    // The group of its program; its section, twice; a namespace that is built in.
    let body =
        named("p", "exec:/bin/cat") + &named("q", "no.such") + &named("q", standard) + &named("system", standard);
    let mut lab =
        Lab::running_on_port(&format!("{body}[program:rpcinterface-p]\ncommand=/bin/sleep 600\nstartsecs=0\n"));
    lab.wait_log(
        "ERRO the program of [rpcinterface:p] is not started: its group 'rpcinterface-p' is defined by another",
    );
    lab.wait_log("WARN Section [rpcinterface:q] is given at ");
    lab.wait_log("WARN [rpcinterface:system] has no effect: the namespace 'system' is built in");
    lab.pid_of("rpcinterface-p");
    let methods = lab.rpc("system.listMethods", &[]).texts();
    assert!(["q.getState", "system.multicall"].iter().all(|name| methods.contains(&(*name).to_owned())), "{methods:?}");
    assert_eq!(lab.rpc("system.getState", &[]).fault(), 1);
    lab.is_well("names");
}

#[test]
fn a_broken_file_changes_nothing_that_runs() {
    let mut lab = Lab::running_on_port(SLEEPER);
    let (daemon, pid) = (lab.daemon(), lab.pid_of("x"));
    let breaks = [
        "[program:x]\ncommand=/bin/sleep 600\nstartsecs=never\n",
        "garbage\n",
        "[group:g]\nprograms=nope\n",
        "[include]\nfiles=bad\n",
        "[unix_http_server:b]\nfile=%(here)s/b\nchmod=abc\n",
        "[rpcinterface:p]\nsupervisor.rpcinterface_factory=exec:/bin/cat\nsupervisor.call_timeout=soon\n",
        "[rpcinterface:p]\nsupervisor.rpcinterface_factory=exec:\n",
    ];
    fs::write(lab.path("bad"), b"[program:y]\ncommand=\xff\n").unwrap();
    for body in breaks {
        lab.configure(body);
        let answer = lab.rpc("supervisor.reloadConfig", &[]).body;
        assert!(answer.contains("<int>92</int>") && answer.contains("CANT_REREAD"), "{body}: {answer}");
        let restart = lab.rpc("supervisor.restart", &[]).body;
        assert!(restart.contains("<int>92</int>"), "{body}: {restart}");
        for words in [&["reread"][..], &["update"], &["reload"]] {
            let output = lab.ctl(words);
            // It reads the same file, and may not understand it either.
            let told = String::from_utf8_lossy(&output.stdout).to_lowercase().contains("error");
            assert!(told || output.status.code() == Some(2), "{words:?} {output:?}");
        }
        let before = lab.log().matches(" ERRO ").count();
        lab.signal(Signal::HUP);
        eventually("the refusal is logged", || (lab.log().matches(" ERRO ").count() > before).then_some(()));
        assert_eq!((lab.daemon(), lab.pid_of("x")), (daemon, pid), "{body}");
    }
    fs::remove_file(lab.path("conf")).unwrap();
    assert!(lab.rpc("supervisor.reloadConfig", &[]).body.contains("<int>92</int>"));
    lab.signal(Signal::HUP);
    lab.wait_log("could not find config file");
    assert_eq!(lab.pid_of("x"), pid);
    // Repaired, it is taken.
    lab.configure(&SLEEPER.replace("program:x", "program:y"));
    lab.signal(Signal::HUP);
    lab.pid_of("y");
    assert!(!is_alive(pid));
    lab.is_well("repair");
}

#[test]
fn a_file_that_others_can_write_is_warned_of() {
    if !is_root("to be the one who is endangered") {
        return;
    }
    let warned = |prepare: &dyn Fn(&Lab)| {
        let mut lab = Lab::on_port(&format!("{SLEEPER}[include]\nfiles=more.conf\n"));
        fs::write(lab.path("more.conf"), "").unwrap();
        prepare(&lab);
        lab.start();
        let log = lab.log();
        log.lines()
            .filter(|line| line.contains("can be changed by others than root"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(warned(&|_| ()), Vec::<String>::new());
    let mode =
        |lab: &Lab, name: &str, mode| fs::set_permissions(lab.path(name), PermissionsExt::from_mode(mode)).unwrap();
    for (what, prepare) in [
        ("conf is writable by everybody", &(|lab: &Lab| mode(lab, "conf", 0o666)) as &dyn Fn(&Lab)),
        ("more.conf is writable by everybody", &|lab| mode(lab, "more.conf", 0o646)),
        ("is writable by everybody (mode 0777)", &|lab| mode(lab, "", 0o777)),
        ("conf belongs to uid 65534", &|lab| chown(lab.path("conf"), Some(65_534), None).unwrap()),
        ("conf is writable by group 65534", &|lab| {
            chown(lab.path("conf"), None, Some(65_534)).unwrap();
            mode(lab, "conf", 0o664);
        }),
    ] {
        let lines = warned(prepare);
        assert!(lines.iter().any(|line| line.contains(what) && line.contains(" WARN ")), "{what}: {lines:?}");
    }
}

#[test]
fn a_program_found_along_path_looks_beside_where_it_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["work", "etc", "prefix/bin", "prefix/etc"] {
        fs::create_dir_all(path(name)).unwrap();
    }
    // A refusal names the file that was read.
    for name in ["supervisord.conf", "etc/supervisord.conf", "prefix/etc/supervisord.conf"] {
        fs::write(path(name), "nonsense\n").unwrap();
    }
    for name in ["supervisord", "supervisorctl"] {
        symlink(program(name), path("prefix/bin").join(name)).unwrap();
        let mut command = Command::new(program(name));
        command.arg0(name).env("PATH", path("prefix/bin")).current_dir(path("work"));
        let (status, said) = run(command);
        assert_eq!(status, Some(2), "{name}: {said}");
        assert!(said.contains(&path("prefix/etc/supervisord.conf").display().to_string()), "{name}: {said}");
    }
}

#[test]
fn a_variable_that_is_no_text_is_named_with_the_reason() {
    let lab = Lab::new("[program:x]\ncommand=/bin/echo %(ENV_NAME)s\n");
    let mut command = lab.command();
    command.env("NAME", OsStr::from_bytes(b"caf\xe9"));
    let (status, said) = run(command);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("('ENV_NAME') which cannot be expanded: its value is not UTF-8 text"), "{said}");
}
