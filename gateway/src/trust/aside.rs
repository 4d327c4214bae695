//! A thread beside the desks' threads, for what has to wait for others.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A thread with a runtime of its own. It starts with the first task and ends, with all tasks that
/// are left, when this is dropped.
pub(super) struct Aside {
    name: &'static str,
    running: OnceLock<Option<Running>>,
}

struct Running {
    handle: Handle,
    /// The thread ends when this is dropped.
    _until: oneshot::Sender<()>,
}

impl Aside {
    /// A thread of this name, once it is needed.
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, running: OnceLock::new() }
    }

    /// Runs a task there; false when the system gives no thread.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let running = self.running.get_or_init(|| {
            let started = Running::start(self.name);
            started.inspect_err(|error| tracing::error!(thread = self.name, %error, "not started")).ok()
        });
        let Some(running) = running else { return false };
        running.handle.spawn(task);
        true
    }
}

impl Running {
    fn start(name: &str) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (until, ended) = oneshot::channel::<()>();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // An error says that the other side is gone, which is what is waited for.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { handle, _until: until })
    }
}
