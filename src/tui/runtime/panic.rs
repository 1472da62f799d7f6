//! When the program has a fault: a report is written. On the screen's thread the terminal is given back and
//! the program ends; on any other only what that thread was doing ends.

use std::backtrace::Backtrace;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;

use super::terminal;
use crate::domain::{Error, Result};
use crate::text::clean_str;

/// Where the last report is.
static LAST: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Sets what happens at a panic, before the terminal is taken. Called on the screen's thread.
pub fn install() {
    let screen = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        let report = write_report(info);
        if let Ok(mut last) = LAST.lock() {
            last.clone_from(&report);
        }
        // Jobs have helper threads of their own: only this thread's end is the program's.
        if std::thread::current().id() == screen {
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

/// Runs a job on a thread that is not the screen's; a panic in it becomes its error.
pub fn contain<T>(job: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| {
        let report = LAST.lock().ok().and_then(|mut last| last.take());
        let error = Error::failed("The program has a fault: this one thing could not be done.");
        Err(match report {
            Some(path) => error.hint(format!("Please report it with the file {}.", path.display())),
            None => error,
        })
    })
}

/// A fault on purpose, for the tests of what this file promises: where `TUESDAY_FAULT` says, in debug builds.
pub fn rehearse(place: &str) {
    if cfg!(debug_assertions) && std::env::var_os("TUESDAY_FAULT").is_some_and(|at| at == place) {
        panic!("asked for by TUESDAY_FAULT={place}");
    }
}

/// Writes a report under its final name only when all of it is there: nobody reads half of one.
fn write_report(info: &PanicHookInfo<'_>) -> Option<PathBuf> {
    let mut file = tempfile::Builder::new().prefix("tuesday-fault-").suffix(".part").tempfile().ok()?;
    let version = env!("CARGO_PKG_VERSION");
    let thread = std::thread::current().name().unwrap_or("worker").to_owned();
    let trace = Backtrace::force_capture();
    writeln!(file, "tuesday {version}, thread {thread}\n{info}\n\n{trace}").ok()?;
    let path = file.path().with_extension("txt");
    file.persist_noclobber(&path).ok()?;
    Some(path)
}
