//! What a program leaves behind: processes that went into a session of their own, which no signal to its group reaches.
//!
//! Each program is given a mark in its environment, which whatever it starts inherits. Where `/proc` shows the
//! environment of processes (Linux), they are found by it. One that throws its environment away, and on other systems
//! all, are only noticed while they hold an output open.

use std::time::Duration;

/// The variable that holds the mark.
pub(super) const MARK: &str = "TUESDAY_STARTED_BY";

/// What goes on after a program has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Left {
    /// Nothing that is known of.
    #[default]
    Nothing,
    /// So many processes.
    Processes(usize),
    /// Something that cannot be found holds an output open.
    Something,
}

impl Left {
    /// `left 2 processes behind that go on`; `None` where there is nothing.
    pub fn words(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Processes(1) => Some("left a process behind that goes on".to_owned()),
            Self::Processes(n) => Some(format!("left {n} processes behind that go on")),
            Self::Something => Some("left something behind that goes on".to_owned()),
        }
    }
}

/// Ends what has this mark, and gives how many could not be ended. What is started meanwhile is ended too.
pub(super) async fn end(mark: &str) -> usize {
    for _ in 0..20 {
        let found = found(mark);
        if found.is_empty() {
            return 0;
        }
        found.iter().for_each(|process| kill(process, mark));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    found(mark).len()
}

/// How many have this mark.
pub(super) fn count(mark: &str) -> usize {
    found(mark).len()
}

#[cfg(target_os = "linux")]
fn found(mark: &str) -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some(Process(rustix::process::Pid::from_raw(id)?)))
        .filter(|process| process.has(mark))
        .collect()
}

#[cfg(target_os = "linux")]
struct Process(rustix::process::Pid);

#[cfg(target_os = "linux")]
impl Process {
    /// Whether it was started with this mark. One that has ended, or is another person's, has none that can be read.
    fn has(&self, mark: &str) -> bool {
        let wanted = format!("{MARK}={mark}");
        std::fs::read(format!("/proc/{}/environ", self.0.as_raw_nonzero()))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes()))
    }
}

/// Ends a process for good. By its handle, and looked at again through that: its number may be another's by now.
#[cfg(target_os = "linux")]
fn kill(process: &Process, mark: &str) {
    use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    if let Ok(handle) = pidfd_open(process.0, PidfdFlags::empty())
        && process.has(mark)
    {
        // It may have ended in this moment: then there is nothing to end.
        let _ = pidfd_send_signal(handle, Signal::KILL);
    }
}

#[cfg(not(target_os = "linux"))]
fn found(_mark: &str) -> Vec<()> {
    Vec::new()
}

#[cfg(not(target_os = "linux"))]
fn kill(_process: &(), _mark: &str) {}
