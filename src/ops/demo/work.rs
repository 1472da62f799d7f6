//! The work of two people that a demo comes with, so that no screen is empty: samples partly reviewed,
//! an eval set, an incident that is over. All of it goes through the real ops, at times in the past
//! days, and follows the truth with a little human error.

use jiff::Timestamp;
use serde::Deserialize;

use super::calendar::Calendar;
use super::dice::Dice;
use super::make::Picked;
use super::phrase::Phrase;
use super::truth::{Cause, Mode, Truth, Verdict};
use super::{DemoSpec, Generator};
use crate::domain::incident::{Action, ActionKind, Outcome};
use crate::domain::{
    self, Error, ExpectedKind, LabelBody, Member, Method, ModeId, Result, SetName, Severity, Untrusted,
};
use crate::ops::Ctx;
use crate::ops::incident::{self, Act, OpenRequest};
use crate::ops::label::{self, LabelRequest};
use crate::ops::promote::{self, CaseFields, PromoteRequest};
use crate::ops::sample::{self, DrawSpec};
use crate::task::{Cancel, Clock, Progress};

const PURPOSE: u64 = 0x3042;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How many traces of the week's sample are labelled, and in how many of two sittings.
const LABELLED: usize = 37;
const FIRST_SITTING: usize = 22;
/// How many of them the second reviewer has labelled too, and at most how many failures among them.
/// The two disagree on one of the failures and on one of the others.
const SECOND_LABELLED: usize = 12;
const SECOND_FAILURES: usize = 5;
/// Which of the labels is "unsure".
const UNSURE: usize = 17;
/// How often the first reviewer errs.
const ERRS: f64 = 0.04;

#[derive(Deserialize)]
struct ReviewWords {
    note: Vec<Phrase>,
    pass_note: Vec<Phrase>,
    unsure: Vec<Phrase>,
    case: Vec<CaseWords>,
}

#[derive(Deserialize)]
struct CaseWords {
    kind: String,
    category: String,
    expected: String,
    reasoning: String,
}

#[derive(Deserialize)]
struct IncidentWords {
    title: String,
    opened: i64,
    by: String,
    act: Vec<ActWords>,
}

#[derive(Deserialize)]
struct ActWords {
    at: i64,
    by: String,
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    step: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    owner: Option<String>,
    text: String,
}

/// The people and what they know.
struct Office<'a> {
    ctx: &'a Ctx,
    generator: Generator,
    calendar: Calendar,
    now_ms: i64,
    words: ReviewWords,
    dice: Dice,
}

/// What the work came to.
pub struct Done {
    pub samples: Vec<String>,
    pub labels: u64,
    pub cases: u64,
    pub incidents: Vec<String>,
}

/// Does the work on a store that holds the traces of this demo.
pub fn work(ctx: &Ctx, spec: &DemoSpec, picked: &Picked) -> Result<Done> {
    let mut office = Office {
        ctx,
        generator: Generator::new(*spec),
        calendar: Calendar::new(spec.now, spec.traces),
        now_ms: spec.now.as_millisecond(),
        words: read("review.toml", include_str!("../../../fixtures/demo/review.toml"))?,
        dice: Dice::new(spec.seed, PURPOSE, 0),
    };
    let incidents = office.incident(picked)?;
    let week =
        format!("week-{}", jiff::tz::TimeZone::UTC.to_datetime(spec.now).date().iso_week_date().week());
    let mut done = Done { samples: Vec::new(), labels: 0, cases: 0, incidents };
    let failing = office.week(&week, &mut done)?;
    office.cases(&failing, picked, &mut done)?;
    super::runs::runs(ctx, spec, &office.generator)?;
    Ok(done)
}

fn read<T: for<'de> Deserialize<'de>>(name: &str, text: &str) -> Result<T> {
    toml::from_str(text)
        .map_err(|why| Error::failed(format!("The demo's {name} cannot be read.")).because(why))
}

