//! When the program has a fault: the terminal is given back and a report is written. In a worker, only its
//! job ends.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;

use super::terminal;
use crate::domain::{Error, Result};
use crate::text::clean_str;

thread_local! {
    static IN_JOB: Cell<bool> = const { Cell::new(false) };
}

/// Where the last report is.
static LAST: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Sets what happens at a panic, before the terminal is taken.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        let report = write_report(info);
        if let Ok(mut last) = LAST.lock() {
            last.clone_from(&report);
        }
        if !IN_JOB.get() {
            terminal::leave();
            let place = match &report {
                Some(path) => format!("A report is in {}.", path.display()),
                None => format!("No report could be written. {info}"),
            };
            let words = format!(
                "tuesday: the program has a fault and had to stop. Everything acknowledged before is saved. {place}"
            );
            let _ = writeln!(std::io::stderr(), "{}", clean_str(&words));
        }
    }));
}

/// Runs a job; a panic in it becomes its error.
pub fn contain<T>(job: impl FnOnce() -> Result<T>) -> Result<T> {
    IN_JOB.set(true);
    let result = catch_unwind(AssertUnwindSafe(job));
    IN_JOB.set(false);
    result.unwrap_or_else(|_| {
        let report = LAST.lock().ok().and_then(|mut last| last.take());
        let error = Error::failed("The program has a fault: this one thing could not be done.");
        Err(match report {
            Some(path) => error.hint(format!("Please report it with the file {}.", path.display())),
            None => error,
        })
    })
}

fn write_report(info: &PanicHookInfo<'_>) -> Option<PathBuf> {
    let mut file = tempfile::Builder::new().prefix("tuesday-fault-").suffix(".txt").tempfile().ok()?;
    let version = env!("CARGO_PKG_VERSION");
    let thread = std::thread::current().name().unwrap_or("worker").to_owned();
    let _ = writeln!(file, "tuesday {version}, thread {thread}\n{info}\n\n{}", Backtrace::force_capture());
    let (_, path) = file.keep().ok()?;
    Some(path)
}
