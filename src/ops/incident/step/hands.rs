//! The hands that steps act with: real ones, or a sandbox that only writes down what it was told.
//!
//! A step reaches the outside through a [`Hands`] alone: its flag files, prompt folders, programs, requests and
//! variables. A drill is given a [`Sandbox`], which holds copies and has no way to start a program, send a request
//! or read a variable: there is nothing real in it to be reached.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::prompt::TeamConfig;
use crate::domain::switch::{FlagFile, FlagFormat, SwitchKind};
use crate::domain::{Error, EvalConfig, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::prompt::homes;
use crate::task::Cancel;
use crate::wire::hook::{Hook, Sent};
use crate::wire::http::Mask;
use crate::wire::program::{self, Ended, Program};

/// What steps act with.
#[derive(Debug, Clone, PartialEq)]
pub enum Hands {
    /// What is done is done.
    Real(Real),
    /// What is done is written down, on copies.
    Sandbox(Sandbox),
}

/// The team's own repository, programs, network and environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Real {
    team: Arc<TeamConfig>,
    evals: Arc<EvalConfig>,
}

/// Copies of the team's flag files and prompts in a folder, and a list of what would have been done.
#[derive(Debug, Clone, PartialEq)]
pub struct Sandbox {
    team: Arc<TeamConfig>,
    evals: Arc<EvalConfig>,
    folder: PathBuf,
}

/// What a sandbox was told to do to the outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SandboxAct {
    /// When, by the clock of the drill.
    pub at: jiff::Timestamp,
    /// `command` or `http`.
    pub kind: String,
    /// The words of the command, or the lines of the request; keys are named, not shown.
    pub what: Vec<Untrusted>,
}

impl Real {
    /// The hands of this team.
    pub fn of(team: Arc<TeamConfig>, evals: Arc<EvalConfig>) -> Self {
        Self { team, evals }
    }
}

impl From<Real> for Hands {
    fn from(real: Real) -> Self {
        Self::Real(real)
    }
}

impl From<Sandbox> for Hands {
    fn from(sandbox: Sandbox) -> Self {
        Self::Sandbox(sandbox)
    }
}

/// The list of what a sandbox was told.
const ACTS: &str = "acts.jsonl";

impl Sandbox {
    /// Makes a sandbox in this folder, which is made where it is not there: a copy of every flag file and prompt
    /// folder of the team, and a flag file in the place of every other kind of switch.
    ///
    /// # Errors
    /// `Failed` when the folder cannot be written. A flag file or prompt that cannot be read is left out: the step
    /// that needs it says so, as it would in earnest.
    pub fn make(team: &TeamConfig, evals: &EvalConfig, folder: &Path) -> Result<Self> {
        let cannot = |e: std::io::Error| {
            Error::failed(format!("The sandbox {} cannot be written.", folder.display())).because(e)
        };
        let prompts = folder.join("prompts");
        let flags = folder.join("flags");
        for folder in [&prompts, &flags] {
            std::fs::create_dir_all(folder).map_err(cannot)?;
        }
        let mut copy = team.clone();
        copy.home = folder.to_owned();
        copy.prompts_dir.clone_from(&prompts);
        for home in homes(team) {
            let to = prompts.join(&home.name);
            // A sandbox that is there already is as its drill has left it.
            if !to.exists() {
                copy_folder(&home.folder, &to).map_err(cannot)?;
            }
        }
        for (at, feature) in copy.features.iter_mut().enumerate() {
            if let Some(name) = feature.prompts.as_ref().and_then(|path| path.file_name()) {
                feature.prompts = Some(Path::new("prompts").join(name));
            }
            if let Some(switch) = &mut feature.switch {
                switch.ofrep = None;
                let place = flags.join(at.to_string());
                std::fs::create_dir_all(&place).map_err(cannot)?;
                switch.kind = sandboxed(&switch.kind, &team.home, &place).map_err(cannot)?;
            }
        }
        let mut evals = evals.clone();
        evals.prompts_dir = prompts;
        Ok(Self { team: Arc::new(copy), evals: Arc::new(evals), folder: folder.to_owned() })
    }

