//! The post-mortem, written from the record: Markdown, and the same as a page with charts. Works on an open
//! incident as a draft.

mod causes;
mod facts;
mod findings;
mod impact;
mod page;
mod write;

use std::path::Path;

use jiff::tz::TimeZone;
use serde::Serialize;

pub use facts::Facts;
pub use findings::{Configured, Findings};

use super::figures::{FiguresRequest, figures_now};
use super::view::{IncidentView, view};
use crate::domain::incident::{Action, Missing, Outcome, Times};
use crate::domain::{Error, Result};
use crate::ops::Ctx;
use crate::ops::gate::{WaiverLine, waivers};
use crate::store::IncidentRef;
use crate::task::Cancel;
use crate::wire::write::new_file::write_text;

/// A post-mortem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PostmortemView {
    /// `INC-7`.
    pub id: String,
    /// Whether it is still being written: the incident is open, or something is missing.
    pub draft: bool,
    /// The document.
    pub markdown: String,
    /// What it came to, in figures.
    pub facts: Facts,
    /// What the traces tell.
    pub findings: Findings,
    /// How long things took.
    pub times: Times,
    /// Lines of the time line, and those of them that lead to traces.
    pub timeline: (usize, usize),
    /// What is to be done.
    pub actions: Vec<Action>,
    /// What is still missing.
    pub missing: Vec<Missing>,
}

impl PostmortemView {
    /// What it came to, in lines: a name and a value each.
    pub fn impact(&self, zone: &TimeZone) -> Vec<(&'static str, String)> {
        impact::impact(&self.facts, &self.findings, zone)
    }
}

/// What the document is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// Text for a repository or a wiki.
    #[default]
    Markdown,
    /// One file with charts, without a script, for a browser.
    Html,
}

impl Form {
    /// That which the name of a file asks for.
    pub fn of_file(path: &Path) -> Self {
        let html = path.extension().is_some_and(|of| of.eq_ignore_ascii_case("html") || of == "htm");
        if html { Self::Html } else { Self::Markdown }
    }
}

/// All that is told.
struct Told {
    view: IncidentView,
    facts: Facts,
    findings: Findings,
    waivers: Vec<WaiverLine>,
}

/// Writes the post-mortem of an incident, with times in this zone. Reads the traces of the incident and of the weeks
/// before.
pub fn postmortem(
    ctx: &Ctx,
    by: &Configured,
    name: &str,
    zone: &TimeZone,
    cancel: &Cancel,
) -> Result<PostmortemView> {
    Told::of(ctx, by, name, zone, cancel).map(|told| told.view(zone))
}

/// The same as a page.
pub fn postmortem_page(
    ctx: &Ctx,
    by: &Configured,
    name: &str,
    zone: &TimeZone,
    cancel: &Cancel,
) -> Result<String> {
    page::page(ctx, &Told::of(ctx, by, name, zone, cancel)?, zone)
}

/// Where a post-mortem is written to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file.
    pub path: &'a Path,
    /// As what.
    pub form: Form,
    /// A file that is there already is somebody's work: it is replaced only where this says so.
    pub replace: bool,
}

/// Writes it into a file.
pub fn save_postmortem(
    ctx: &Ctx,
    by: &Configured,
    name: &str,
    (zone, to): (&TimeZone, Place<'_>),
    cancel: &Cancel,
) -> Result<PostmortemView> {
    let told = Told::of(ctx, by, name, zone, cancel)?;
    let page = match to.form {
        Form::Markdown => None,
        Form::Html => Some(page::page(ctx, &told, zone)?),
    };
    let written = told.view(zone);
    if write_text(to.path, page.as_ref().unwrap_or(&written.markdown), to.replace)? {
        return Ok(written);
    }
    Err(Error::not_so(format!("{} is there already.", to.path.display()))
        .hint("Name another file, or replace it with --force: what was edited in it is lost then."))
}

impl Told {
    fn of(ctx: &Ctx, by: &Configured, name: &str, zone: &TimeZone, cancel: &Cancel) -> Result<Self> {
        let file = ctx.store.incident(&IncidentRef::parse(name)?)?;
        let mut view = view(&file, (false, ctx.is_drill()), ctx.clock.now());
        if view.figures.is_none() && view.head.outcome != Some(Outcome::FalseAlarm) {
            // A draft shows how things stand, whoever forgot to take figures.
            let taken = figures_now(ctx, name, &FiguresRequest::default(), cancel);
            view.figures = taken.ok().map(|now| now.figures).filter(|taken| taken.all.requests > 0);
        }
        let (taken, now) = (view.figures.as_ref(), view.as_of);
        let mut facts = Facts::of(ctx, &file.incident, (&file.record, taken), now, zone)?;
        view.missing.extend(facts.missing(&file.incident, now, zone));
        let findings = Findings::of(ctx, by, (&view, &facts), cancel)?;
        if let Some(began) = findings.began(&view) {
            facts.exposed_since = began.min(facts.exposed_until);
        }
        let waivers = waivers_of(ctx, &view)?;
        Ok(Self { view, facts, findings, waivers })
    }

    fn view(self, zone: &TimeZone) -> PostmortemView {
        let markdown = write::parts(&self, zone).into_iter().map(|part| part.text).collect();
        let lines = &self.view.timeline;
        PostmortemView {
            id: self.view.head.id.clone(),
            draft: self.draft(),
            markdown,
            facts: self.facts,
            findings: self.findings,
            times: self.view.times,
            timeline: (lines.len(), lines.iter().filter(|line| line.query.is_some()).count()),
            actions: self.view.actions,
            missing: self.view.missing,
        }
    }

    fn draft(&self) -> bool {
        self.view.head.closed_at.is_none() || !self.view.missing.is_empty()
    }
}

/// The waivers in force, while it lasted, of the gates of the versions that it is about.
fn waivers_of(ctx: &Ctx, view: &IncidentView) -> Result<Vec<WaiverLine>> {
    let Some(feature) = &view.head.feature else { return Ok(Vec::new()) };
    let began = view.began_at.unwrap_or(view.head.opened_at);
    let ended = view.head.closed_at.unwrap_or(view.as_of);
    let mut lines = waivers(ctx, feature.raw(), ended, began)?;
    if let Some(figures) = &view.figures {
        let served = |version: &str| {
            figures
                .by_version
                .iter()
                .any(|(name, _)| name.raw().rsplit_once('@').is_some_and(|(_, of)| of == version))
        };
        lines.retain(|line| served(&line.version));
    }
    Ok(lines)
}
