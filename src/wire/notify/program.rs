//! A program as a receiver: the message as JSON on its standard input, its exit code as the answer. No shell.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Told;
use crate::domain::Untrusted;
use crate::domain::monitor::Notice;

/// The most bytes of its words that are kept.
const WORDS: u64 = 300;

/// Starts the program and gives it the message; it is killed when it takes longer than `patience`.
pub(super) async fn tell(argv: &[String], notice: &Notice, id: &str, patience: Duration) -> Told {
    match tokio::time::timeout(patience, run(argv, notice, id)).await {
        Ok(told) => told,
        Err(_) => {
            failed(true, None, format!("It did not end within {} s and was killed.", patience.as_secs()))
        }
    }
}

/// The most urgent alert's message, with those of all alerts as `alerts`.
fn text(notice: &Notice) -> serde_json::Result<String> {
    let mut whole = serde_json::to_value(notice.alerts.first())?;
    whole["alerts"] = serde_json::to_value(&notice.alerts)?;
    serde_json::to_string(&whole)
}

async fn run(argv: &[String], notice: &Notice, id: &str) -> Told {
    let Some((program, arguments)) = argv.split_first() else {
        return failed(false, None, "No program is named.".to_owned());
    };
    let Ok(text) = text(notice) else {
        return failed(false, None, "The message cannot be written.".to_owned());
    };
    let started = tokio::process::Command::new(program)
        .args(arguments)
        .env("TUESDAY_MESSAGE_ID", id)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return failed(true, None, format!("{program} could not be started: {error}.")),
    };
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program may end without reading: its closed pipe is no failure.
            let _ = stdin.write_all(format!("{text}\n").as_bytes()).await;
        }
    };
    let words = async {
        let mut words = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = (&mut stderr).take(WORDS).read_to_end(&mut words).await;
            // The rest is read and dropped, so that it can go on writing.
            let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
        }
        String::from_utf8_lossy(&words).trim().to_owned()
    };
    let ((), words, status) = tokio::join!(feed, words, child.wait());
    match status {
        Ok(status) if status.success() => {
            Told { taken: true, again: false, status: Some(0), answer: words.into() }
        }
        Ok(status) => failed(true, status.code().map(i64::from), words),
        Err(error) => failed(true, None, format!("It cannot be waited for: {error}.")),
    }
}

fn failed(again: bool, status: Option<i64>, words: String) -> Told {
    Told { taken: false, again, status, answer: Untrusted::from(words) }
}
