//! stub
use super::sink::LogSink;
use crate::domain::name::ProcessName;
use crate::domain::spec;
use crate::process::Stream;
use std::pin::Pin;
use std::sync::Arc;
pub(crate) struct ChannelPlan {
    pub(crate) name: ProcessName,
    pub(crate) pid: u32,
    pub(crate) stream: Stream,
    pub(crate) settings: spec::Channel,
    pub(crate) sink: Option<Arc<LogSink>>,
    pub(crate) strip_ansi: bool,
    pub(crate) listener: bool,
    pub(crate) report: Arc<dyn OutputReport>,
}
pub(crate) trait OutputReport: Send + Sync {
    fn report(&self, n: OutputNotice) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
pub(crate) enum OutputNotice {
    Log(Vec<u8>),
    Communication(Vec<u8>),
    Listener(Vec<u8>),
}
pub(crate) struct Reader {
    pub(crate) stop: async_channel::Sender<()>,
    pub(crate) task: async_executor::Task<()>,
}
impl Reader {
    pub(crate) async fn finish(self) {
        self.stop.close();
        self.task.await
    }
}
