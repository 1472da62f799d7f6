//! One error for the whole house: what happened, to what, why, and the way out.

/// What an error means to the caller: the exit code on the command line, toast or dialog on screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The thing asked is not so: no such trace, a name already taken, a check not met. Exit code 1.
    NotSo,
    /// The request itself is wrong: a bad flag, a query that does not parse. Exit code 2.
    Usage,
    /// Part of the input was rejected and the rest kept. Exit code 3.
    PartlyRejected,
    /// The outside failed: disk full, file locked, not a store. Exit code 1.
    Failed,
    /// The person cancelled it; what was acknowledged before is kept. Exit code 1.
    Cancelled,
}

/// A failure with its story. `what` is one sentence naming the thing; `hints` are ways out.
#[derive(Debug)]
pub struct Error {
    /// What it means to the caller.
    pub kind: ErrorKind,
    /// One sentence: what happened, to what. May hold text from outside: clean before printing.
    pub what: String,
    /// Why, where another error is the cause.
    pub why: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Ways out, most likely first.
    pub hints: Vec<String>,
}

/// The house's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A new error of this kind.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), why: None, hints: Vec::new() }
    }

    /// The thing asked is not so.
    pub fn not_so(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotSo, what)
    }

    /// The request is wrong.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, what)
    }

    /// The outside failed.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, what)
    }

    /// The person cancelled it.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "Cancelled.")
    }

    /// Adds the cause.
    pub fn because(mut self, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Adds a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The process's exit code for this error.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Usage => 2,
            ErrorKind::PartlyRejected => 3,
            ErrorKind::NotSo | ErrorKind::Failed | ErrorKind::Cancelled => 1,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.why.as_deref().map(|why| why as _)
    }
}