impl Office<'_> {
    /// The request context of a person at a time.
    fn at(&self, who: &str, ms: i64) -> Ctx {
        let time = Timestamp::from_millisecond(ms).unwrap_or(self.ctx.clock.now());
        Ctx { clock: Clock::fixed(time), reviewer: who.to_owned(), evals_dir: None, ..self.ctx.clone() }
    }

    /// The samples of the week and their labels; gives the failures that were corrected.
    fn week(&mut self, name: &str, done: &mut Done) -> Result<Vec<Untrusted>> {
        let drawn_ms = (self.now_ms - 27 * HOUR) / MINUTE * MINUTE;
        let Some(sample) = self.draw(name, drawn_ms, 100, false)? else { return Ok(Vec::new()) };
        done.samples.push(name.to_owned());
        let mut failing = Vec::new();
        let mut labelled: Vec<(Untrusted, LabelBody)> = Vec::new();
        let mut at = drawn_ms + 4 * MINUTE;
        for member in &sample {
            if labelled.len() == LABELLED {
                break;
            }
            if labelled.len() == FIRST_SITTING {
                at = at.max(self.now_ms - 66 * MINUTE);
            }
            at += self.dice.log_normal(9_000.0, 0.55).clamp(2_500.0, 90_000.0) as i64;
            let ann = self.at("ann", at);
            let truth = self.truth(&member.trace);
            let (Some(truth), false) =
                (truth, truth.is_some_and(|t| matches!(t.verdict, Verdict::NoAnswer(_))))
            else {
                label::skip(&ann, &member.trace, Some(name))?;
                continue;
            };
            let body = self.judge(&member.trace, truth, labelled.len() == UNSURE);
            if body.corrected.is_some() {
                failing.push(member.trace.clone());
            }
            let request = LabelRequest {
                trace: member.trace.clone(),
                sample: Some(name.to_owned()),
                body: body.clone(),
            };
            label::label(&ann, &request)?;
            labelled.push((member.trace.clone(), body));
            done.labels += 1;
        }
        done.labels += self.second_reviewer(name, &labelled)?;
        let suspects = format!("{name}-suspicious");
        if self.draw(&suspects, self.now_ms - 55 * MINUTE, 60, true)?.is_some() {
            done.samples.push(suspects);
        }
        Ok(failing)
    }

    /// Draws a sample of the last seven days; `None` when there is nothing to draw, as in a tiny demo.
    fn draw(&self, name: &str, at_ms: i64, size: u64, suspicious: bool) -> Result<Option<Vec<Member>>> {
        let ctx = self.at("ann", at_ms);
        let spec = DrawSpec {
            name: name.to_owned(),
            method: Method::Size(size),
            query: Some(format!("feature:customer_support before:{}", ctx.clock.now())),
            since: Timestamp::from_millisecond(at_ms - 7 * DAY).ok(),
            strata: Vec::new(),
            suspicious,
            seed: 1,
        };
        match sample::draw(&ctx, &spec, &Cancel::default(), &Progress::default()) {
            Ok(view) => Ok(Some(view.members)),
            Err(error) if error.kind == domain::ErrorKind::NotSo => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn truth(&self, trace: &Untrusted) -> Option<Truth> {
        self.generator.truth(trace.raw())
    }

    /// What the first reviewer makes of an answer.
    fn judge(&mut self, trace: &Untrusted, truth: Truth, unsure: bool) -> LabelBody {
        let words = &self.words;
        let dice = &mut self.dice;
        let errs = dice.chance(ERRS);
        let mode = match truth.verdict {
            Verdict::Fails(mode) if !errs => Some(mode),
            Verdict::Good if errs => Some(*dice.pick(&[Mode::WrongTone, Mode::TooVerbose])),
            _ => None,
        };
        let Some(facts) = self.generator.facts(trace.raw()) else { return LabelBody::default() };
        let mut say = |from: &[&Phrase]| Untrusted::new(dice.pick(from).render(&facts.case, dice));
        if unsure {
            let note = say(&words.unsure.iter().collect::<Vec<_>>());
            return LabelBody { note: Some(note), ..LabelBody::verdict(domain::Verdict::Unsure) };
        }
        let Some(mode) = mode else {
            let note = say(&words.pass_note.iter().collect::<Vec<_>>());
            let note = dice.chance(0.12).then_some(note);
            return LabelBody { note, ..LabelBody::verdict(domain::Verdict::Pass) };
        };
        let planted = truth.cause == Cause::OverdraftAdvice && mode == Mode::IgnoredInstructions;
        let mark = match mode {
            Mode::IgnoredInstructions => facts.ignored,
            other => other.id(),
        };
        let fitting: Vec<&Phrase> = words.note.iter().filter(|note| note.has_mark(mark)).collect();
        let note = Some(say(&fitting));
        let severity = match mode {
            _ if planted => Severity::High,
            Mode::HallucinatedFacts => Severity::High,
            Mode::WrongTone | Mode::IgnoredInstructions | Mode::OffTopic => Severity::Medium,
            Mode::TooVerbose => Severity::Low,
        };
        let corrects = planted || mode == Mode::HallucinatedFacts;
        LabelBody {
            verdict: Some(domain::Verdict::Fail),
            mode: Some(ModeId::new(mode.id())),
            severity: Some(severity),
            note,
            corrected: corrects.then(|| facts.corrected.into()),
        }
    }

    /// Labels of the second reviewer, who has seen some failures and some others in the queue's order.
    fn second_reviewer(&mut self, sample: &str, first: &[(Untrusted, LabelBody)]) -> Result<u64> {
        use domain::Verdict::{Fail, Pass};
        let failed = |(_, body): &&(Untrusted, LabelBody)| body.verdict == Some(Fail);
        let failures = first.iter().filter(failed).count().min(SECOND_FAILURES);
        let (mut fails_left, mut passes_left) = (failures, SECOND_LABELLED - failures);
        let mut at = self.now_ms - 58 * MINUTE;
        let mut given = 0;
        for (trace, body) in first {
            let left = match body.verdict {
                Some(Fail) => &mut fails_left,
                Some(Pass) => &mut passes_left,
                _ => continue,
            };
            if *left == 0 {
                continue;
            }
            *left -= 1;
            at += self.dice.log_normal(11_000.0, 0.4).clamp(3_000.0, 40_000.0) as i64;
            // On the last of each the two disagree.
            let body = match body.verdict {
                Some(Fail) if fails_left == 0 => {
                    LabelBody { note: Some("I'd let that stand".into()), ..LabelBody::verdict(Pass) }
                }
                Some(Pass) if passes_left == 0 => LabelBody {
                    severity: Some(Severity::Low),
                    note: Some("could be half as long".into()),
                    ..LabelBody::fail(Some(ModeId::new(Mode::TooVerbose.id())))
                },
                _ => LabelBody { note: None, corrected: None, ..body.clone() },
            };
            let request = LabelRequest { trace: trace.clone(), sample: Some(sample.to_owned()), body };
            label::label(&self.at("jo", at), &request)?;
            given += 1;
        }
        Ok(given)
    }

    /// The eval set: corrected failures, and answers of each kind that did well.
    fn cases(&mut self, failing: &[Untrusted], picked: &Picked, done: &mut Done) -> Result<()> {
        let set = SetName::parse("support")?;
        let mut at = self.now_ms - 48 * MINUTE;
        let mut promote = |office: &Self, trace: &Untrusted, fields: CaseFields| -> Result<()> {
            at += 70_000;
            let request = PromoteRequest {
                traces: vec![trace.clone()],
                set: set.clone(),
                fields,
                skip_duplicates: true,
            };
            let report = promote::promote(&office.at("ann", at), &request)?;
            done.cases +=
                report.promoted.iter().filter(|p| p.outcome == promote::Outcome::Added).count() as u64;
            Ok(())
        };
        for trace in failing.iter().take(6) {
            promote(self, trace, CaseFields { category: Some("plain".to_owned()), ..CaseFields::default() })?;
        }
        let mut labels = 0;
        for (place, words) in self.words.case.iter().enumerate() {
            let Some(trace) = picked.good.get(words.kind.as_str()) else { continue };
            let ann = self.at("ann", self.now_ms - 40 * MINUTE + place as i64 * 20_000);
            let body = LabelBody::verdict(domain::Verdict::Pass);
            label::label(&ann, &LabelRequest { trace: trace.clone(), sample: None, body })?;
            labels += 1;
            let fields = CaseFields {
                expected: Some(words.expected.clone()),
                expected_kind: Some(ExpectedKind::Behaviour),
                reasoning: Some(words.reasoning.clone()),
                category: Some(words.category.clone()),
                ..CaseFields::default()
            };
            promote(self, trace, fields)?;
        }
        done.labels += labels;
        Ok(())
    }

    /// The incident of the day on which the provider refused; none when no trace was hit.
    fn incident(&self, picked: &Picked) -> Result<Vec<String>> {
        if picked.refused.is_empty() {
            return Ok(Vec::new());
        }
        let words: IncidentWords =
            read("incident.toml", include_str!("../../../fixtures/demo/incident.toml"))?;
        let (began, _) = self.calendar.burst_ms();
        let time = |minutes: i64| began + minutes * MINUTE;
        let request = OpenRequest {
            title: words.title.as_str().into(),
            feature: Some("customer_support".into()),
            ..OpenRequest::default()
        };
        let opened = incident::open(&self.at(&words.by, time(words.opened)), request)?;
        for act in &words.act {
            let ctx = self.at(&act.by, time(act.at));
            match act.what.as_str() {
                "attach" => drop(incident::attach(&ctx, &opened.head.id, &picked.refused)?),
                "close" => {
                    drop(incident::close(
                        &ctx,
                        &opened.head.id,
                        Outcome::Resolved,
                        Some(act.text.as_str().into()),
                    )?);
                }
                _ => drop(incident::act(&ctx, &opened.head.id, self.act(act, began)?, None)?),
            }
        }
        Ok(vec![opened.head.id])
    }

    fn act(&self, words: &ActWords, began_ms: i64) -> Result<Act> {
        let text = || Untrusted::from(words.text.as_str());
        let unknown = || Error::failed(format!("The demo's incident has an act {:?}.", words.what));
        let step = words.step.clone();
        Ok(match words.what.as_str() {
            "done" => Act::Done { step, note: Some(text()) },
            "skip" => Act::Skip { step, note: Some(text()) },
            "note" => Act::Note { text: text(), step: None },
            "began" => Act::Began {
                began_at: Timestamp::from_millisecond(began_ms).map_err(|why| unknown().because(why))?,
            },
            "severity" => {
                let sev = domain::runbook::Severity::from_name(&words.text).ok_or_else(unknown)?;
                Act::Severity { severity: sev, note: None }
            }
            "action" => {
                let kind = ActionKind::ALL.into_iter().find(|kind| kind.name() == words.kind);
                let day = Timestamp::from_millisecond(self.now_ms + 12 * DAY)
                    .map_err(|why| unknown().because(why))?;
                Act::AddAction {
                    action: Action {
                        text: text(),
                        kind: kind.ok_or_else(unknown)?,
                        owner: words.owner.as_deref().map(Untrusted::from),
                        due: Some(jiff::tz::TimeZone::UTC.to_datetime(day).date().to_string().into()),
                    },
                }
            }
            _ => return Err(unknown()),
        })
    }
}
