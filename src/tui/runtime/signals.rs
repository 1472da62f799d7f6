//! The signals that end the program or stop it.

use tokio::signal::unix::{Signal, SignalKind, signal};

pub(super) struct Signals {
    pub(super) terminate: Signal,
    pub(super) hang_up: Signal,
    pub(super) interrupt: Signal,
    stop: Signal,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(signal_hook::consts::SIGTSTP))?,
        })
    }

    /// Waits for one. Gives the exit code of those that end the program, nothing for the one that stops it.
    pub(super) async fn next(&mut self) -> Option<u8> {
        tokio::select! {
            _ = self.terminate.recv() => Some(128 + 15),
            _ = self.hang_up.recv() => Some(128 + 1),
            _ = self.interrupt.recv() => Some(128 + 2),
            _ = self.stop.recv() => None,
        }
    }
}
