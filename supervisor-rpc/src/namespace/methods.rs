//! The table of the `supervisor` namespace: names, signatures, help, and what each method does.
//!
//! Everything that lists or describes methods is derived from it. What the methods do is in the modules beside this one.

use std::sync::LazyLock;

use supervisor_core::process::Stream::{self, Stderr, Stdout};
use supervisor_core::rpc::Kind::{Array, Boolean, Int, String, Struct};
use supervisor_core::rpc::{Kind, Method, Parameter};

/// What a method does; aliases share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    GetApiVersion,
    GetSupervisorVersion,
    GetIdentification,
    GetState,
    GetPid,
    ReadLog,
    ClearLog,
    Shutdown,
    Restart,
    ReloadConfig,
    AddProcessGroup,
    RemoveProcessGroup,
    StartProcess,
    StartProcessGroup,
    StartAllProcesses,
    StopProcess,
    StopProcessGroup,
    StopAllProcesses,
    SignalProcess,
    SignalProcessGroup,
    SignalAllProcesses,
    GetProcessInfo,
    GetAllProcessInfo,
    GetAllConfigInfo,
    ReadProcessLog(Stream),
    TailProcessLog(Stream),
    ClearProcessLogs,
    ClearAllProcessLogs,
    SendProcessStdin,
    SendRemoteCommEvent,
}

const NAME: Parameter =
    Parameter::required("name", String, "the process: 'group:process', or one name if both are the same");
const NAME_OR_GROUP: Parameter = Parameter::required(
    "name",
    String,
    "the process: 'group:process', one name if both are the same, 'group:*' for all",
);
const GROUP: Parameter = Parameter::required("name", String, "the group");
const START_WAIT: Parameter =
    Parameter::optional("wait", Boolean, "answer when the process is RUNNING (the default), not before");
const STOP_WAIT: Parameter =
    Parameter::optional("wait", Boolean, "answer when the process has ended (the default), not before");
const SIGNAL: Parameter = Parameter::required("signal", String, "the signal: 'HUP', 'SIGHUP' or '1'");
const OFFSET: Parameter =
    Parameter::required("offset", Int, "the first byte; a negative one counts from the end of the log");
const LENGTH: Parameter = Parameter::required("length", Int, "how many bytes at most; 0 reads to the end");
const TAIL_OFFSET: Parameter = Parameter::required("offset", Int, "the size of the log at the previous call, or 0");
const TAIL_LENGTH: Parameter = Parameter::required("length", Int, "how many bytes at most");

static NOTHING: [Parameter; 0] = [];
static READ: [Parameter; 2] = [OFFSET, LENGTH];
static OF_PROCESS: [Parameter; 1] = [NAME];
static OF_GROUP: [Parameter; 1] = [GROUP];
static START: [Parameter; 2] = [NAME_OR_GROUP, START_WAIT];
static START_GROUP: [Parameter; 2] = [GROUP, START_WAIT];
static START_ALL: [Parameter; 1] = [START_WAIT];
static STOP: [Parameter; 2] = [NAME_OR_GROUP, STOP_WAIT];
static STOP_GROUP: [Parameter; 2] = [GROUP, STOP_WAIT];
static STOP_ALL: [Parameter; 1] = [STOP_WAIT];
static SIGNAL_ONE: [Parameter; 2] = [NAME_OR_GROUP, SIGNAL];
static SIGNAL_GROUP: [Parameter; 2] = [GROUP, SIGNAL];
static SIGNAL_ALL: [Parameter; 1] = [SIGNAL];
static READ_PROCESS: [Parameter; 3] = [NAME, OFFSET, LENGTH];
static TAIL_PROCESS: [Parameter; 3] = [NAME, TAIL_OFFSET, TAIL_LENGTH];
static STDIN: [Parameter; 2] = [NAME, Parameter::required("chars", String, "the text; nothing is added to it")];
static EVENT: [Parameter; 2] = [
    Parameter::required("type", String, "the kind of event, any text without a newline"),
    Parameter::required("data", String, "what the event says, any text"),
];

const TRUE: &str = "result  always true";
const RESULTS: &str = "results  a struct for each process concerned: name, group, status (80 is success), description";
const TEXT: &str = "text  the bytes as text; what is not UTF-8 becomes U+FFFD";
const TAIL: &str = "tail  the text, the size of the log in bytes, and whether there was more than asked for";

struct Row {
    verb: Verb,
    method: Method,
}

