//! Item 3: what a request costs, and what that makes of the forecast volume, against the budget.

use super::candidate::{Candidate, Found, Missing};
use super::said::{ENDS, Said, verdict};
use crate::domain::Result;
use crate::domain::gate::Verdict;
use crate::stats::mean_interval;
use crate::store::HOUR_MS;
use crate::text::figures::{dollars, thousands};

/// Days of a month, in which budgets are stated.
const DAYS: f64 = 30.0;
/// Days of traffic that make a forecast.
const FORECAST_DAYS: i64 = 7;
/// Answers from which a mean decides although its interval does not.
const ENOUGH: usize = 20;

/// Item 3.
pub(super) fn item(candidate: &Candidate<'_>, found: &std::result::Result<Found, Missing>) -> Result<Said> {
    let found = match found {
        Ok(found) => found,
        Err(missing) => return Ok(missing.into()),
    };
    let spec = &candidate.spec.cost;
    let costs: Vec<f64> = found
        .results
        .iter()
        .filter_map(|result| result.answer()?.cost_usd)
        .filter(|usd| usd.is_finite())
        .collect();
    let run = found.name();
    let Some((mean, ends)) = mean_interval(&costs, ENDS) else {
        let words = format!("What an answer costs is known of {} of the run {run}.", costs.len());
        let next = "write [prices.\"MODEL\"] with `input` and `output` into tuesday.toml, and run again";
        return Ok(Said::new(Verdict::NotEnoughData, "the cost is not known", words).next(next));
    };
    if spec.max_usd.is_none() && spec.budget_usd.is_none() {
        let words = format!("An answer costs {} in the mean; no budget is stated.", dollars(mean));
        let next = format!("write [item.cost] with max_usd or budget_usd into {}", candidate.gate_file());
        let mut said =
            Said::new(Verdict::NotEnoughData, format!("{}, no budget stated", dollars(mean)), words);
        said.interval = Some(ends);
        (said.set, said.run) = (Some(found.set()), Some(run));
        return Ok(said.with("mean_usd", mean).next(next));
    }
    let (mut met, mut proven, mut disproven) = (true, true, false);
    let mut words = format!(
        "An answer costs {} in the mean, {} to {}, over {} of the run {run}.",
        dollars(mean),
        dollars(ends.lower),
        dollars(ends.upper),
        costs.len()
    );
    let mut figure = format!("{} a request, at most {}", dollars(mean), dollars(ends.upper));
    let mut figures = vec![("mean_usd", mean), ("upper_usd", ends.upper), ("answers", costs.len() as f64)];
    let mut hold = |times: f64, limit: f64| {
        met &= mean * times <= limit;
        proven &= ends.upper * times <= limit;
        disproven |= ends.lower * times > limit;
    };
    if let Some(max) = spec.max_usd {
        hold(1.0, max);
        words.push_str(&format!(" It may cost {}.", dollars(max)));
        figures.push(("max_usd", max));
    }
    if let Some(budget) = spec.budget_usd {
        let Some(daily) = spec.requests_per_day.map_or_else(|| forecast(candidate), |n| Ok(Some(n)))? else {
            let words = format!("{words} How many requests there will be is not known.");
            let next = format!("write [item.cost] requests_per_day into {}", candidate.gate_file());
            return Ok(Said::new(Verdict::NotEnoughData, "no traffic to forecast from", words).next(next));
        };
        let times = daily * DAYS;
        hold(times, budget);
        words.push_str(&format!(
            " At {} requests a day 30 days cost {}, at most {}; the budget is {}.",
            thousands(daily.round() as i64),
            dollars(mean * times),
            dollars(ends.upper * times),
            dollars(budget)
        ));
        figure = format!("{} a month of {}", dollars(mean * times), dollars(budget));
        figures.extend([("requests_per_day", daily), ("budget_usd", budget)]);
    }
    let of = verdict(met, met && proven, disproven, costs.len() >= ENOUGH, spec.need);
    let mut said = Said::new(of, figure, words).next(format!("tuesday eval show {run}"));
    said.proven = met && proven;
    said.interval = Some(ends);
    (said.set, said.run) = (Some(found.set()), Some(run));
    Ok(figures.into_iter().fold(said, |said, (name, value)| said.with(name, value)))
}

/// Requests of the feature in a day, in the mean of the last seven.
fn forecast(candidate: &Candidate<'_>) -> Result<Option<f64>> {
    let now = candidate.now.as_millisecond().div_euclid(HOUR_MS);
    let features = candidate.ctx.store.features(now - FORECAST_DAYS * 24, now)?;
    let of = features.iter().find(|of| of.name.as_ref().is_some_and(|name| name.raw() == candidate.feature));
    // Rounded so that the evidence is not another one with every request.
    Ok(of.map(|of| (of.requests as f64 / FORECAST_DAYS as f64).round()).filter(|daily| *daily > 0.0))
}
