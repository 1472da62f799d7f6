//! The post-mortem: Markdown written from the record. Works on an open incident as a draft.
//!
//! A plain writer and not a template: nearly every line is there or not depending on the record, and
//! every text in it has to be made safe on the way in.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::figures::{FiguresRequest, TallyWords, figures_now};
use super::markdown::{code, line, paragraphs};
use super::view::{IncidentView, show};
use crate::domain::incident::{Figures, Missing, Outcome, span_words};
use crate::domain::runbook::{Phase, Section};
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::gate::{WaiverLine, waivers};
use crate::task::Cancel;
use crate::text::figures;
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
    /// What is still missing.
    pub missing: Vec<Missing>,
}

/// Writes the post-mortem of an incident, with times in this zone.
pub fn postmortem(ctx: &Ctx, name: &str, zone: &TimeZone) -> Result<PostmortemView> {
    let mut view = show(ctx, name)?;
    if view.figures.is_none() && view.head.outcome != Some(Outcome::FalseAlarm) {
        // A draft shows how things stand, whoever forgot to take figures.
        let taken = figures_now(ctx, name, &FiguresRequest::default(), &Cancel::default());
        view.figures = taken.ok().map(|now| now.figures).filter(|taken| taken.all.requests > 0);
    }
    let waivers = waivers_of(ctx, &view)?;
    let markdown = Writer { view: &view, waivers, zone, out: String::new() }.write();
    Ok(PostmortemView { id: view.head.id.clone(), draft: draft(&view), markdown, missing: view.missing })
}

/// Writes it into a file. A file that is there already is somebody's work: it is replaced only when
/// `replace` says so.
pub fn save_postmortem(
    ctx: &Ctx,
    name: &str,
    zone: &TimeZone,
    path: &Path,
    replace: bool,
) -> Result<PostmortemView> {
    let written = postmortem(ctx, name, zone)?;
    if write_text(path, &written.markdown, replace)? {
        return Ok(written);
    }
    Err(Error::not_so(format!("{} is there already.", path.display()))
        .hint("Name another file, or replace it with --force: what was edited in it is lost then."))
}

fn draft(view: &IncidentView) -> bool {
    view.head.closed_at.is_none() || !view.missing.is_empty()
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

struct Writer<'a> {
    view: &'a IncidentView,
    waivers: Vec<WaiverLine>,
    zone: &'a TimeZone,
    out: String,
}

