//! Threads that must not be felt by desks.

/// Gives this thread the lowest priority: it runs when nothing else wants to.
pub(crate) fn wait_for_all_others() {
    let lowest = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19);
    if let Err(error) = lowest {
        tracing::warn!(%error, "a thread in the background runs at full priority");
    }
}

/// Lets whoever waits for this core go first. Called every tenth of a millisecond or so of work: the
/// kernel lets a thread have its slice, some milliseconds, even of the lowest priority and when a desk
/// has woken up meanwhile.
pub(crate) fn give_way() {
    rustix::thread::sched_yield();
}
