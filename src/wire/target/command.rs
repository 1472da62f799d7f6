//! A program as a target: the case as JSON on its standard input, the answer on its standard output.

use std::process::Stdio;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::messages::{Talk, answer_of};
use crate::domain::{Answer, Ask, AskError, AskErrorKind, Content, Error, Result};
use crate::wire::http::{MOST_BYTES, Mask};

/// The last bytes of standard error that are kept for an error's words.
const TAIL: usize = 4096;

pub struct Command {
    argv: Vec<String>,
    /// Variables beside those that it inherits.
    env: Vec<(String, String)>,
    mask: Mask,
}

impl Command {
    pub fn connect(target: &str, argv: &[String], env: &[(String, String)]) -> Result<Self> {
        if argv.first().is_none_or(|program| program.is_empty()) {
            return Err(Error::usage(format!("The target `{target}` names no program."))
                .hint("Write the program and its arguments: `command = [\"./answer.py\", \"--fast\"]`."));
        }
        // The program inherits our variables and may print them when it fails.
        let mut mask = Mask::default();
        for (name, value) in std::env::vars_os() {
            let (Some(name), Ok(value)) = (name.to_str(), value.into_string()) else { continue };
            let name = name.to_ascii_uppercase();
            let ends = ["KEY", "TOKEN", "SECRET", "PASSWORD"];
            if ends.iter().any(|end| name.ends_with(end)) && value.len() >= 8 {
                mask.add(SecretString::from(value));
            }
        }
        Ok(Self { argv: argv.to_vec(), env: env.to_vec(), mask })
    }

    /// One attempt. The program and all that it started are killed when the future is dropped.
    pub async fn ask(&self, ask: &Ask) -> std::result::Result<Answer, AskError> {
        let fail = |kind, what: String| self.mask.error(kind, what);
        let talk = Talk::of(ask);
        let case = json!({
            "id": ask.id, "input": talk.asked(), "messages": talk.openai(), "prompt": ask.prompt, "json": ask.json,
        });
        let case = format!("{case}\n");
        let began = Instant::now();
        let mut child = tokio::process::Command::new(&self.argv[0])
            .args(&self.argv[1..])
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| {
                // A program that is not there will not be there at the next attempt either.
                let kind = match e.kind() {
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
                        AskErrorKind::Refused
                    }
                    _ => AskErrorKind::Unavailable,
                };
                fail(kind, format!("The program {} could not be started: {e}.", self.argv[0]))
            })?;
        let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program may answer without reading: its closed pipe is no failure.
                let _ = stdin.write_all(case.as_bytes()).await;
            }
        };
        let out = async {
            let mut out = Vec::new();
            let Some(stdout) = stdout else { return Ok(out) };
            stdout.take(MOST_BYTES as u64 + 1).read_to_end(&mut out).await.map(|_| out)
        };
        // Ends at the limit even while the program goes on writing to standard error.
        let work = async {
            let (_, out) = tokio::join!(feed, out);
            out
        };
        let errors = tail(stderr);
        tokio::pin!(errors);
        let mut said = None;
        let out = {
            tokio::pin!(work);
            loop {
                tokio::select! {
                    out = &mut work => break out,
                    tail = &mut errors, if said.is_none() => said = Some(tail),
                }
            }
        };
        let out =
            out.map_err(|e| fail(AskErrorKind::Unavailable, format!("Its output cannot be read: {e}.")))?;
        if out.len() > MOST_BYTES {
            let what = format!("The answer does not end: more than {} MB came.", MOST_BYTES >> 20);
            return Err(fail(AskErrorKind::Unreadable, what));
        }
        let said = match said {
            Some(said) => said,
            None => errors.await,
        };
        let status = child
            .wait()
            .await
            .map_err(|e| fail(AskErrorKind::Unavailable, format!("Its end cannot be known: {e}.")))?;
        group.0 = None;
        let latency_ms = began.elapsed().as_secs_f64() * 1000.0;
        if !status.success() {
            let said = self.mask.quote_end(&said);
            let colon = if said.is_empty() { "" } else { ": " };
            let what = format!("The program ended with {status}{colon}{said}");
            return Err(fail(AskErrorKind::Unavailable, what));
        }
        let text = String::from_utf8(self.mask.answer(out)).map_err(|e| {
            let quote = self.mask.quote(e.as_bytes());
            fail(AskErrorKind::Unreadable, format!("The answer is not UTF-8: {quote}"))
        })?;
        let text = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
        let output = match serde_json::from_str(text).map(|value| answer_of(&value)) {
            Ok(messages @ Content::Messages(_)) => messages,
            _ => Content::Text(text.into()),
        };
        Ok(Answer { output, latency_ms, ..Answer::default() })
    }
}

/// Reads to the end and keeps the last bytes.
async fn tail(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return kept };
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..n]);
        kept.drain(..kept.len().saturating_sub(TAIL));
    }
    kept
}

/// A process group that is killed unless its leader has ended by itself.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // It may have ended in this moment: then there is nothing to kill.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