impl Writer<'_> {
    fn write(mut self) -> String {
        let view = self.view;
        self.line(&format!("# Post-mortem {}: {}", view.head.id, line(&view.head.title)));
        self.facts();
        if view.head.outcome == Some(Outcome::FalseAlarm) {
            self.heading("False alarm");
            let why = view.closing_note.as_ref().map_or("No reason was given.".to_owned(), paragraphs);
            self.block(&why);
        }
        self.section(
            Section::Summary,
            "Not written yet: what users saw, from when to when, what stopped it.",
        );
        self.impact();
        self.heading("What happened");
        self.timeline();
        self.section(Section::Why, "Not written yet: the trigger, the cause, and what let it through.");
        self.waived();
        self.detection();
        for section in [Section::WentWell, Section::WentBadly, Section::Lucky] {
            self.section(section, "Not written yet.");
        }
        self.section(Section::Prevention, "Not written yet: what keeps it from coming back.");
        self.actions();
        self.evidence();
        self.runbook();
        self.missing();
        self.out
    }

    fn line(&mut self, text: &str) {
        self.out += text;
        self.out.push('\n');
    }

    fn block(&mut self, text: &str) {
        self.line("");
        self.line(text);
    }

    fn heading(&mut self, title: &str) {
        self.block(&format!("## {title}"));
    }

    fn section(&mut self, section: Section, otherwise: &str) {
        let text = self.view.sections.get(&section);
        // Luck is told where there was some; nobody is asked for it.
        if text.is_none() && section == Section::Lucky {
            return;
        }
        self.heading(section.title());
        self.block(&text.map_or(format!("_{otherwise}_"), paragraphs));
    }

    fn at(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned_datetime(self.zone.clone());
        zoned.strftime("%Y-%m-%d %H:%M %:z").to_string()
    }

    fn facts(&mut self) {
        let view = self.view;
        let state = match (view.head.closed_at, draft(view)) {
            (None, _) => "draft, the incident is open".to_owned(),
            (Some(at), true) => format!("draft, closed {}", self.at(at)),
            (Some(at), false) => format!("closed {}", self.at(at)),
        };
        let unknown = || "not known".to_owned();
        let span = |ms: Option<u64>| ms.map_or_else(unknown, span_words);
        let times = &view.times;
        let after = times.detect_ms.map(|ms| format!(" ({} after it began)", span_words(ms)));
        let after = after.unwrap_or_default();
        let rows = [
            ("State", state),
            ("Severity", view.head.severity.map_or_else(unknown, |severity| severity.to_string())),
            ("Feature", view.head.feature.as_ref().map_or("all".to_owned(), line)),
            ("Led by", line(&view.head.commander)),
            ("Began", view.began_at.map_or_else(unknown, |at| self.at(at))),
            ("Detected", format!("{}{after}", self.at(view.head.opened_at))),
            ("Contained", self.reached(Phase::Contain, times.contain_ms)),
            ("Fixed", self.reached(Phase::Fix, times.fix_ms)),
            ("Verified", self.reached(Phase::Verify, times.verify_ms)),
            ("People exposed for", span(times.exposure_ms)),
        ];
        self.line("");
        for (name, value) in rows {
            self.line(&format!("- **{name}:** {value}"));
        }
    }

    fn reached(&self, phase: Phase, after: Option<u64>) -> String {
        let at = self.view.phases.iter().find(|view| view.phase == phase).and_then(|view| view.settled_at);
        match at.zip(after) {
            Some((at, after)) => format!("{} ({} after detection)", self.at(at), span_words(after)),
            None => "not recorded".to_owned(),
        }
    }

    fn waived(&mut self) {
        if self.waivers.is_empty() {
            return;
        }
        self.block("These items of the deployment checklist were waived:");
        self.line("");
        for waiver in std::mem::take(&mut self.waivers) {
            let (item, reason, by) = (waiver.item.title(), line(&waiver.reason), line(&waiver.by));
            let version = line(&Untrusted::new(waiver.version.as_str()));
            self.line(&format!(
                "- {version}, {item} ({}): {reason}; by {by}, used {}, until {}",
                waiver.verdict.words(),
                self.at(waiver.at),
                self.at(waiver.expires)
            ));
        }
    }

    fn impact(&mut self) {
        let view = self.view;
        self.heading("Impact");
        let text = self.view.sections.get(&Section::Impact).map(paragraphs);
        match (&view.figures, &text) {
            (None, None) => self.block("_There was no traffic to count, or none could be read._"),
            (None, Some(_)) => {}
            (Some(taken), _) => self.figures(taken),
        }
        if let Some(text) = text {
            self.block(&text);
        }
    }

    fn figures(&mut self, taken: &Figures) {
        self.block(&format!("| {} |", TallyWords::HEADINGS.join(" | ")));
        self.line("|---|---:|---:|---:|---:|---:|---:|---:|");
        for words in TallyWords::of(taken) {
            let name = line(&words.name);
            // The figures are ours; only the name is somebody's.
            let mut cells = words.cells();
            cells[0] = name;
            self.line(&format!("| {} |", cells.join(" | ")));
        }
        let query = if taken.query.is_empty() { "all traces".to_owned() } else { code(&taken.query) };
        self.block(&format!(
            "From {} to {}, taken {}, over {query}. Shares with their 95 % intervals; thumbs down of all thumbs; \
             users hit are those with an error or a thumb down.",
            self.at(taken.since),
            self.at(taken.until),
            self.at(taken.taken_at)
        ));
    }

    fn timeline(&mut self) {
        self.block("| when | who | what |");
        self.line("|---|---|---|");
        for entry in &self.view.timeline {
            let late = entry.recorded_at.as_millisecond() - entry.at.as_millisecond() >= 60_000;
            let late =
                if late { format!(" (recorded {})", self.at(entry.recorded_at)) } else { String::new() };
            let (when, who, what) = (self.at(entry.at), line(&entry.actor), line(&entry.text));
            self.line(&format!("| {when} | {who} | {what}{late} |"));
        }
    }

    fn detection(&mut self) {
        self.heading(Section::Detection.title());
        let gap = match self.view.times.detect_ms {
            Some(0) => "It was noticed at once.".to_owned(),
            Some(gap) => format!("It went unnoticed for {}.", span_words(gap)),
            None => "When it began is not recorded, so neither is how long it went unnoticed.".to_owned(),
        };
        self.block(&gap);
        if let Some(text) = self.view.sections.get(&Section::Detection) {
            self.block(&paragraphs(text));
        }
    }

    fn actions(&mut self) {
        self.heading("Actions");
        if self.view.actions.is_empty() {
            self.block("_None agreed on yet._");
            return;
        }
        self.block("| | what | to | owner | due |");
        self.line("|---:|---|---|---|---|");
        let or_open = |text: &Option<Untrusted>| text.as_ref().map_or("**nobody yet**".to_owned(), line);
        for (number, action) in (1..).zip(&self.view.actions) {
            let due = action.due.as_ref().map_or("**no date yet**".to_owned(), line);
            let (text, kind) = (line(&action.text), action.kind.name());
            self.line(&format!("| {number} | {text} | {kind} | {} | {due} |", or_open(&action.owner)));
        }
    }

    fn evidence(&mut self) {
        self.heading("Evidence");
        if self.view.evidence.is_empty() {
            self.block("_No traces were attached._");
        } else {
            self.line("");
        }
        for trace in &self.view.evidence {
            let mut head = format!("- {}", code(&trace.id));
            if let Some(version) = &trace.version {
                head += &format!(", version {}", code(version));
            }
            if let Some(time) = trace.time {
                head += &format!(", {}", self.at(time));
            }
            self.line(&head);
            self.line(&format!("  - asked: {}", code(&trace.asked)));
            self.line(&format!("  - answered: {}", code(&trace.answered)));
        }
        if !self.view.queries.is_empty() {
            self.line("");
        }
        for query in &self.view.queries {
            self.line(&format!("- query {}", code(query)));
        }
    }

    fn runbook(&mut self) {
        self.heading("Runbook");
        let (name, hash) = (line(&self.view.runbook.name), &self.view.runbook.hash);
        let record = match self.view.record.broken_at {
            None => format!(
                "The record holds {} and is whole.",
                figures::plural(self.view.record.events, "event")
            ),
            Some(seq) => format!("**The record was changed from outside at event {seq}.**"),
        };
        self.block(&format!("“{name}”, blake3 `{}`. {record}", &hash[..hash.len().min(16)]));
        self.block("| phase | step | state | owner | took | note |");
        self.line("|---|---|---|---|---:|---|");
        for phase in &self.view.phases {
            for step in &phase.steps {
                let owner = step.owner.as_ref().map(line).unwrap_or_default();
                let note = step.note.as_ref().map(line).unwrap_or_default();
                let took = if step.state.is_settled() { span_words(step.taken_ms) } else { String::new() };
                let over = if step.over_box { " (over its time)" } else { "" };
                self.line(&format!(
                    "| {} | {} | {} | {owner} | {took}{over} | {note} |",
                    phase.title,
                    line(&step.title),
                    step.state.name()
                ));
            }
        }
    }

    fn missing(&mut self) {
        if self.view.missing.is_empty() {
            return;
        }
        self.heading("Still missing");
        self.line("");
        for missing in &self.view.missing {
            let what = line(&Untrusted::from(missing.what.as_str()));
            self.line(&format!("- {what}: {}", code(&missing.way.as_str().into())));
        }
    }
}
