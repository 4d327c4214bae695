//! What whoever started us is told (systemd's `Type=notify` and `notify-reload`): ready, reloading, stopping.

use sd_notify::NotifyState;

/// What there is to tell.
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// Desks are answered.
    Ready,
    /// The configuration is read again.
    Reloading,
    /// What desks wait for is finished.
    Stopping,
}

/// Tells it, where somebody listens.
pub(super) fn tell(told: Told) {
    let sent = match told {
        Told::Ready => sd_notify::notify(&[NotifyState::Ready]),
        Told::Reloading => match NotifyState::monotonic_usec_now() {
            Ok(now) => sd_notify::notify(&[NotifyState::Reloading, now]),
            Err(error) => Err(error),
        },
        Told::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "the supervisor (NOTIFY_SOCKET) cannot be told");
    }
}
