//! What the machine lets us have: open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside connections.
const BESIDE: u64 = 1000;

/// Raises the number of files that may be open as far as the system lets us, and warns where that is less
/// than the configuration wants.
pub(super) fn raise_open_files(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the number of open files is not raised");
    }
    let wanted = connections as u64 + BESIDE;
    if limit.maximum.is_some_and(|most| most < wanted) {
        let most = limit.maximum.unwrap_or_default();
        tracing::warn!(most, wanted, "fewer open files than service.connections needs (LimitNOFILE)");
    }
}
