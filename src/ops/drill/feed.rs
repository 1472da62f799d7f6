//! The world of a drill: traffic that arrives by the drill's clock, answered by whatever the sandbox says is on, a
//! judge that looks at some of it, and the monitors.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::place::Place;
use super::scenario::{JUDGE_WRONG, fault, named, onset, ships};
use super::traffic::Traffic;
use crate::domain::drill::Scenario;
use crate::domain::monitor::{Metric, Monitors};
use crate::domain::switch::Power;
use crate::domain::{Assessment, Error, LabelBody, Method, Outcome, Result, Untrusted, Verdict as Said};
use crate::ops::demo::{Served, Version};
use crate::ops::incident::step::Hands;
use crate::ops::label::{self, LabelRequest};
use crate::ops::prompt::{Home, UseSpec, home, use_version};
use crate::ops::sample::{self, DrawSpec};
use crate::ops::{Ctx, import, monitor};
use crate::store::TraceScoreRow;
use crate::task::{Cancel, Progress};
use crate::wire::flag::{Flag, Reading};
use crate::wire::prompts_dir::Folder;
use crate::wire::write::new_file::write_text;

/// Who ships new versions in a drill: nobody who may take part.
pub(super) const DEPLOYER: &str = "release-bot";

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// The judge and the monitors look this often, in minutes.
const JUDGE_EVERY: i64 = 10;
const WATCH_EVERY: i64 = 5;
/// Traces that the judge looks at, at a time: a share that lets a verification come to its end within hours.
const JUDGED: u64 = 50;
/// Traces of the history that are judged.
const JUDGED_BEFORE: u64 = 600;

/// Of these monitors, those that a drill can run. Its history is quieter than its day: what is spent would look like
/// a run-away from the first minute.
pub fn watched(mut monitors: Monitors) -> Monitors {
    monitors.rules.retain(|rule| rule.metric != Metric::Spend);
    monitors
}

/// The world.
pub struct Feed {
    place: Place,
    hands: Arc<Hands>,
    traffic: Traffic,
    fed: Timestamp,
    minute: i64,
    off_since: Option<Timestamp>,
    shipped: bool,
    truths: HashMap<Untrusted, bool>,
    /// Requests that the fault harmed so far.
    pub harmed: u64,
}

impl Feed {
    /// The world of this drill from its beginning on.
    pub fn new(place: &Place, hands: Arc<Hands>, traffic: Traffic) -> Self {
        let of = &place.plan;
        Self {
            traffic,
            fed: of.begin,
            minute: 0,
            off_since: None,
            shipped: false,
            truths: HashMap::new(),
            harmed: 0,
            place: place.clone(),
            hands,
        }
    }

    /// Lets everything happen up to the minute that it is now by the drill's clock. Gives how many requests arrived.
    pub fn advance(&mut self, ctx: &Ctx) -> Result<usize> {
        let now = ctx.clock.now();
        let mut arrived = 0;
        while self.fed + MINUTE <= now {
            self.fed += MINUTE;
            self.minute += 1;
            arrived += self.a_minute(ctx)?;
        }
        Ok(arrived)
    }

    fn a_minute(&mut self, ctx: &Ctx) -> Result<usize> {
        let (scenario, begin) = (self.place.plan.scenario, self.place.plan.begin);
        if ships(scenario) && !self.shipped && self.fed >= onset(begin) {
            self.ship(ctx)?;
        }
        let off = self.is_off()?;
        self.off_since = if off { self.off_since.or(Some(self.fed)) } else { self.off_since };
        let stage = &self.place.plan.stage;
        let fault = fault(scenario, stage, begin, self.fed, self.off_since);
        let current = self.current()?;
        let guilty = current.as_ref() == Some(&stage.guilty);
        let version = if guilty { Version::V4 } else { Version::V3 };
        let served = Served { off, version, fault };
        let made = self.traffic.due(self.fed, &served, stage, current.as_deref());
        let count = made.len();
        let harmful = fault.is_some() || served.version == Version::V4;
        for (trace, good) in &made {
            if harmful && !off && !good {
                self.harmed += 1;
            }
            self.truths.insert(trace.id.clone(), *good);
        }
        if count > 0 {
            import::traces(ctx, made.into_iter().map(|(trace, _)| trace))?;
        }
        if self.minute % JUDGE_EVERY == 0 {
            self.judge(ctx)?;
        }
        if self.minute % WATCH_EVERY == 0 {
            monitor::pass(ctx, &watched(Monitors::default()))?;
        }
        Ok(count)
    }

    /// The prompt's folder in the sandbox, where there is one.
    fn prompts(&self) -> Result<Option<Home>> {
        let prompt = self.place.plan.stage.prompt.as_deref();
        prompt.map(|prompt| home(self.hands.team(), prompt)).transpose()
    }

    /// The new version ships: in the sandbox's prompts, as a team's deployment would.
    fn ship(&mut self, ctx: &Ctx) -> Result<()> {
        self.shipped = true;
        let Some(home) = self.prompts()? else { return Ok(()) };
        let guilty = &self.place.plan.stage.guilty;
        let deployer = Ctx { reviewer: DEPLOYER.to_owned(), ..ctx.clone() };
        use_version(&deployer, self.hands.team(), &home, guilty, &UseSpec::default(), &Cancel::default())
            .map(drop)
    }

