//! Made traffic with a planted fault, or without: what an assessment says of it.
//!
//! For the bench and for tests. Requests come hour by hour as in the demo, with kinds of questions that always fail
//! more than others, and go through the same figures as those of a store.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::figures::{Names, Spec, figures, find};
use super::gather::{CellKey, Part, cell_of};
use super::measure::Measure;
use crate::domain::Result;
use crate::store::{Beside, HOUR_MS, Judgement, RequestRow, Slice};

/// Days of traffic before the end.
const DAYS: i64 = 16;
/// The end, in milliseconds: any whole hour does.
const END: i64 = 1_763_964_000_000;
/// Shares of the values of each dimension that is drawn by itself: kinds, models, languages.
const KINDS: [f64; 8] = [0.20, 0.18, 0.15, 0.13, 0.11, 0.10, 0.07, 0.06];
const MODELS: [f64; 4] = [0.4, 0.3, 0.2, 0.1];
const LANGUAGES: [f64; 4] = [0.55, 0.20, 0.15, 0.10];
/// How much more than others the first kinds fail every day.
const HABIT: [f64; 8] = [1.6, 1.0, 1.2, 0.8, 1.0, 0.9, 1.1, 0.7];
/// Slices of less traffic than this are not planted: a value, a pair.
const LEAST: [f64; 2] = [0.06, 0.10];

/// What an assessment said of a planted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The slice that was planted comes first.
    pub right_slice: bool,
    /// The hour in which it began is plausible, within an hour.
    pub right_onset: bool,
}

/// Numbers from a seed.
struct Dice(ChaCha8Rng);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        weights
            .iter()
            .position(|weight| {
                left -= weight;
                left < 0.0
            })
            .unwrap_or(weights.len() - 1)
    }
}

/// A fault: what has all of these values fails at this rate since then.
struct Fault {
    slice: Vec<(usize, (i64, i64))>,
    rate: f64,
    since: i64,
}

impl Fault {
    fn holds(&self, cell: &CellKey) -> bool {
        self.slice.iter().all(|(at, value)| cell[*at] == *value)
    }
}

/// Ids: the prompt is 1, its versions 3 and 4, kinds from 100, models from 200, languages from 300.
const VERSION: (i64, i64) = (1, 4);

/// A value or a pair of values with enough traffic, `v4` being the share of version v4.
fn slice(dice: &mut Dice, v4: f64) -> Vec<(usize, (i64, i64))> {
    let value = |dice: &mut Dice, dimension: usize| match dimension {
        0 => ((0, VERSION), v4),
        1 => {
            let kind = dice.weighted(&KINDS);
            ((1, (100 + kind as i64, 0)), KINDS[kind])
        }
        2 => {
            let model = dice.weighted(&MODELS);
            ((2, (200 + model as i64, 0)), MODELS[model])
        }
        _ => {
            let language = dice.weighted(&LANGUAGES);
            ((3, (300 + language as i64, 0)), LANGUAGES[language])
        }
    };
    loop {
        let first = dice.weighted(&[0.4, 0.25, 0.2, 0.15]);
        let (one, share) = value(dice, first);
        if dice.unit() < 0.5 {
            if share >= LEAST[0] {
                return vec![one];
            }
            continue;
        }
        let second = dice.weighted(&[0.25, 0.25, 0.25, 0.25]);
        let (other, part) = value(dice, second);
        if first < second && share * part >= LEAST[1] {
            return vec![one, other];
        }
    }
}

