//! What is not as it should be: in the folders of prompts, and between them and the traces.

use serde::Serialize;

use super::figures::{Span, traffic};
use super::{Home, named};
use crate::domain::prompt::TeamConfig;
use crate::domain::{Content, Result, Trace, Untrusted};
use crate::ops::Ctx;
use crate::task::Cancel;
use crate::wire::git::histories;
use crate::wire::prompts_dir::{PromptFile, load};

/// Traces of each version that are looked at.
const LOOKED_AT: usize = 20;
/// Where traces may say the hash of the text that they were made with.
const HASHES: [&str; 3] = ["prompt_sha256", "prompt_hash", "prompt_digest"];
/// Fewer digits of a hash than this tell nothing.
const FEWEST: usize = 7;

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The folder: no current version, two of them, links that lead out.
    Folder,
    /// A text that cannot be read, or is empty.
    Text,
    /// Two versions with the same text.
    SameText,
    /// A change of the current version that did not come to its end.
    UnderWay,
    /// The current version's file is not committed.
    Uncommitted,
    /// Traces name a version that is not there.
    UnknownVersion,
    /// Traces hold another text than the version that they name.
    OtherText,
}

impl FindingKind {
    /// Whether it needs to be set right; the others are worth knowing.
    pub fn is_wrong(self) -> bool {
        !matches!(self, Self::SameText | Self::Uncommitted)
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The prompt.
    pub prompt: String,
    /// The version, where it is about one.
    pub version: Option<Untrusted>,
    /// What kind.
    pub kind: FindingKind,
    /// Whether it needs to be set right.
    pub wrong: bool,
    /// In a sentence.
    pub what: String,
    /// The way out.
    pub hint: String,
    /// A trace that shows it.
    pub trace: Option<Untrusted>,
    /// How many traces it is about: of those that were looked at, or of all that name the version.
    pub traces: u64,
}

/// What was found, and what was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LintView {
    /// Prompts that were looked at.
    pub prompts: usize,
    /// Versions in their folders.
    pub versions: usize,
    /// Traces whose text was held against their version's.
    pub traces: u64,
    /// Versions with traces, none of which holds a system message or a hash to hold against the text.
    pub without_text: Vec<String>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl LintView {
    /// Whether nothing needs to be set right.
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| !finding.wrong)
    }
}

/// Looks at these prompts.
pub fn lint(ctx: &Ctx, team: &TeamConfig, homes: &[Home], cancel: &Cancel) -> Result<LintView> {
    let mut view = LintView {
        prompts: homes.len(),
        versions: 0,
        traces: 0,
        without_text: Vec::new(),
        findings: Vec::new(),
    };
    for home in homes {
        cancel.check()?;
        match home.look() {
            Ok(_) => one(ctx, team, home, &mut view, cancel)?,
            Err(error) => {
                found(&mut view, home, None, FindingKind::Folder, error.what, "Make the folder readable.")
            }
        }
    }
    Ok(view)
}

fn found(
    view: &mut LintView,
    home: &Home,
    version: Option<&str>,
    kind: FindingKind,
    what: String,
    hint: impl Into<String>,
) {
    view.findings.push(Finding {
        prompt: home.name.clone(),
        version: version.map(Untrusted::from),
        kind,
        wrong: kind.is_wrong(),
        what,
        hint: hint.into(),
        trace: None,
        traces: 0,
    });
}

fn one(ctx: &Ctx, team: &TeamConfig, home: &Home, view: &mut LintView, cancel: &Cancel) -> Result<()> {
    let folder = home.look()?;
    let where_to = named(team, &home.folder);
    view.versions += folder.versions.len();
    for oddity in &folder.oddities {
        let hint = if oddity.contains("marked as current") {
            format!("Mark one: tuesday prompt use {} VERSION", home.name)
        } else {
            format!("Look into {where_to}.")
        };
        found(view, home, None, FindingKind::Folder, oddity.clone(), hint);
    }
    if let Some(to) = &folder.under_way {
        let what = format!("The change to {to} did not come to its end: the version before is still marked.");
        let hint = format!("End it: tuesday prompt use {} {to}", home.name);
        found(view, home, Some(to), FindingKind::UnderWay, what, hint);
    }
    let mut texts: Vec<PromptFile> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for version in &folder.versions {
        let name = named(team, &version.path);
        if seen.contains(&version.version.as_str()) {
            let what = format!("More than one file claims to be {}@{}.", home.name, version.version);
            found(view, home, Some(&version.version), FindingKind::Text, what, format!("Take {name} away."));
        }
        seen.push(&version.version);
        match load(&home.name, version) {
            Ok(prompt) if prompt.text.trim().is_empty() => {
                let what = format!("{name} is empty.");
                found(view, home, Some(&version.version), FindingKind::Text, what, "Write its text.");
            }
            Ok(prompt) => {
                if let Some(same) = texts.iter().find(|other| other.sha256 == prompt.sha256) {
                    let what = format!("{} has the same text as {}.", prompt.label, same.label);
                    let hint = "Going from one to the other changes nothing.";
                    found(view, home, Some(&version.version), FindingKind::SameText, what, hint);
                }
                texts.push(prompt);
            }
            Err(error) => {
                let hint = "Store it as UTF-8 that can be read.";
                found(view, home, Some(&version.version), FindingKind::Text, error.what, hint);
            }
        }
    }
    if let Some(current) = folder.current() {
        let history = histories(&home.folder, std::slice::from_ref(&current.path), cancel)?;
        if history.get(&current.path).is_some_and(|history| history.uncommitted) {
            let what = format!("{} is the current version and not committed.", named(team, &current.path));
            let hint = "Commit it, so that others run what you run.";
            found(view, home, Some(&current.version), FindingKind::Uncommitted, what, hint);
        }
    }
    traced(
        ctx,
        home,
        &folder.versions.iter().map(|v| v.version.as_str()).collect::<Vec<_>>(),
        &texts,
        view,
        cancel,
    )
}

