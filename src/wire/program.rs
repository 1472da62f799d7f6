//! A program of the team's, run to its end or to a time limit: argv without a shell, only the variables it is
//! given, output that cannot fill the memory.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::domain::{Error, Result};
use crate::task::Cancel;

/// The most bytes of each output that are kept: the first of standard output, the last of standard error.
const KEPT: usize = 64 << 10;
/// How long a program may tidy up after it was asked to end.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long is waited for an output that something else holds open when the program has ended.
const LINGER: Duration = Duration::from_millis(300);

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// The program and its arguments.
    pub argv: &'a [String],
    /// Where it runs.
    pub folder: &'a Path,
    /// All variables that it has.
    pub env: Vec<(String, String)>,
    /// How long it may take.
    pub limit: Duration,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// It was ended at the limit.
    pub timed_out: bool,
    /// From the start to the end.
    pub took: Duration,
    /// The first 64 KiB of its standard output.
    pub out: Vec<u8>,
    /// The last 64 KiB of its standard error.
    pub err: Vec<u8>,
}

impl Ended {
    /// Whether it ended by itself, and well.
    pub fn is_good(&self) -> bool {
        self.code == Some(0) && !self.timed_out
    }
}

/// Runs a program. Blocks; must not be called from inside an async runtime.
///
/// # Errors
/// `NotSo` when it cannot be started, `Cancelled` when stopping was asked for: it is ended then, with all that it
/// started.
pub fn run(program: &Program<'_>, cancel: &Cancel) -> Result<Ended> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::failed("No program can be started.").because(e))?;
    runtime.block_on(ran(program, cancel))
}

async fn ran(program: &Program<'_>, cancel: &Cancel) -> Result<Ended> {
    let name = program.argv.first().ok_or_else(|| Error::usage("No program is named."))?;
    let began = Instant::now();
    let mut child = tokio::process::Command::new(name)
        .args(&program.argv[1..])
        .current_dir(program.folder)
        .env_clear()
        .envs(program.env.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| Error::not_so(format!("The program {name} could not be started.")).because(e))?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let end = |signal| {
        if let Some(leader) = group {
            // It may have ended in this moment: then there is nothing to end.
            let _ = kill_process_group(leader, signal);
        }
    };
    let out = tokio::spawn(kept(child.stdout.take(), false));
    let err = tokio::spawn(kept(child.stderr.take(), true));
    let (mut timed_out, mut cancelled) = (false, false);
    let status = tokio::select! {
        status = child.wait() => status,
        stop = stopping(cancel, program.limit) => {
            (timed_out, cancelled) = (!stop, stop);
            end(Signal::TERM);
            match tokio::time::timeout(FAREWELL, child.wait()).await {
                Ok(status) => status,
                Err(_) => {
                    end(Signal::KILL);
                    child.wait().await
                }
            }
        }
    };
    let took = began.elapsed();
    // What it started and left behind goes with it.
    end(Signal::KILL);
    let status =
        status.map_err(|e| Error::failed(format!("How {name} ended cannot be known.")).because(e))?;
    if cancelled {
        return Err(Error::cancelled());
    }
    let read = |output: tokio::task::JoinHandle<Vec<u8>>| async {
        tokio::time::timeout(LINGER, output).await.ok().and_then(std::result::Result::ok).unwrap_or_default()
    };
    let (out, err) = (read(out).await, read(err).await);
    Ok(Ended { code: status.code(), timed_out, took, out, err })
}

/// Ends when stopping is asked for (true) or the time is over (false).
async fn stopping(cancel: &Cancel, limit: Duration) -> bool {
    let over = tokio::time::sleep(limit);
    tokio::pin!(over);
    loop {
        tokio::select! {
            () = &mut over => return false,
            () = tokio::time::sleep(Duration::from_millis(20)) => if cancel.is_cancelled() { return true },
        }
    }
}

/// Reads to the end and keeps the first bytes, or the last.
async fn kept(from: Option<impl AsyncRead + Unpin>, last: bool) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return kept };
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..n]);
        if last {
            kept.drain(..kept.len().saturating_sub(KEPT));
        } else {
            kept.truncate(KEPT);
        }
    }
    kept
}

/// These variables of ours, where they are set.
pub fn variables<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    names.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(script: &str, limit: Duration, cancel: &Cancel) -> Result<Ended> {
        let argv = ["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()];
        let env = variables(["PATH"]);
        run(&Program { argv: &argv, folder: Path::new("/"), env, limit }, cancel)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn its_end_and_what_it_said_are_known() {
        let ended = ran("echo out; echo err >&2; exit 3", LONG, &Cancel::default()).unwrap();
        assert_eq!((ended.code, ended.timed_out, ended.is_good()), (Some(3), false, false));
        assert_eq!((ended.out.as_slice(), ended.err.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        let ended = ran("echo ${HOME-none}", LONG, &Cancel::default()).unwrap();
        assert!(ended.is_good());
        assert_eq!(ended.out, b"none\n", "no variable that it was not given");
        assert!(ran("yes | head -c 300000", LONG, &Cancel::default()).unwrap().out.len() <= KEPT);
    }

    #[test]
    fn it_ends_at_the_limit_and_at_a_wish_with_all_that_it_started() {
        let ended = ran("sleep 600 & sleep 600", Duration::from_millis(50), &Cancel::default()).unwrap();
        assert!(ended.timed_out && !ended.is_good() && ended.took < Duration::from_secs(30), "{ended:?}");
        let cancel = Cancel::default();
        cancel.cancel();
        assert_eq!(ran("sleep 600", LONG, &cancel).unwrap_err().kind, crate::domain::ErrorKind::Cancelled);
        // What it leaves behind holds nobody up.
        let ended = ran("sleep 600 & exit 0", LONG, &Cancel::default()).unwrap();
        assert!(ended.is_good() && ended.took < Duration::from_secs(30), "{ended:?}");
    }

    #[test]
    fn one_that_is_not_there_is_named() {
        let argv = ["/nowhere/roll-back".to_owned()];
        let program = Program { argv: &argv, folder: Path::new("/"), env: Vec::new(), limit: LONG };
        let error = run(&program, &Cancel::default()).unwrap_err();
        assert!(error.what.contains("/nowhere/roll-back"), "{}", error.what);
    }
}
