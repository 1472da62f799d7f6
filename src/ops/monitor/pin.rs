//! Rules that are pinned to their judge: when the judge changes, its words say nothing beside those before, so the
//! rule pauses, says so, and stays paused until a person takes it up again.

use super::evidence::instant;
use super::instance::Instance;
use super::look::Look;
use super::world::World;
use crate::domain::monitor::{Evidence, Group, Life};
use crate::domain::{Judge, Outcome, judges_changed, speaking};
use crate::stats::{CONFIDENCE, wilson};
use crate::store::{JudgedRow, Resumption};
use crate::text::clean_line;
use crate::text::figures::{plural, share_within};

/// Judged traces from which the share that fails with a judge is known well enough to be what is usual: a chart
/// for 10 % has seven times the false alarms where the truth is 12 %.
pub const ENOUGH_JUDGED: u64 = 1_000;

/// The key of a group that its pause is told under.
const PAUSED: &str = "paused";

/// Which judges are heard: of a rule that is pinned only those, by their places in the set.
pub(super) fn heard(of: &Instance<'_>, life: &Life, world: &World) -> Vec<bool> {
    let heard = |judge: &Judge| !of.rule.pin_judge || life.judges.contains(judge);
    world.judged.judges.iter().map(heard).collect()
}

/// Pauses a pinned rule whose judges, by the traces before this time, are others than those that it is pinned to,
/// and looks again where they are back. A rule that never looked is pinned to those that speak now.
pub(super) fn hold(of: &Instance<'_>, life: &mut Life, world: &World, at: i64) {
    if !of.rule.pin_judge {
        life.unpause();
        return;
    }
    if life.judges.is_empty() {
        life.judges = present(of, world, i64::MAX);
    }
    let now = present(of, world, at);
    match judges_changed(&life.judges, &now) {
        Some(why) => life.pause(at, clean_line(&why).into_string()),
        None => life.unpause(),
    }
}

/// The judges that spoke last of the traces before this time.
pub(super) fn present(of: &Instance<'_>, world: &World, at: i64) -> Vec<Judge> {
    let judges = &world.judged.judges;
    let before = world.judged_of(of.feature).take_while(|row| row.ts < at);
    let words = before.flat_map(|row: &JudgedRow| &row.verdicts.words);
    let told = words.filter(|word| word.outcome != Outcome::Error);
    speaking(judges, told).into_iter().map(|place| judges[place].clone()).collect()
}

/// Traces of which these judges told, and how many of them fail.
pub(super) fn told_by(of: &Instance<'_>, world: &World, judges: &[Judge]) -> (u64, u64) {
    let all = &world.judged.judges;
    let heard: Vec<bool> = all.iter().map(|judge| judges.contains(judge)).collect();
    let told = |row: &JudgedRow| row.verdicts.judge(all, |place| heard[place]);
    world.judged_of(of.feature).filter_map(told).fold((0, 0), |(n, k), good| (n + 1, k + u64::from(!good)))
}

/// What a rule that is paused sees: nothing that it goes by, and what is to be done.
pub(super) fn paused(of: &Instance<'_>, world: &World, at: i64, why: &str) -> Look {
    let (n, k) = told_by(of, world, &present(of, world, at));
    let interval = wilson(k as f64, n as f64, CONFIDENCE).map(|ends| [ends.lower, ends.upper]);
    let so_far = match n {
        0 => String::new(),
        n => format!(
            "; {} of {} fail with it",
            share_within(k as f64 / n as f64, interval),
            plural(usize::try_from(n).unwrap_or(usize::MAX), "judged trace")
        ),
    };
    let note = format!("{why}{so_far}; `tuesday monitor resume {}` trusts it", of.rule.id);
    Look { n, count: Some(k), interval, ..Look::nothing(at, note) }
}

/// Takes a resumption that is newer than what the life knows.
pub(super) fn resume(life: &mut Life, newest: &Resumption) {
    if newest.seq > life.resumed {
        life.resumed = newest.seq;
        life.judges.clone_from(&newest.judges);
        life.baseline = newest.baseline;
        life.unpause();
    }
}

/// The group that the pause of a rule on this group is told under: beside an alert of the rule itself.
pub(super) fn pause_group(group: &Group) -> Group {
    let mut group = group.clone();
    group.insert(PAUSED.to_owned(), "judge changed".into());
    group
}

/// What the alert of a pause stands on.
pub(super) fn evidence(of: &Instance<'_>, life: &Life, look: &Look) -> Evidence {
    let at = instant(life.paused_at.unwrap_or(look.at));
    Evidence {
        summary: format!("paused: {}", look.note),
        metric: of.rule.metric.name().to_owned(),
        interval: look.interval,
        n: look.n,
        count: look.count,
        window: Some([at, at]),
        ..Evidence::default()
    }
}
