//! A program of the team's: argv, without a shell unless the runbook asks for one, in the repository, with the variables
//! that the runbook names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ground::Ground;
use super::hands::{Hands, Started};
use super::{Outcome, Planned};
use crate::domain::runbook::StepKind;
use crate::domain::{ErrorKind, Result, Untrusted};
use crate::wire::http::Mask;
use crate::wire::program::{Ended, Program};

/// The most bytes of a program's words that go into the record.
const SAID: usize = 4096;

/// The shell of steps that go through one.
const SHELL: &str = "sh";

/// What would be run; where the runbook has a dry run of its own, what that says.
pub(super) fn plan(ground: &Ground<'_>) -> Result<Planned> {
    let StepKind::Command { run, dry_run, shell, timeout_ms, env, .. } = &ground.step().kind else {
        return Ok(Planned::default());
    };
    let mut planned = Planned { changes: true, ..Planned::default() };
    let Some(argv) = planned.may_fail(words(ground, run, *shell)) else { return Ok(planned) };
    planned.lines.push(ground.mask.apply(&quoted(&argv)));
    let through = if *shell { ", through a shell" } else { "" };
    planned.lines.push(format!("in the team's repository{through}"));
    if !env.is_empty() {
        let names: Vec<&str> = env.iter().map(Untrusted::raw).collect();
        planned.lines.push(format!("with {}", names.join(", ")));
    }
    let home = &ground.hands.team().home;
    if ground.hands.is_sandbox() {
        planned.notes.push("In a drill it is written down, not started.".to_owned());
    } else {
        if find(&argv[0], home).is_none() {
            planned.fails.push(format!("there is no program {} to start", argv[0]));
        }
        for name in env.iter().map(Untrusted::raw) {
            if ground.hands.variable(name).is_none() {
                planned.fails.push(format!("the variable {name} is not set"));
            }
        }
    }
    if *shell && planned.fails.is_empty() && !ground.hands.is_sandbox() {
        // It reads its text and runs nothing of it.
        let read: Vec<String> = [SHELL, "-n", "-c", &argv[2]].map(str::to_owned).into();
        match ran(ground, &read, &[], *timeout_ms) {
            Ok(Started::Ended(ended)) if !ended.is_good() => {
                planned
                    .fails
                    .push(format!("the shell cannot read its text; it {}", how(&ended, &ground.mask)));
            }
            Ok(_) => {}
            Err(error) => planned.fails.push(error.what),
        }
    }
    if !dry_run.is_empty() && planned.fails.is_empty() && !ground.hands.is_sandbox() {
        let argv = words(ground, dry_run, *shell)?;
        match ran(ground, &argv, env, *timeout_ms) {
            Ok(Started::Ended(ended)) if ended.is_good() => {
                planned.notes.push(format!("its own dry run says: {}", said(&ended, &ground.mask)));
            }
            Ok(Started::Ended(ended)) => {
                planned.fails.push(format!("its own dry run {}", how(&ended, &ground.mask)));
            }
            Ok(Started::WrittenDown) => {}
            Err(error) => planned.fails.push(error.what),
        }
    }
    Ok(planned)
}

/// Runs it.
pub(super) fn act(ground: &Ground<'_>) -> Result<Outcome> {
    let StepKind::Command { run, shell, timeout_ms, env, .. } = &ground.step().kind else {
        return Ok(Outcome::Failed(String::new()));
    };
    let argv = words(ground, run, *shell)?;
    Ok(match ran(ground, &argv, env, *timeout_ms) {
        Ok(Started::WrittenDown) => Outcome::Done("written down by the sandbox".to_owned()),
        Ok(Started::Ended(ended)) if ended.is_good() => {
            let left = ended.left.words().map(|left| format!("; it {left}")).unwrap_or_default();
            Outcome::Done(format!("ended with code 0{left}{}", colon(&said(&ended, &ground.mask))))
        }
        // It began, and did some of what it does.
        Ok(Started::Ended(ended)) if ended.timed_out || ended.code.is_none() => {
            Outcome::Unknown(format!("it {}", how(&ended, &ground.mask)))
        }
        Ok(Started::Ended(ended)) => Outcome::Failed(format!("it {}", how(&ended, &ground.mask))),
        Err(error) if error.kind == ErrorKind::Cancelled => {
            Outcome::Unknown("it was stopped on the way".to_owned())
        }
        Err(error) => {
            let why = error.why.map(|why| format!(" ({why})")).unwrap_or_default();
            Outcome::Failed(format!("{}{why}", error.what.trim_end_matches('.')))
        }
    })
}

/// The words that are started. Through a shell the first is its text, as it stands in the runbook, and what is filled
/// in comes after it: values to the shell, never words of its language.
fn words(ground: &Ground<'_>, argv: &[Untrusted], shell: bool) -> Result<Vec<String>> {
    let (text, rest) = argv.split_at(usize::from(shell).min(argv.len()));
    let rest = rest.iter().map(|word| ground.argument(word)).collect::<Result<Vec<_>>>()?;
    let shells = text.iter().flat_map(|text| [SHELL, "-c", text.raw(), SHELL].map(str::to_owned));
    Ok(shells.chain(rest).collect())
}

fn ran(ground: &Ground<'_>, argv: &[String], env: &[Untrusted], timeout_ms: u64) -> Result<Started> {
    let home = &ground.hands.team().home;
    let mut argv = argv.to_vec();
    // By our own PATH: the program may be given none.
    if let (Hands::Real(_), Some(found)) = (ground.hands, find(&argv[0], home)) {
        argv[0] = found.display().to_string();
    }
    let env = env.iter().map(Untrusted::raw);
    let env = env.filter_map(|name| Some((name.to_owned(), ground.hands.variable(name)?))).collect();
    let limit = Duration::from_millis(timeout_ms);
    ground.hands.start(ground.ctx, &Program { argv: &argv, folder: home, env, limit }, ground.cancel)
}

/// Where a program is: in the repository where its name has a slash, else on PATH.
pub(super) fn find(name: &str, home: &Path) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(home.join(name)).filter(|path| is_program(path));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|of| of.is_file() && of.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The words as a shell would be given them, to be read; nothing is given to a shell.
fn quoted(argv: &[String]) -> String {
    let word = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn how(ended: &Ended, mask: &Mask) -> String {
    let how = match (ended.timed_out, ended.code) {
        (true, _) => "did not end in time and was ended".to_owned(),
        (false, Some(code)) => format!("ended with code {code}"),
        (false, None) => "was ended by a signal".to_owned(),
    };
    let left = ended.left.words().map(|left| format!("; it {left}")).unwrap_or_default();
    format!("{how}{left}{}", colon(&said(ended, mask)))
}

/// What it said, masked, and cut after that: half a key is still a secret.
fn said(ended: &Ended, mask: &Mask) -> String {
    let bytes = if ended.out.iter().all(u8::is_ascii_whitespace) { &ended.err } else { &ended.out };
    let text = mask.apply(&String::from_utf8_lossy(bytes));
    let text = text.trim();
    match text.char_indices().find(|(at, _)| *at >= SAID) {
        Some((cut, _)) => format!("{}… (cut)", &text[..cut]),
        None => text.to_owned(),
    }
}

fn colon(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}
