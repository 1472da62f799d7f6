//! What the runtime shall do: data that a test can compare.

use super::jobs::JobId;
use super::work::Request;

/// One thing for the runtime to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Run this on a worker thread and send the answer back.
    Run { job: JobId, request: Request },
    /// Ask a running job to stop.
    Cancel(JobId),
    /// Hand the terminal to the person's own editor with this text.
    EditExternally { text: String, suffix: &'static str },
    /// Hand the terminal to another run of this program with these arguments, until it ends.
    RunItself { args: Vec<String> },
    /// Stop the process, as the shell's job control does, and come back when it says.
    Suspend,
    /// Draw every cell again.
    Redraw,
    /// Leave the program.
    Quit,
}

/// What an update asks for, in order.
pub type Effects = Vec<Effect>;
