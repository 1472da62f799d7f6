//! The post-mortem, written from the record: Markdown, and the same as a page with charts. Works on an open
//! incident as a draft.

mod facts;
mod page;
mod write;

use std::path::Path;

use jiff::tz::TimeZone;
use serde::Serialize;

pub use facts::Facts;

use super::figures::{FiguresRequest, figures_now};
use super::view::{IncidentView, view};
use crate::domain::incident::{Missing, Outcome};
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
    /// What is still missing.
    pub missing: Vec<Missing>,
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
    waivers: Vec<WaiverLine>,
}

/// Writes the post-mortem of an incident, with times in this zone.
pub fn postmortem(ctx: &Ctx, name: &str, zone: &TimeZone) -> Result<PostmortemView> {
    let told = Told::of(ctx, name)?;
    let markdown = write::parts(&told, zone).into_iter().map(|part| part.text).collect();
    Ok(PostmortemView {
        id: told.view.head.id.clone(),
        draft: told.draft(),
        markdown,
        facts: told.facts,
        missing: told.view.missing,
    })
}

/// The same as a page.
pub fn postmortem_page(ctx: &Ctx, name: &str, zone: &TimeZone) -> Result<String> {
    page::page(ctx, &Told::of(ctx, name)?, zone)
}

/// Writes it into a file. A file that is there already is somebody's work: it is replaced only when
/// `replace` says so.
pub fn save_postmortem(
    ctx: &Ctx,
    name: &str,
    zone: &TimeZone,
    (path, form): (&Path, Form),
    replace: bool,
) -> Result<PostmortemView> {
    let written = postmortem(ctx, name, zone)?;
    let text = match form {
        Form::Markdown => written.markdown.clone(),
        Form::Html => postmortem_page(ctx, name, zone)?,
    };
    if write_text(path, &text, replace)? {
        return Ok(written);
    }
    Err(Error::not_so(format!("{} is there already.", path.display()))
        .hint("Name another file, or replace it with --force: what was edited in it is lost then."))
}

impl Told {
    fn of(ctx: &Ctx, name: &str) -> Result<Self> {
        let file = ctx.store.incident(&IncidentRef::parse(name)?)?;
        let mut view = view(&file, (false, ctx.is_drill()), ctx.clock.now());
        if view.figures.is_none() && view.head.outcome != Some(Outcome::FalseAlarm) {
            // A draft shows how things stand, whoever forgot to take figures.
            let taken = figures_now(ctx, name, &FiguresRequest::default(), &Cancel::default());
            view.figures = taken.ok().map(|now| now.figures).filter(|taken| taken.all.requests > 0);
        }
        let facts = Facts::of(ctx, &file.incident, &file.record, view.figures.as_ref(), view.as_of)?;
        view.missing.extend(facts.missing(&file.incident));
        let waivers = waivers_of(ctx, &view)?;
        Ok(Self { view, facts, waivers })
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
