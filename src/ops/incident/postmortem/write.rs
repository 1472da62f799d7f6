//! The words of a post-mortem, as Markdown.
//!
//! A plain writer and not a template: nearly every line is there or not depending on the record, and
//! every text in it has to be made safe on the way in.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::figures::TallyWords;
use super::super::markdown::{code, line, paragraphs};
use super::Told;
use super::facts::CASES;
use super::impact::{at_words, impact};
use crate::domain::Untrusted;
use crate::domain::incident::{Figures, Outcome, span_words};
use crate::domain::runbook::{Phase, Section};
use crate::text::figures;

/// A part of the document: from its heading, where it has one, to the next.
pub(super) struct Part {
    /// The heading.
    pub(super) title: &'static str,
    /// Heading and text.
    pub(super) text: String,
}

/// The heading under which the figures stand.
pub(super) const IMPACT: &str = "Impact";

/// The heading of the time line.
pub(super) const TIMELINE: &str = "What happened";
/// The heading of what is to be done.
pub(super) const ACTIONS: &str = "Actions";
/// The heading of what is still missing.
pub(super) const MISSING: &str = "Still missing";

/// The document, part by part.
pub(super) fn parts(told: &Told, zone: &TimeZone) -> Vec<Part> {
    Writer { told, zone, parts: Vec::new() }.write()
}

pub(super) struct Writer<'a> {
    pub(super) told: &'a Told,
    pub(super) zone: &'a TimeZone,
    parts: Vec<Part>,
}

