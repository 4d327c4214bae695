//! A line that can be cut, and opened again with other faults.

use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::DrillError;
use crate::proxy::{Faults, Proxy};

/// An open line.
pub(super) struct Line {
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Line {
    /// Opens it.
    pub(super) fn open(listen: SocketAddr, to: SocketAddr, faults: Faults) -> Result<Self, DrillError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let (tell, told) = channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                match Proxy::bind(listen, to, faults).await {
                    Ok(proxy) => {
                        let _ = tell.send(Ok(()));
                        tokio::select! {
                            () = proxy.run() => {}
                            _ = ended => {}
                        }
                    }
                    Err(error) => {
                        let _ = tell.send(Err(error));
                    }
                }
            });
            // What is on its way goes nowhere.
            runtime.shutdown_background();
        });
        told.recv().map_err(|error| DrillError(error.to_string()))??;
        Ok(Self { end, thread })
    }

    /// Cuts it, with every connection on it.
    pub(super) fn cut(self) {
        // The thread may have ended by itself.
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}
