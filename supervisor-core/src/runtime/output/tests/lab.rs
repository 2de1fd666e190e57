//! What the tests of this room share: lanes, a log of what was told, processes that are only pipes.

use async_channel::{Receiver, Sender};

use super::*;

pub(super) const SOON: Duration = Duration::from_secs(30);

/// Keeps the lines of the activity log.
#[derive(Default)]
pub(super) struct Lines {
    debug: bool,
    pub(super) lines: Mutex<Vec<(Level, String)>>,
}

impl ActivityLog for Lines {
    fn enabled(&self, level: Level) -> bool {
        self.debug || level >= Level::Info
    }

    fn write(&self, level: Level, text: &str) {
        self.lines.lock().unwrap().push((level, text.to_owned()));
    }
}

impl Lines {
    pub(super) fn of(&self, level: Level) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.0 == level).map(|line| line.1.clone()).collect()
    }
}

/// Keeps the notices; takes them only while there is room.
pub(super) struct Notices(Sender<OutputNotice>);

impl OutputReport for Notices {
    fn wants_output(&self) -> bool {
        true
    }

    fn report(&self, notice: OutputNotice) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let _ = self.0.send(notice).await;
        })
    }
}

/// Lanes in a directory of their own.
pub(super) struct Lab {
    pub(super) directory: tempfile::TempDir,
    pub(super) lines: Arc<Lines>,
    pub(super) lanes: Lanes,
    pub(super) notices: Receiver<OutputNotice>,
    pub(super) report: Arc<Notices>,
}

impl Lab {
    pub(super) fn new() -> Self {
        Self::with(|activity| Lanes::with_syslog(activity, || Syslog::to(Vec::new(), "test")), false)
    }

    pub(super) fn with(make: impl FnOnce(Arc<dyn ActivityLog>) -> Lanes, debug: bool) -> Self {
        let lines = Arc::new(Lines { debug, ..Lines::default() });
        let (report, notices) = async_channel::bounded(100);
        let lanes = make(Arc::clone(&lines) as Arc<dyn ActivityLog>);
        Self { directory: tempfile::tempdir().unwrap(), lines, lanes, notices, report: Arc::new(Notices(report)) }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Stdout of a process that logs to `x` in the directory.
    pub(super) fn plan(&self, settings: spec::Channel) -> ChannelPlan {
        ChannelPlan { log: Some(self.open("x", &settings)), ..self.plan_without_log(settings) }
    }

    /// A share in a log in the directory.
    pub(super) fn open(&self, name: &str, settings: &spec::Channel) -> Share {
        let path = self.path(name);
        self.lanes.open(path, settings.logfile_maxbytes, settings.logfile_backups, "'x' stdout").unwrap()
    }

    pub(super) fn plan_without_log(&self, settings: spec::Channel) -> ChannelPlan {
        ChannelPlan {
            name: ProcessName::new("x", "x").into(),
            stream: Stream::Stdout,
            settings,
            log: None,
            strip_ansi: false,
            listener: false,
            report: Arc::clone(&self.report) as Arc<dyn OutputReport>,
        }
    }

    pub(super) fn start(&self, plan: ChannelPlan) -> (File, Reader) {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        (write.into(), self.lanes.read(read, plan))
    }

    /// The whole output of a process, written piece by piece, each read before the next.
    pub(super) fn run(&self, plan: ChannelPlan, pieces: &[&[u8]]) {
        let (mut pipe, reader) = self.start(plan);
        for piece in pieces {
            pipe.write_all(piece).unwrap();
            eventually("the pipe is read", || rustix::io::ioctl_fionread(&pipe).unwrap() == 0);
        }
        drop(pipe);
        block_on(reader.finish());
    }

    pub(super) fn notices(&self) -> Vec<OutputNotice> {
        std::iter::from_fn(|| self.notices.try_recv().ok()).collect()
    }
}

pub(super) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

pub(super) fn channel() -> spec::Channel {
    spec::Channel::default()
}
