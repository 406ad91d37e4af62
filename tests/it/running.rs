//! A bot on a chat service as the binary runs it, in a runtime of its own: when that ends, nothing of the bot goes on, as with a process.

use std::sync::Arc;
use std::time::Duration;

use drillbot::app::App;
use drillbot::app::chat::Chat;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub struct Running {
    pub stop: watch::Sender<bool>,
    pub listening: JoinHandle<anyhow::Result<()>>,
    process: Option<Runtime>,
}

impl Running {
    /// Ticks, delivers and listens.
    pub fn start<C, F>(app: &Arc<App>, chat: C, listen: impl FnOnce(watch::Receiver<bool>) -> F) -> Running
    where
        C: Chat,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let (stop, stopping) = watch::channel(false);
        let process = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let ticker = app.clone();
        process.spawn(async move {
            loop {
                // A database that a test holds up or breaks is away for a moment only.
                let _ = ticker.tick().await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let worker = app.clone();
        process.spawn(async move {
            loop {
                if worker.deliver(&chat).await.is_ok_and(|delivered| delivered.claimed > 0) {
                    continue;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let listening = process.spawn(listen(stopping));
        Running { stop, listening, process: Some(process) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(Runtime::shutdown_background);
    }
}
