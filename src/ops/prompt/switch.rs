//! Makes another version of a prompt the current one, keeps a record of it, and commits it where that is wished.

use serde::Serialize;

use super::good::{Bar, last_known_good};
use super::{Home, diff, version_in};
use crate::domain::prompt::TeamConfig;
use crate::domain::switch::{SwitchEvent, SwitchNote, SwitchOf, SwitchStage};
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::task::Cancel;
use crate::wire::git::{commit, is_versioned};
use crate::wire::prompt_switch::{carry_out, plan, tidied};

/// How the current version is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UseSpec {
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Commit the change to git.
    pub commit: bool,
    /// Why, in the person's words.
    pub reason: Option<String>,
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UseView {
    /// The prompt.
    pub prompt: String,
    /// The current version before.
    pub from: Option<String>,
    /// The current version then.
    pub to: String,
    /// Why this one, where it was found and not named.
    pub why: Option<String>,
    /// Nothing was done: this says what would be.
    pub dry_run: bool,
    /// Whether anything changes: not where the version is the current one already.
    pub changes: bool,
    /// What is done, a line a step.
    pub steps: Vec<String>,
    /// Words that go, and words that come.
    pub words_removed: usize,
    /// Words that come.
    pub words_added: usize,
    /// Whether it is committed to git.
    pub commit: bool,
    /// The commit that was made.
    pub committed: Option<Untrusted>,
    /// What takes it back.
    pub undo: Option<String>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

/// Makes a version (`v3`, `3`) the current one. Whoever looks sees the old one or the new one.
///
/// # Errors
/// `NotSo` when the version is not there, or another switch of the prompt is under way; `Failed` when the folder
/// cannot be changed: then nothing was.
pub fn use_version(
    ctx: &Ctx,
    team: &TeamConfig,
    home: &Home,
    to: &str,
    spec: &UseSpec,
    cancel: &Cancel,
) -> Result<UseView> {
    let to = version_in(home, &home.look()?, to)?;
    switch(ctx, team, home, to, How::default(), spec, cancel)
}

/// Goes back: to this version, else to the last one that is known to be good.
///
/// # Errors
/// As [`use_version`]; `NotSo` when no version is known to be good: the cause says why each is not.
pub fn rollback(
    ctx: &Ctx,
    team: &TeamConfig,
    home: &Home,
    to: Option<&str>,
    spec: &UseSpec,
    cancel: &Cancel,
) -> Result<UseView> {
    let folder = home.look()?;
    let (to, why) = match to {
        Some(to) => (version_in(home, &folder, to)?, None),
        None => {
            let current = version_in(home, &folder, "current")?;
            let search = last_known_good(ctx, home, &current, Bar::of(team))?;
            let Some(good) = search.good else {
                let error = Error::not_so(format!(
                    "No version of {} before {current} is known to be good.",
                    home.name
                ));
                let passed_over: Vec<String> =
                    search.passed_over.iter().map(|(version, why)| format!("{version}: {why}")).collect();
                let error = if passed_over.is_empty() {
                    error.because(format!("there is no version before {current}"))
                } else {
                    error.because(passed_over.join("; "))
                };
                return Err(
                    error.hint(format!("Name one: tuesday prompt rollback {} --to VERSION", home.name))
                );
            };
            (good.version, Some(good.why))
        }
    };
    let how = How { rollback: true, why };
    switch(ctx, team, home, to, how, spec, cancel)
}

/// Takes away what a change that was cut off after its last step left in the folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn tidy(ctx: &Ctx, home: &Home) -> Result<()> {
    // Whoever holds the lock tidies up behind itself.
    let Some(_lock) = ctx.store.lock_switch(SwitchOf::Prompt, &home.name)? else { return Ok(()) };
    let folder = home.look()?;
    if folder.current().is_some() && folder.under_way.is_none() {
        tidied(&home.folder);
    }
    Ok(())
}

/// What kind of change it is.
#[derive(Default)]
struct How {
    /// The version before did harm.
    rollback: bool,
    /// Why this version, where it was found and not named.
    why: Option<String>,
}