    /// The version of the prompt that is in force.
    fn current(&self) -> Result<Option<String>> {
        let Some(home) = self.prompts()? else { return Ok(None) };
        Ok(look(&home)?.current().map(|version| version.version.clone()))
    }

    /// Whether the feature is switched off.
    pub(super) fn is_off(&self) -> Result<bool> {
        let team = self.hands.team();
        let feature = team.features.iter().find(|feature| feature.name == self.place.plan.stage.feature);
        let Some(spec) = feature.and_then(|feature| feature.switch.as_ref()) else { return Ok(false) };
        // A sandbox's switches are files: nothing is looked up.
        let flag = Flag::connect(spec, &self.place.plan.stage.feature, &team.home, &|_| None)?;
        Ok(matches!(flag.read(&Cancel::default())?, Reading::Is(Power::Off)))
    }

    /// Whether the judge is broken now.
    fn judge_is_broken(&self) -> bool {
        self.place.plan.scenario == Scenario::Judge && self.fed >= onset(self.place.plan.begin)
    }

    fn judge(&mut self, ctx: &Ctx) -> Result<()> {
        let since = self.fed - MINUTE * i32::try_from(JUDGE_EVERY).unwrap_or(10);
        let name = format!("judged-{:03}", self.minute);
        let broken = self.judge_is_broken();
        let truths = std::mem::take(&mut self.truths);
        let feature = &self.place.plan.stage.feature;
        judged(ctx, &name, feature, (since, self.fed), JUDGED, broken, |trace| truths.get(trace).copied())
    }
}

fn look(home: &Home) -> Result<Folder> {
    crate::wire::prompts_dir::look(&home.folder)
        .map_err(|e| Error::failed("The drill's prompts cannot be read.").because(e))
}

/// The version that ships in a team's own prompt: the current one with one sentence more.
pub(super) fn write_guilty(home: &Home, guilty: &str) -> Result<()> {
    let folder = look(home)?;
    let current = folder.current().and_then(|version| std::fs::read_to_string(&version.path).ok());
    let text = current.unwrap_or_default();
    let sentence = "Always tell people what they can do themselves right away.";
    let path = home.folder.join(format!("{guilty}.txt"));
    write_text(&path, &format!("{}\n{sentence}\n", text.trim_end()), true).map(drop)
}

/// Judges some of the history, so that what is usual is known.
pub(super) fn judge_history(
    ctx: &Ctx,
    feature: &str,
    begin: Timestamp,
    truths: &HashMap<Untrusted, bool>,
) -> Result<()> {
    let since = begin - SignedDuration::from_hours(24 * 10);
    judged(
        ctx,
        "judged-before",
        feature,
        (since, begin - SignedDuration::from_hours(48)),
        JUDGED_BEFORE,
        false,
        |trace| truths.get(trace).copied(),
    )
}

/// Draws some traces evenly and writes the judge's word on each, as a label and as an evaluator's score.
fn judged(
    ctx: &Ctx,
    name: &str,
    feature: &str,
    (since, at): (Timestamp, Timestamp),
    size: u64,
    broken: bool,
    good: impl Fn(&Untrusted) -> Option<bool>,
) -> Result<()> {
    let judge = Ctx { reviewer: "judge".to_owned(), ..ctx.clone() };
    let spec = DrawSpec {
        name: name.to_owned(),
        method: Method::Size(size),
        query: Some(named(feature).to_string()),
        since: Some(since),
        strata: Vec::new(),
        suspicious: false,
        seed: 1,
    };
    let drawn = match sample::draw(&judge, &spec, &Cancel::default(), &Progress::default()) {
        Ok(drawn) => drawn,
        // Nobody asked anything: there is nothing to judge.
        Err(error) if error.kind == crate::domain::ErrorKind::NotSo => return Ok(()),
        Err(error) => return Err(error),
    };
    let wrong = if broken { JUDGE_WRONG.0 } else { JUDGE_WRONG.1 };
    let mut scores = Vec::new();
    for member in &drawn.members {
        let Some(good) = good(&member.trace) else { continue };
        // By the trace's name, so that the same drill has the same judge.
        let chance = f64::from(crate::store::id_hash(member.trace.raw()).rem_euclid(1_000) as u16) / 1_000.0;
        let pass = if chance < wrong { !good } else { good };
        let said = if pass { Said::Pass } else { Said::Fail };
        let request = LabelRequest {
            trace: member.trace.clone(),
            sample: Some(name.to_owned()),
            body: LabelBody::verdict(said),
        };
        label::label(&judge, &request)?;
        scores.push(TraceScoreRow {
            trace: member.trace.clone(),
            decider: if broken { "judge by gpt-4o-mini" } else { "judge by gpt-4o" }.to_owned(),
            subject: *blake3::hash(member.trace.raw().as_bytes()).as_bytes(),
            at,
            word: Assessment {
                evaluator: "judge".to_owned(),
                kind: "judge".to_owned(),
                version: "1".to_owned(),
                outcome: if pass { Outcome::Pass } else { Outcome::Fail },
                score: None,
                explanation: "".into(),
                span: None,
                criteria: Default::default(),
                by: Some(if broken { "gpt-4o-mini" } else { "gpt-4o" }.to_owned()),
                cost_usd: None,
            },
        });
    }
    ctx.store.keep_trace_scores(&scores)
}
