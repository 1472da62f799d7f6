//! A program of the team's, run to its end or to a time limit: argv without a shell, only the variables it is
//! given, output that cannot fill the memory.
//!
//! With it ends all that it started and that stayed in its group. What went into a session of its own goes on where
//! the program ended by itself, and is said ([`Left`]): a service that was to be started is not ended. At the limit and
//! at a wish to stop it is ended too.

mod left;

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::domain::{Error, Result};
use crate::task::Cancel;

pub use left::Left;

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
    /// All variables that it has, besides the mark by which what it leaves behind is found.
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
    /// What goes on.
    pub left: Left,
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
    let mark = uuid::Uuid::now_v7().to_string();
    let mut child = tokio::process::Command::new(name)
        .args(&program.argv[1..])
        .current_dir(program.folder)
        .env_clear()
        .envs(program.env.iter().cloned())
        .env(left::MARK, &mark)
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
    let out = Output::of(child.stdout.take(), false);
    let err = Output::of(child.stderr.take(), true);
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
    // What it started and left behind in its group goes with it.
    end(Signal::KILL);
    let still = if timed_out || cancelled { left::end(&mark).await } else { left::count(&mark) };
    let status =
        status.map_err(|e| Error::failed(format!("How {name} ended cannot be known.")).because(e))?;
    if cancelled {
        return Err(Error::cancelled());
    }
    let (out, err) = tokio::join!(out.read(), err.read());
    let left = match still {
        0 if out.1 || err.1 => Left::Something,
        0 => Left::Nothing,
        n => Left::Processes(n),
    };
    Ok(Ended { code: status.code(), timed_out, took, out: out.0, err: err.0, left })
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

/// An output that is read while the program runs.
struct Output {
    kept: Arc<Mutex<Vec<u8>>>,
    reads: tokio::task::JoinHandle<()>,
}

impl Output {
    /// Keeps the first bytes, or the last.
    fn of(from: Option<impl AsyncRead + Unpin + Send + 'static>, last: bool) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let into = kept.clone();
        let reads = tokio::spawn(async move {
            let Some(mut from) = from else { return };
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut buffer).await {
                let mut kept = into.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&buffer[..n]);
                if last {
                    let more = kept.len().saturating_sub(KEPT);
                    kept.drain(..more);
                } else {
                    kept.truncate(KEPT);
                }
            }
        });
        Self { kept, reads }
    }

    /// What was kept, and whether something holds it open still. What was said until now is not lost by that.
    async fn read(mut self) -> (Vec<u8>, bool) {
        let held = tokio::time::timeout(LINGER, &mut self.reads).await.is_err();
        self.reads.abort();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut *kept), held)
    }
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

    /// Starts something in a session of its own, waits until it runs, and goes on with `then`. It writes its number
    /// into `number`, and says what `says` has.
    #[cfg(target_os = "linux")]
    fn detached(folder: &Path, redirected: &str, then: &str) -> String {
        let number = folder.join("number");
        let number = number.display();
        format!(
            "setsid sh -c 'echo $$ > {number}.new; mv {number}.new {number}; exec sleep 600' {redirected} & \
             while [ ! -e {number} ]; do sleep 0.01; done; echo started; {then}"
        )
    }

    #[cfg(target_os = "linux")]
    fn goes_on(folder: &Path) -> Pid {
        let number = std::fs::read_to_string(folder.join("number")).unwrap();
        Pid::from_raw(number.trim().parse().unwrap()).unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_goes_into_a_session_of_its_own_is_said_and_holds_nobody_up() {
        use rustix::process::{kill_process, test_kill_process};
        for redirected in ["> /dev/null 2>&1", ""] {
            let folder = tempfile::tempdir().unwrap();
            let script = detached(folder.path(), redirected, "exit 0");
            let ended = ran(&script, LONG, &Cancel::default()).unwrap();
            assert!(ended.is_good() && ended.took < Duration::from_secs(30), "{ended:?}");
            assert_eq!((ended.left, ended.out.as_slice()), (Left::Processes(1), &b"started\n"[..]));
            assert_eq!(ended.left.words().unwrap(), "left a process behind that goes on");
            let there = goes_on(folder.path());
            test_kill_process(there).expect("a service that was to be started goes on");
            kill_process(there, Signal::KILL).unwrap();
        }
        // One that threw its environment away is noticed by the output that it holds.
        let folder = tempfile::tempdir().unwrap();
        let script =
            detached(folder.path(), "", "exit 0").replace("setsid sh", "env -i /usr/bin/setsid /bin/sh");
        let ended = ran(&script.replace("exec sleep", "exec /bin/sleep"), LONG, &Cancel::default()).unwrap();
        assert_eq!((ended.left, ended.out.as_slice()), (Left::Something, &b"started\n"[..]));
        kill_process(goes_on(folder.path()), Signal::KILL).unwrap();
        // At the limit it is ended with the rest.
        let folder = tempfile::tempdir().unwrap();
        let script = detached(folder.path(), "> /dev/null 2>&1", "sleep 600");
        let cancel = Cancel::default();
        let (stop, number) = (cancel.clone(), folder.path().join("number"));
        let watcher = std::thread::spawn(move || {
            while !number.exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            stop.cancel();
        });
        let error = ran(&script, LONG, &cancel).unwrap_err();
        watcher.join().unwrap();
        assert_eq!(error.kind, crate::domain::ErrorKind::Cancelled);
        let gone = || test_kill_process(goes_on(folder.path())).is_err();
        // Its parent is gone: whoever collects the dead here does so a little later.
        let ended = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            gone() || is_zombie(goes_on(folder.path()))
        });
        assert!(ended, "it goes on");
    }

    #[cfg(target_os = "linux")]
    fn is_zombie(process: Pid) -> bool {
        std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()))
            .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
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