const fn row(
    name: &'static str,
    verb: Verb,
    parameters: &'static [Parameter],
    returns: Kind,
    result: &'static str,
    help: &'static str,
) -> Row {
    Row { verb, method: Method::new(name, parameters, returns, result, help) }
}

const READ_STDOUT_HELP: &str =
    "Read a part of the stdout log of a process.\nFaults: BAD_NAME, NO_FILE, BAD_ARGUMENTS, FAILED.";
const TAIL_STDOUT_HELP: &str = "Read what was added to the end of the stdout log of a process since the previous call.\nWithout a log: no text, size 0.";
const CLEAR_HELP: &str = "Empty the stdout and stderr log of a process.\nRotated files are kept.";
const API_VERSION_HELP: &str =
    "Tell the version of this interface.\nIt changes when the interface does, and only then.";
const READ_LOG_HELP: &str = "Read a part of the supervisor's own log.\nFaults: NO_FILE, BAD_ARGUMENTS, FAILED.";

static ROWS: [Row; 37] = [
    row(
        "addProcessGroup",
        Verb::AddProcessGroup,
        &OF_GROUP,
        Boolean,
        TRUE,
        "Activate a group of the configuration that was read last, and start those of its processes that have autostart.\n\
         Faults: BAD_NAME, ALREADY_ADDED, FAILED.",
    ),
    row("clearAllProcessLogs", Verb::ClearAllProcessLogs, &NOTHING, Array, RESULTS, "Empty the logs of all processes."),
    row(
        "clearLog",
        Verb::ClearLog,
        &NOTHING,
        Boolean,
        TRUE,
        "Empty the supervisor's own log.\nFaults: NO_FILE, FAILED.",
    ),
    row("clearProcessLog", Verb::ClearProcessLogs, &OF_PROCESS, Boolean, TRUE, CLEAR_HELP),
    row("clearProcessLogs", Verb::ClearProcessLogs, &OF_PROCESS, Boolean, TRUE, CLEAR_HELP),
    row("getAPIVersion", Verb::GetApiVersion, &NOTHING, String, "version  the version", API_VERSION_HELP),
    row(
        "getAllConfigInfo",
        Verb::GetAllConfigInfo,
        &NOTHING,
        Array,
        "settings  a struct of 29 members for each process",
        "Tell the settings of all processes of the configuration that was read last, active or not.",
    ),
    row(
        "getAllProcessInfo",
        Verb::GetAllProcessInfo,
        &NOTHING,
        Array,
        "processes  a struct for each process, as getProcessInfo gives it",
        "Tell what is known of all processes, by group and name.",
    ),
    row(
        "getIdentification",
        Verb::GetIdentification,
        &NOTHING,
        String,
        "identifier  the text",
        "Tell the text by which this supervisor is known (setting 'identifier').",
    ),
    row("getPID", Verb::GetPid, &NOTHING, Int, "pid  the process id", "Tell the process id of the supervisor."),
    row(
        "getProcessInfo",
        Verb::GetProcessInfo,
        &OF_PROCESS,
        Struct,
        "process  names, times, state, pid, exit status, logs and a description",
        "Tell what is known of a process.\nFaults: BAD_NAME.",
    ),
    row(
        "getState",
        Verb::GetState,
        &NOTHING,
        Struct,
        "state  statecode and statename",
        "Tell the state of the supervisor.",
    ),
    row(
        "getSupervisorVersion",
        Verb::GetSupervisorVersion,
        &NOTHING,
        String,
        "version  the version",
        "Tell the version of Supervisor that this one stands in for.",
    ),
    row("getVersion", Verb::GetApiVersion, &NOTHING, String, "version  the version", API_VERSION_HELP),
    row("readLog", Verb::ReadLog, &READ, String, TEXT, READ_LOG_HELP),
    row("readMainLog", Verb::ReadLog, &READ, String, TEXT, READ_LOG_HELP),
    row("readProcessLog", Verb::ReadProcessLog(Stdout), &READ_PROCESS, String, TEXT, READ_STDOUT_HELP),
    row(
        "readProcessStderrLog",
        Verb::ReadProcessLog(Stderr),
        &READ_PROCESS,
        String,
        TEXT,
        "Read a part of the stderr log of a process.\nFaults: BAD_NAME, NO_FILE, BAD_ARGUMENTS, FAILED.",
    ),
    row("readProcessStdoutLog", Verb::ReadProcessLog(Stdout), &READ_PROCESS, String, TEXT, READ_STDOUT_HELP),
    row(
        "reloadConfig",
        Verb::ReloadConfig,
        &NOTHING,
        Array,
        "groups  one array of three: groups added, changed, removed",
        "Read the configuration again and tell what differs; nothing that runs is changed.\nFaults: CANT_REREAD.",
    ),
    row(
        "removeProcessGroup",
        Verb::RemoveProcessGroup,
        &OF_GROUP,
        Boolean,
        TRUE,
        "Drop an active group whose processes are all stopped.\nFaults: BAD_NAME, STILL_RUNNING.",
    ),
    row(
        "restart",
        Verb::Restart,
        &NOTHING,
        Boolean,
        TRUE,
        "Stop all processes, then start the supervisor anew with the configuration as it is then.\nFaults: CANT_REREAD.",
    ),
    row(
        "sendProcessStdin",
        Verb::SendProcessStdin,
        &STDIN,
        Boolean,
        TRUE,
        "Write text to the stdin of a process, in UTF-8.\nFaults: INCORRECT_PARAMETERS, BAD_NAME, NOT_RUNNING, NO_FILE, FAILED.",
    ),
    row(
        "sendRemoteCommEvent",
        Verb::SendRemoteCommEvent,
        &EVENT,
        Boolean,
        TRUE,
        "Publish a REMOTE_COMMUNICATION event, which event listeners hear.",
    ),
    row("shutdown", Verb::Shutdown, &NOTHING, Boolean, TRUE, "Stop all processes, then end the supervisor."),
    row(
        "signalAllProcesses",
        Verb::SignalAllProcesses,
        &SIGNAL_ALL,
        Array,
        RESULTS,
        "Send a signal to every process that runs.",
    ),
    row(
        "signalProcess",
        Verb::SignalProcess,
        &SIGNAL_ONE,
        Boolean,
        TRUE,
        "Send a signal to a process that runs.\nFaults: BAD_NAME, BAD_SIGNAL, NOT_RUNNING, FAILED.",
    ),
    row(
        "signalProcessGroup",
        Verb::SignalProcessGroup,
        &SIGNAL_GROUP,
        Array,
        RESULTS,
        "Send a signal to every process of a group that runs.\nFaults: BAD_NAME.",
    ),
    row(
        "startAllProcesses",
        Verb::StartAllProcesses,
        &START_ALL,
        Array,
        RESULTS,
        "Start every process that does not run, in the order of priorities.",
    ),
    row(
        "startProcess",
        Verb::StartProcess,
        &START,
        Boolean,
        TRUE,
        "Start a process.\nFaults: BAD_NAME, NO_FILE, NOT_EXECUTABLE, ALREADY_STARTED, SPAWN_ERROR, ABNORMAL_TERMINATION, FAILED.",
    ),
    row(
        "startProcessGroup",
        Verb::StartProcessGroup,
        &START_GROUP,
        Array,
        RESULTS,
        "Start every process of a group that does not run, in order.\nFaults: BAD_NAME.",
    ),
    row("stopAllProcesses", Verb::StopAllProcesses, &STOP_ALL, Array, RESULTS, "Stop every process that runs."),
    row(
        "stopProcess",
        Verb::StopProcess,
        &STOP,
        Boolean,
        TRUE,
        "Stop a process.\nFaults: BAD_NAME, NOT_RUNNING, FAILED.",
    ),
    row(
        "stopProcessGroup",
        Verb::StopProcessGroup,
        &STOP_GROUP,
        Array,
        RESULTS,
        "Stop every process of a group that runs.\nFaults: BAD_NAME.",
    ),
    row("tailProcessLog", Verb::TailProcessLog(Stdout), &TAIL_PROCESS, Array, TAIL, TAIL_STDOUT_HELP),
    row(
        "tailProcessStderrLog",
        Verb::TailProcessLog(Stderr),
        &TAIL_PROCESS,
        Array,
        TAIL,
        "Read what was added to the end of the stderr log of a process since the previous call.\nWithout a log: no text, size 0.",
    ),
    row("tailProcessStdoutLog", Verb::TailProcessLog(Stdout), &TAIL_PROCESS, Array, TAIL, TAIL_STDOUT_HELP),
];

static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| ROWS.iter().map(|row| row.method.clone()).collect());

/// The methods of the `supervisor` namespace, by name.
pub fn methods() -> &'static [Method] {
    &METHODS
}

/// What the method of this name does.
pub(super) fn verb(name: &str) -> Option<Verb> {
    ROWS.iter().find(|row| row.method.name == name).map(|row| row.verb)
}
