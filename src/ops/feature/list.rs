//! The features that there are: how each is switched, how it stands, and what the last minutes say.

use serde::Serialize;

use super::effect::{Confirmed, Effect, effect};
use super::{Variable, last, recorded};
use crate::domain::prompt::TeamConfig;
use crate::domain::switch::{Power, SwitchEvent, SwitchOf};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::prompt::homes;
use crate::store::{Detail, HOUR_MS, NameKind, Sums};
use crate::task::Cancel;
use crate::wire::flag::{Flag, Reading};

/// The minutes whose traffic tells whether a switch took.
const MINUTES: i64 = 5;
const MINUTE_MS: i64 = 60_000;

/// One feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureRow {
    /// Its name.
    pub feature: Untrusted,
    /// The kind of its switch; none where the configuration says none.
    pub kind: Option<&'static str>,
    /// What switches it, in words.
    pub switch: Option<String>,
    /// How it stands, as it reads now.
    pub state: Option<Power>,
    /// Why that cannot be told.
    pub unknown: Option<String>,
    /// The last line of its record.
    pub last: Option<SwitchEvent>,
    /// Whether it is known what came of the last switch.
    pub settled: bool,
    /// What is not as it should be.
    pub notes: Vec<String>,
    /// The requests of the last minutes.
    pub served: Served,
    /// Those of the last day: the whole hours of it, and the one that is not over.
    pub day: Served,
    /// Those of each of its hours, oldest first; the last is not over.
    pub hours: Vec<Served>,
    /// What the traces say of the last switch.
    pub effect: Option<Effect>,
    /// Its prompt, where one belongs to it.
    pub prompt: Option<PromptAt>,
}

/// A feature's prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromptAt {
    /// Its name.
    pub prompt: String,
    /// The current version; `None`: there is none, or the folder cannot be read.
    pub current: Option<String>,
}

/// Requests of some time, up to now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Served {
    /// How many minutes that are.
    pub minutes: i64,
    /// All.
    pub requests: u64,
    /// Those that a fallback answered.
    pub fallback: u64,
}

impl Served {
    fn add(&mut self, sums: &Sums) {
        self.requests += sums.requests.max(0).cast_unsigned();
        self.fallback += sums.fallbacks.max(0).cast_unsigned();
    }
}

/// The features of the configuration, and those that traces name. `read`: ask each switch how it stands.
pub fn list(
    ctx: &Ctx,
    team: &TeamConfig,
    read: bool,
    variable: Variable<'_>,
    cancel: &Cancel,
) -> Result<Vec<FeatureRow>> {
    let mut rows = Vec::new();
    for feature in &team.features {
        let mut row = row(ctx, feature.name.as_str().into())?;
        if let Some(spec) = &feature.switch {
            row.kind = Some(spec.kind.name());
            match Flag::connect(spec, &feature.name, &team.home, variable) {
                Ok(flag) => {
                    row.switch = Some(flag.place());
                    if read {
                        look(&flag, &mut row, cancel)?;
                    } else {
                        row.unknown = Some("it was not asked".to_owned());
                    }
                }
                Err(error) => row.unknown = Some(error.what),
            }
        } else {
            row.unknown = Some("no switch is configured".to_owned());
        }
        rows.push(row);
    }
    let prompts = homes(team);
    for row in &mut rows {
        let home = prompts.iter().find(|home| home.feature.as_deref() == Some(row.feature.raw()));
        row.prompt = home.map(|home| PromptAt {
            prompt: home.name.clone(),
            current: home.look().ok().and_then(|at| at.current().map(|version| version.version.clone())),
        });
    }
    for name in ctx.store.names_of(NameKind::Feature)? {
        if team.features.iter().all(|feature| feature.name != name) {
            let mut row = row(ctx, name.into())?;
            row.unknown = Some("no switch is configured".to_owned());
            rows.push(row);
        }
    }
    Ok(rows)
}

fn look(flag: &Flag<'_>, row: &mut FeatureRow, cancel: &Cancel) -> Result<()> {
    let mut told = |reading: Result<Reading>| match reading {
        Ok(Reading::Is(power)) => Ok(Some(power)),
        Ok(Reading::Unknown(why)) => {
            row.unknown = Some(why);
            Ok(None)
        }
        Err(error) if error.kind == crate::domain::ErrorKind::Cancelled => Err(error),
        Err(error) => {
            row.unknown = Some(error.what);
            Ok(None)
        }
    };
    let own = told(flag.read(cancel))?;
    let evaluated = if flag.is_evaluated() { told(flag.evaluate(cancel))? } else { None };
    row.state = own.or(evaluated);
    if let (Some(own), Some(evaluated)) = (own, evaluated)
        && own != evaluated
    {
        row.notes.push(format!("It is switched {}, and evaluates as {}.", own.word(), evaluated.word()));
    }
    let said = row.last.as_ref().and_then(recorded);
    if let (Some(state), Some(said)) = (row.state, said)
        && state != said
    {
        row.notes.push(format!(
            "It was switched {} here last, and reads {}: somebody else switched it.",
            said.word(),
            state.word()
        ));
    }
    // Of a switch that was made here the effect says more.
    let told =
        row.effect.as_ref().is_some_and(|effect| effect.to == Power::Off && effect.verdict != Confirmed::Yes);
    if row.state == Some(Power::Off) && row.served.requests > row.served.fallback && !told {
        row.notes.push("It is off, and models still answered in the last minutes.".to_owned());
    }
    if row.state.is_some() {
        row.unknown = None;
    }
    Ok(())
}

fn row(ctx: &Ctx, feature: Untrusted) -> Result<FeatureRow> {
    let record = ctx.store.switches(SwitchOf::Feature, feature.raw())?;
    let settled = last(&record).is_none_or(|(_, settled)| settled);
    let mut served = Served { minutes: MINUTES, ..Served::default() };
    let mut day = Served { minutes: 24 * 60, ..Served::default() };
    let mut hours = vec![Served { minutes: 60, ..Served::default() }; 25];
    let id = ctx.store.name_id(NameKind::Feature, feature.raw())?;
    let effect = effect(ctx, id, record.iter().rfind(|event| recorded(event).is_some()))?;
    if let Some(id) = id {
        let hour = ctx.clock.now().as_millisecond().div_euclid(HOUR_MS);
        ctx.store.each_hour(Detail::Whole, Some(id), (hour - 24, hour), |row| {
            let sums = row.counted();
            day.add(&sums);
            if let Some(of) = usize::try_from(row.hour - (hour - 24)).ok().and_then(|at| hours.get_mut(at)) {
                of.add(&sums);
            }
        })?;
        let now = ctx.clock.now().as_millisecond();
        let from = now - MINUTES * MINUTE_MS;
        // Counted within one hour at a time.
        let turn = now.div_euclid(HOUR_MS) * HOUR_MS;
        for (from, to) in [(from, turn.max(from)), (turn.max(from), now)] {
            if from >= to {
                continue;
            }
            for hour in ctx.store.part_of_hour(Detail::Whole, Some(id), from, to)? {
                served.add(&hour.sums);
            }
        }
    }
    Ok(FeatureRow {
        feature,
        kind: None,
        switch: None,
        state: None,
        unknown: None,
        last: record.last().cloned(),
        settled,
        notes: Vec::new(),
        served,
        day,
        hours,
        effect,
        prompt: None,
    })
}