impl Writer<'_> {
    fn write(mut self) -> Vec<Part> {
        let view = &self.told.view;
        self.parts.push(Part { title: "", text: String::new() });
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
        self.heading(TIMELINE);
        self.timeline();
        self.section(Section::Trigger, "Not written yet: the change or event that came just before.");
        self.section(Section::Why, "Not written yet: the trigger, the cause, and what let it through.");
        self.waived();
        self.attribution();
        self.difference();
        self.detection();
        for section in [Section::WentWell, Section::WentBadly, Section::Lucky] {
            self.section(section, "Not written yet.");
        }
        self.section(Section::Prevention, "Not written yet: what keeps it from coming back.");
        self.actions();
        self.eval_set();
        self.evidence();
        self.runbook();
        self.readers();
        self.missing();
        self.parts
    }

    pub(super) fn line(&mut self, text: &str) {
        if let Some(part) = self.parts.last_mut() {
            part.text += text;
            part.text.push('\n');
        }
    }

    pub(super) fn block(&mut self, text: &str) {
        self.line("");
        self.line(text);
    }

    pub(super) fn heading(&mut self, title: &'static str) {
        self.parts.push(Part { title, text: String::new() });
        self.block(&format!("## {title}"));
    }

    fn section(&mut self, section: Section, otherwise: &str) {
        let text = self.told.view.sections.get(&section);
        // Luck is told where there was some; nobody is asked for it.
        if text.is_none() && matches!(section, Section::Lucky | Section::Trigger) {
            return;
        }
        self.heading(section.title());
        self.block(&text.map_or(format!("_{otherwise}_"), paragraphs));
    }

    pub(super) fn at(&self, at: Timestamp) -> String {
        at_words(at, self.zone)
    }

    fn facts(&mut self) {
        let view = &self.told.view;
        let state = match (view.head.closed_at, self.told.draft()) {
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
            (
                "Acknowledged",
                times.acknowledge_ms.map_or_else(unknown, |ms| format!("{} after detection", span_words(ms))),
            ),
            ("Contained", self.reached(Phase::Contain, times.contain_ms)),
            ("Fixed", self.reached(Phase::Fix, times.fix_ms)),
            ("Verified", self.reached(Phase::Verify, times.verify_ms)),
            ("People exposed for", span(times.exposure_ms)),
            ("Review", self.review()),
        ];
        self.line("");
        for (name, value) in rows {
            self.line(&format!("- **{name}:** {value}"));
        }
    }

    fn review(&self) -> String {
        let facts = &self.told.facts;
        if !facts.readers.is_empty() {
            return "read".to_owned();
        }
        match facts.review_due {
            Some(due) if due < self.told.view.as_of => format!("was due {}", self.at(due)),
            Some(due) => format!("due {}", self.at(due)),
            None if self.told.view.head.closed_at.is_none() => "due once it is closed".to_owned(),
            None => "no date at this severity".to_owned(),
        }
    }

    fn reached(&self, phase: Phase, after: Option<u64>) -> String {
        let at =
            self.told.view.phases.iter().find(|view| view.phase == phase).and_then(|view| view.settled_at);
        match at.zip(after) {
            Some((at, after)) => format!("{} ({} after detection)", self.at(at), span_words(after)),
            None => "not recorded".to_owned(),
        }
    }

    fn waived(&mut self) {
        if self.told.waivers.is_empty() {
            return;
        }
        self.block("These items of the deployment checklist were waived:");
        self.line("");
        for waiver in &self.told.waivers {
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
        let view = &self.told.view;
        self.heading(IMPACT);
        self.sums();
        self.periods();
        let text = self.told.view.sections.get(&Section::Impact).map(paragraphs);
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
        self.block("| when | who | what | the traces that show it |");
        self.line("|---|---|---|---|");
        for entry in &self.told.view.timeline {
            let late = entry.recorded_at.as_millisecond() - entry.at.as_millisecond() >= 60_000;
            let late =
                if late { format!(" (recorded {})", self.at(entry.recorded_at)) } else { String::new() };
            let (when, who, what) = (self.at(entry.at), line(&entry.actor), line(&entry.text));
            let query = entry.query.as_ref().map(line).unwrap_or_default();
            self.line(&format!("| {when} | {who} | {what}{late} | {query} |"));
        }
    }

    fn detection(&mut self) {
        self.heading(Section::Detection.title());
        let gap = match self.told.view.times.detect_ms {
            Some(0) => "It was noticed at once.".to_owned(),
            Some(gap) => format!("It went unnoticed for {}.", span_words(gap)),
            None => match self.told.findings.undetected() {
                Some((at, gap)) => format!(
                    "When it began is not recorded. By the traces it began {} and went unnoticed for {}.",
                    self.at(at),
                    span_words(gap)
                ),
                None => "When it began is not recorded, so neither is how long it went unnoticed.".to_owned(),
            },
        };
        self.block(&gap);
        if let Some(text) = self.told.view.sections.get(&Section::Detection) {
            self.block(&paragraphs(text));
        }
        self.tuning();
    }

    fn actions(&mut self) {
        self.heading(ACTIONS);
        if self.told.view.actions.is_empty() {
            self.block("_None agreed on yet._");
            return;
        }
        self.block("| | what | to | owner | due |");
        self.line("|---:|---|---|---|---|");
        let or_open = |text: &Option<Untrusted>| text.as_ref().map_or("**nobody yet**".to_owned(), line);
        for (number, action) in (1..).zip(&self.told.view.actions) {
            let due = action.due.as_ref().map_or("**no date yet**".to_owned(), line);
            let (text, kind) = (line(&action.text), action.kind.name());
            self.line(&format!("| {number} | {text} | {kind} | {} | {due} |", or_open(&action.owner)));
        }
    }

    fn eval_set(&mut self) {
        self.heading(Section::EvalSet.title());
        let facts = &self.told.facts;
        let noun = if facts.promoted == 1 { "is a case" } else { "are cases" };
        let enough = if facts.promoted < CASES { format!("; {CASES} are asked for") } else { String::new() };
        self.block(&format!(
            "{} of the {} attached {noun} of an eval set now{enough}.",
            facts.promoted,
            figures::plural(usize::try_from(facts.evidence).unwrap_or(usize::MAX), "trace")
        ));
        if let Some(text) = self.told.view.sections.get(&Section::EvalSet) {
            self.block(&paragraphs(text));
        }
    }

    fn readers(&mut self) {
        if self.told.facts.readers.is_empty() {
            return;
        }
        self.heading("Read by");
        let readers: Vec<String> = self.told.facts.readers.iter().map(line).collect();
        self.block(&readers.join(", "));
    }

    /// What it came to, beyond what is usual.
    fn sums(&mut self) {
        if self.told.view.head.outcome == Some(Outcome::FalseAlarm) {
            return;
        }
        self.block("| what | how much |");
        self.line("|---|---|");
        for (name, value) in impact(&self.told.facts, &self.told.findings, self.zone) {
            self.line(&format!("| {name} | {value} |"));
        }
    }

    fn evidence(&mut self) {
        self.heading("Evidence");
        if self.told.view.evidence.is_empty() {
            self.block("_No traces were attached._");
        } else {
            self.line("");
        }
        for trace in &self.told.view.evidence {
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
        if !self.told.view.queries.is_empty() {
            self.line("");
        }
        for query in &self.told.view.queries {
            self.line(&format!("- query {}", code(query)));
        }
    }

    fn runbook(&mut self) {
        self.heading("Runbook");
        let (name, hash) = (line(&self.told.view.runbook.name), &self.told.view.runbook.hash);
        let record = match self.told.view.record.broken_at {
            None => format!(
                "The record holds {} and is whole.",
                figures::plural(self.told.view.record.events, "event")
            ),
            Some(seq) => format!("**The record was changed from outside at event {seq}.**"),
        };
        self.block(&format!("“{name}”, blake3 `{}`. {record}", &hash[..hash.len().min(16)]));
        self.block("| phase | step | state | owner | took | note |");
        self.line("|---|---|---|---|---:|---|");
        for phase in &self.told.view.phases {
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
        if self.told.view.missing.is_empty() {
            return;
        }
        self.heading(MISSING);
        self.line("");
        for missing in &self.told.view.missing {
            let what = line(&Untrusted::from(missing.what.as_str()));
            self.line(&format!("- {what}: {}", code(&missing.way.as_str().into())));
        }
    }
}