    /// What it was told to do to the outside, oldest first.
    pub fn acts(&self) -> Vec<SandboxAct> {
        let text = std::fs::read_to_string(self.folder.join(ACTS)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn write_down(&self, ctx: &Ctx, kind: &str, what: Vec<String>) -> Result<()> {
        use std::io::Write;
        let path = self.folder.join(ACTS);
        let act = SandboxAct {
            at: ctx.clock.now(),
            kind: kind.to_owned(),
            what: what.into_iter().map(Untrusted::new).collect(),
        };
        let cannot =
            |e: std::io::Error| Error::failed(format!("{} cannot be written.", path.display())).because(e);
        let line = serde_json::to_string(&act)
            .map_err(|e| Error::failed("An act cannot be written as JSON.").because(e))?;
        let mut file = std::fs::File::options().create(true).append(true).open(&path).map_err(cannot)?;
        writeln!(file, "{line}").map_err(cannot)
    }
}

/// The switch on a copy of its file; a flag file of its own where it has none.
fn sandboxed(kind: &SwitchKind, home: &Path, place: &Path) -> std::io::Result<SwitchKind> {
    let copied = |path: &Path| {
        let to = place.join(path.file_name().unwrap_or(path.as_os_str()));
        // One that cannot be read is not there in the copy either.
        if !to.exists() {
            std::fs::copy(home.join(path), &to).ok();
        }
        to
    };
    Ok(match kind {
        SwitchKind::FlagFile(of) => SwitchKind::FlagFile(FlagFile { path: copied(&of.path), ..of.clone() }),
        SwitchKind::Flagd(of) => {
            let mut of = of.clone();
            of.path = copied(&of.path);
            SwitchKind::Flagd(of)
        }
        _ => {
            let path = place.join("switch.json");
            if !path.exists() {
                std::fs::write(&path, "{\"enabled\": true}\n")?;
            }
            SwitchKind::FlagFile(FlagFile {
                path,
                format: FlagFormat::Json,
                pointer: "/enabled".to_owned(),
                on: true.into(),
                off: false.into(),
                fallback_pointer: None,
            })
        }
    })
}

/// Copies the files of a folder, and the links that lead to a file beside them. What leads elsewhere is left out.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    let Ok(entries) = std::fs::read_dir(from) else { return Ok(()) };
    std::fs::create_dir_all(to)?;
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let target = to.join(entry.file_name());
        if kind.is_file() {
            std::fs::copy(entry.path(), &target)?;
        } else if kind.is_symlink()
            && let Ok(link) = std::fs::read_link(entry.path())
            && link.components().count() == 1
            && from.join(&link).symlink_metadata().is_ok_and(|of| of.is_file())
        {
            std::fs::remove_file(&target).ok();
            #[cfg(unix)]
            std::os::unix::fs::symlink(link, target)?;
            #[cfg(not(unix))]
            std::fs::copy(from.join(link), target).map(drop)?;
        }
    }
    Ok(())
}

/// What came of starting a program.
pub(super) enum Started {
    /// It ran.
    Ended(Ended),
    /// It was only written down.
    WrittenDown,
}

impl Hands {
    /// The team's features and prompts, or copies of them.
    pub fn team(&self) -> &TeamConfig {
        match self {
            Self::Real(of) => &of.team,
            Self::Sandbox(of) => &of.team,
        }
    }

    /// What evaluates, for gates.
    pub(super) fn evals(&self) -> &EvalConfig {
        match self {
            Self::Real(of) => &of.evals,
            Self::Sandbox(of) => &of.evals,
        }
    }

    /// Whether nothing real can be reached.
    pub fn is_sandbox(&self) -> bool {
        matches!(self, Self::Sandbox(_))
    }

    /// A variable of the environment. A sandbox has all that are asked for, and none of their values.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        match self {
            Self::Real(_) => std::env::var(name).ok(),
            Self::Sandbox(_) => Some(format!("sandbox-{name}")),
        }
    }

    /// Starts a program and waits for its end.
    pub(super) fn start(&self, ctx: &Ctx, program: &Program<'_>, cancel: &Cancel) -> Result<Started> {
        match self {
            Self::Real(_) => program::run(program, cancel).map(Started::Ended),
            Self::Sandbox(of) => {
                of.write_down(ctx, "command", program.argv.to_vec()).map(|()| Started::WrittenDown)
            }
        }
    }

    /// Sends a request. A sandbox answers with the first status that is expected.
    pub(super) fn send(
        &self,
        ctx: &Ctx,
        hook: &Hook,
        (key, expect): (&str, &[u16]),
        mask: &Mask,
        cancel: &Cancel,
    ) -> Result<Sent> {
        match self {
            Self::Real(_) => hook.send(Some(key), mask, cancel),
            Self::Sandbox(of) => {
                of.write_down(ctx, "http", hook.lines(mask))?;
                let status = expect.first().copied().unwrap_or(200);
                Ok(Sent::Answered(status, "the sandbox answers; nothing was sent".to_owned()))
            }
        }
    }

    /// Sends a request that changes nothing. A sandbox has nobody to ask.
    pub(super) fn ask(&self, hook: &Hook, mask: &Mask, cancel: &Cancel) -> Result<Option<Sent>> {
        match self {
            Self::Real(_) => hook.send(None, mask, cancel).map(Some),
            Self::Sandbox(_) => Ok(None),
        }
    }
}