/// Holds the traces against the folder.
fn traced(
    ctx: &Ctx,
    home: &Home,
    known: &[&str],
    texts: &[PromptFile],
    view: &mut LintView,
    cancel: &Cancel,
) -> Result<()> {
    let now = ctx.clock.now();
    for (version, traffic) in traffic(ctx, home, Span::new(now, now, 1))? {
        cancel.check()?;
        let samples = ctx.store.newest_of_version(&traffic.served, LOOKED_AT)?;
        let requests = traffic.served.requests.max(0).cast_unsigned();
        if version.is_empty() || !known.contains(&version.as_str()) {
            let (what, hint) = if version.is_empty() {
                (
                    "Traces name the prompt without its version.".to_owned(),
                    "Log the version with each request.".to_owned(),
                )
            } else {
                let what = format!("Traces name {}@{version}, which is not in the folder.", home.name);
                (what, format!("Put its text at {}/{version}.txt.", home.folder.display()))
            };
            found(view, home, Some(&version), FindingKind::UnknownVersion, what, hint);
            if let Some(finding) = view.findings.last_mut() {
                finding.traces = requests;
                finding.trace = samples.into_iter().next().map(|stored| stored.trace.id);
            }
            continue;
        }
        let label = format!("{}@{version}", home.name);
        let Some(prompt) = texts.iter().find(|prompt| prompt.label == label) else { continue };
        let (mut looked_at, mut other) = (0, Vec::new());
        for stored in &samples {
            let Some(agrees) = agreement(&stored.trace, prompt) else { continue };
            looked_at += 1;
            // A text may hold another one whole: the longest that fits was sent.
            if !agrees || sent(&stored.trace, texts).is_some_and(|of| of.text.trim() != prompt.text.trim()) {
                other.push(&stored.trace);
            }
        }
        view.traces += looked_at;
        if looked_at == 0 && !samples.is_empty() {
            view.without_text.push(label.clone());
        }
        let Some(first) = other.first() else { continue };
        let really = sent(first, texts).filter(|of| of.label != label);
        let what = match really {
            Some(of) => format!("Traces that name {label} hold the text of {}.", of.label),
            None => format!("Traces that name {label} hold another text than its file."),
        };
        let hint =
            "Find out which is right: the file may have been edited, or the application sends another text.";
        found(view, home, Some(&version), FindingKind::OtherText, what, hint);
        if let Some(finding) = view.findings.last_mut() {
            finding.traces = other.len() as u64;
            finding.trace = Some(first.id.clone());
        }
    }
    Ok(())
}

/// The longest text that a trace was made with.
fn sent<'a>(trace: &Trace, texts: &'a [PromptFile]) -> Option<&'a PromptFile> {
    let fits = texts.iter().filter(|of| agreement(trace, of) == Some(true));
    fits.max_by_key(|of| of.text.len())
}

/// Whether a trace was made with this text; `None` where it does not say.
fn agreement(trace: &Trace, prompt: &PromptFile) -> Option<bool> {
    let hash = HASHES.iter().find_map(|key| trace.metadata.get(*key)?.as_str());
    if let Some(hash) =
        hash.map(|hash| hash.strip_prefix("sha256:").unwrap_or(hash)).filter(|h| h.len() >= FEWEST)
    {
        return Some(prompt.sha256.starts_with(&hash.to_ascii_lowercase()));
    }
    let Content::Messages(messages) = &trace.input else { return None };
    let mut sent = String::new();
    for message in messages.iter().filter(|message| message.is_instruction()) {
        message.each_text(&mut |piece| {
            sent.push_str(piece);
            sent.push('\n');
        });
    }
    (!sent.trim().is_empty()).then(|| holds(&sent, &prompt.text))
}

/// Whether what was sent holds a text whole; what stands for something else (`{{ name }}`, `{name}`, `${name}`,
/// `{% … %}`) may have become anything, and something may stand before and after. Line ends and space at the
/// ends of lines do not count.
fn holds(sent: &str, text: &str) -> bool {
    let even = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let (sent, text) = (even(sent), even(text));
    let Ok(holes) = regex::Regex::new(r"\{\{.*?\}\}|\{%.*?%\}|\$?\{[A-Za-z_][A-Za-z0-9_.]*\}") else {
        return false;
    };
    let mut rest = sent.as_str();
    holes.split(&text).map(str::trim).filter(|piece| !piece.is_empty()).all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn what_was_sent_holds_the_text_with_its_holes_filled() {
        assert!(holds("You are Robin.\nBe brief.", "You are Robin.  \r\nBe brief.\n"));
        assert!(holds("You are Robin.\nCustomer: Ann", "You are Robin."));
        assert!(holds("Hello Ann, you owe 3.", "Hello {{ name }}, you owe {amount}."));
        assert!(!holds("Hello Ann, you owe 3.", "Hello {{ name }}, you own {amount}."));
        assert!(!holds("You are Robin.", "You are Robin. Be brief."));
    }
}