fn switch(
    ctx: &Ctx,
    team: &TeamConfig,
    home: &Home,
    to: String,
    how: How,
    spec: &UseSpec,
    cancel: &Cancel,
) -> Result<UseView> {
    // Held to the end: of two who act at once the second finds it done.
    let _lock = match spec.dry_run {
        true => None,
        false => Some(ctx.store.lock_switch(SwitchOf::Prompt, &home.name)?.ok_or_else(|| {
            Error::not_so(format!("Somebody else is changing the current version of {} now.", home.name))
                .hint(format!("Look what became of it: tuesday prompt show {}", home.name))
        })?),
    };
    let folder = home.look()?;
    let change = plan(&home.folder, &folder, &to)?;
    let from = folder.current().map(|version| version.version.clone());
    // A change that was cut off is brought to its end, though the version is the current one already.
    let changes = from.as_ref() != Some(&to) || folder.under_way.is_some();
    let difference = from.as_ref().map(|from| diff(home, from, &to)).transpose()?;
    let versioned = is_versioned(&home.folder, cancel);
    let mut view = UseView {
        prompt: home.name.clone(),
        why: how.why,
        dry_run: spec.dry_run,
        changes,
        steps: if changes { change.lines() } else { Vec::new() },
        words_removed: difference.as_ref().map_or(0, |of| of.removed),
        words_added: difference.as_ref().map_or(0, |of| of.added),
        commit: spec.commit && changes,
        committed: None,
        undo: from
            .as_ref()
            .filter(|from| **from != to)
            .map(|from| format!("tuesday prompt use {} {from}", home.name)),
        notes: Vec::new(),
        from,
        to,
    };
    if spec.commit && !versioned {
        return Err(Error::not_so(format!("{} is in no git repository.", home.folder.display()))
            .hint("Leave --commit out: the files alone are changed."));
    }
    if changes && versioned && !spec.commit {
        view.notes.push("It is not committed: --commit does that.".to_owned());
    }
    if !changes || spec.dry_run {
        return Ok(view);
    }
    let act = ctx.store.new_switch(ctx.clock.now());
    let record = |stage, said: Option<String>, view: &UseView| {
        ctx.store.record_switch(
            SwitchOf::Prompt,
            &home.name,
            &SwitchEvent {
                act: act.clone(),
                at: ctx.clock.now(),
                by: ctx.reviewer.as_str().into(),
                stage,
                from: view.from.as_deref().map(Untrusted::from),
                to: view.to.as_str().into(),
                note: SwitchNote {
                    rollback: how.rollback,
                    reason: spec.reason.as_deref().map(Untrusted::from),
                    did: view.steps.iter().map(|step| step.as_str().into()).collect(),
                    said: said.map(Untrusted::new),
                    ..SwitchNote::default()
                },
            },
        )
    };
    record(SwitchStage::Begun, None, &view)?;
    if let Err(error) = carry_out(&home.folder, &change, &view.to) {
        record(SwitchStage::Failed, Some(error.what.clone()), &view)?;
        return Err(error);
    }
    let mut refused = None;
    if spec.commit {
        let verb = if how.rollback { "roll back to" } else { "use" };
        let reason = spec.reason.as_ref().map(|reason| format!("\n\n{reason}")).unwrap_or_default();
        let message = format!("{}: {verb} {}{reason}", home.name, view.to);
        match commit(&home.folder, &change.paths(), &message, cancel) {
            Ok(hash) => view.committed = Some(hash),
            Err(error) => refused = Some(error),
        }
    }
    let said = match &view.committed {
        Some(hash) => Some(format!("committed as {}", hash.raw())),
        None => refused.as_ref().map(|error| error.what.clone()),
    };
    record(SwitchStage::Done, said, &view)?;
    if let Some(error) = refused {
        let what = format!("{} is at {} now, but {}", home.name, view.to, error.what);
        return Err(Error { what, ..error });
    }
    let served = team.features.iter().any(|feature| Some(&feature.name) == home.feature.as_ref());
    if served {
        view.notes.push(format!(
            "Whether it took, traces tell: tuesday prompt show {} shows the version that is served.",
            home.name
        ));
    }
    Ok(view)
}