/// Requests of all days, oldest first.
fn traffic(dice: &mut Dice, v4: (f64, i64), usual: f64, fault: Option<&Fault>) -> Vec<RequestRow> {
    let an_hour = dice.between(70.0, 160.0);
    let mut rows = Vec::new();
    for hour in 0..DAYS * 24 {
        let from = END - (DAYS * 24 - hour) * HOUR_MS;
        // Nights are half as busy as days.
        let busy = 1.0
            - 0.33
                * (from.rem_euclid(24 * HOUR_MS) as f64 / HOUR_MS as f64 / 24.0 * std::f64::consts::TAU)
                    .cos();
        for _ in 0..(an_hour * busy).round() as i64 {
            let at = from + (dice.unit() * HOUR_MS as f64) as i64;
            let kind = dice.weighted(&KINDS);
            let version = if at >= v4.1 && dice.unit() < v4.0 { 4 } else { 3 };
            let mut row = RequestRow {
                seq: rows.len() as i64 + 1,
                at,
                slice: Slice {
                    feature: 9,
                    model: 200 + dice.weighted(&MODELS) as i64,
                    prompt: 1,
                    version,
                    language: 300 + dice.weighted(&LANGUAGES) as i64,
                },
                topic: 100 + kind as i64,
                user: Some((dice.unit() * 2000.0) as i64),
                ..RequestRow::default()
            };
            let ill = fault.filter(|fault| at >= fault.since && fault.holds(&cell_of(&row)));
            let rate = ill.map_or(usual * HABIT[kind], |fault| fault.rate);
            row.judged = Some(Judgement { failed: dice.unit() < rate, probability: 1.0 });
            rows.push(row);
        }
    }
    rows
}

struct Numbers;

impl Names for Numbers {
    fn value(&mut self, _at: usize, (a, b): (i64, i64)) -> Result<String> {
        Ok(if (a, b) == (0, 0) { super::NONE.to_owned() } else { format!("{a}/{b}") })
    }

    fn part(&mut self, part: Part) -> Result<String> {
        match part {
            Part::Version(a, b) => self.value(0, (a, b)),
            Part::Model(a) => self.value(2, (a, 0)),
        }
    }
}

fn assessed(rows: &[RequestRow]) -> Result<super::Assessment> {
    let spec = Spec { opened: END, began: None, until: END, measure: Some(Measure::Judged) };
    let mut source = |(from, to): (i64, i64), _: Beside, each: &mut dyn FnMut(&RequestRow)| {
        rows.iter().filter(|row| (from..to).contains(&row.at)).for_each(each);
        Ok(())
    };
    let mut found = find(&mut source, &spec)?;
    Ok(figures(&mut found, END, &mut Numbers)?.0)
}

/// Version v4 answers this share since then.
fn roll_out(dice: &mut Dice, since: Option<i64>) -> (f64, i64) {
    let at = END - (dice.between(6.0, 300.0) * HOUR_MS as f64) as i64;
    (dice.between(0.3, 0.9), since.unwrap_or(at))
}

/// Plants the fault of this seed, and looks. The slice fails at 30 to 45 % since 8 to 40 hours.
///
/// # Errors
/// None that made traffic would give.
pub fn planted(seed: u64) -> Result<Seen> {
    let mut dice = Dice::new(seed.wrapping_mul(2).wrapping_add(1));
    let since = END - (dice.between(8.0, 40.0) * HOUR_MS as f64) as i64;
    let (share, _) = roll_out(&mut dice, None);
    let slice = slice(&mut dice, share);
    // A fault of v4 comes with it; another comes when it likes.
    let with_v4 = slice.iter().any(|(at, _)| *at == 0);
    let v4 = (share, roll_out(&mut dice, with_v4.then_some(since)).1);
    let usual = dice.between(0.03, 0.10);
    let fault = Fault { slice, rate: dice.between(0.30, 0.45), since };
    let rows = traffic(&mut dice, v4, usual, Some(&fault));
    let of = assessed(&rows)?;
    let mut wanted: Vec<(usize, String)> = fault
        .slice
        .iter()
        .map(|(at, ids)| Numbers.value(*at, *ids).map(|name| (*at, name)))
        .collect::<Result<_>>()?;
    wanted.sort();
    let first = of.slices.ranked.first().map(|one| one.key.clone());
    let plausible = of.onset.plausible.is_some_and(|[first, last]| {
        (first.as_millisecond() - HOUR_MS..=last.as_millisecond() + HOUR_MS).contains(&since)
    });
    Ok(Seen { right_slice: first.as_ref() == Some(&wanted), right_onset: plausible })
}

/// Looks at the quiet traffic of this seed, and tells whether anything is claimed of it.
///
/// # Errors
/// None that made traffic would give.
pub fn claims_of_quiet(seed: u64) -> Result<bool> {
    let mut dice = Dice::new(seed.wrapping_mul(2).wrapping_add(0x5EED));
    let v4 = roll_out(&mut dice, None);
    let usual = dice.between(0.03, 0.10);
    let rows = traffic(&mut dice, v4, usual, None);
    Ok(assessed(&rows)?.claims())
}
