//! The reference cases of what monitors are made of.

use serde_json::{Map, Value, json};

use super::control::{Cusum, PageHinkley, ewma};
use super::exact::poisson_upper;
use super::interval::quantile_ranks;
use super::means::{Moments, Welch, burn_rate, robust_z};
use super::reference::Input;
use super::slices::{SliceCell, attribute};
use super::tail::{Usual, beta_binomial_upper, clumping, false_alarms};

/// What the program says, as in [`super::reference`].
pub(super) fn answer(function: &str, input: &Input<'_>) -> Option<Value> {
    Some(match function {
        "betabinom_upper_tail" => {
            let (k, n) = (input.n("k"), input.n("n"));
            json!({ "p_value": beta_binomial_upper(k, n, input.f("a"), input.f("b")) })
        }
        "betabinom_critical_count" => {
            let (n, alpha) = (input.n("n"), input.f("alpha"));
            let clumped = Usual { rate: input.f("p0"), clumping: input.f("rho") };
            let plain = Usual { clumping: 0.0, ..clumped };
            let (k, actual) = clumped.critical(n, 0, alpha).unwrap();
            let (binomial, _) = plain.critical(n, 0, alpha).unwrap();
            json!({
                "k": k,
                "alpha_actual": actual,
                "k_binomial": binomial,
                "alpha_if_binomial_k_used": clumped.upper(binomial, n),
            })
        }
        "overdispersion_moment" => {
            let pairs = input.list("n").into_iter().zip(input.list("k")).collect::<Vec<_>>();
            let of = clumping(&pairs).unwrap();
            json!({ "p": of.rate, "phi": of.dispersion, "rho": of.correlation })
        }
        "false_alarm_estimate" => {
            let (alpha, window) = (input.f("alpha_actual"), input.f("window_h"));
            json!({ "expected": false_alarms(alpha, window, input.f("c"), input.f("days")) })
        }
        "bernoulli_cusum_weights" => {
            let (p0, p1) = (input.f("p0"), input.f("p1"));
            let chart = Cusum::design(p0, p1, 9000.0).unwrap();
            json!({
                "m_exact": Cusum::weight(p0, p1), "m_int": chart.fail + 1, "step_fail": chart.fail,
                "step_pass": chart.step(1, false) as i64 - 1,
            })
        }
        "bernoulli_cusum_arl" => {
            let fail = input.n("step_fail") as u32;
            let of = |limit: u32| {
                let chart = Cusum { fail, limit };
                let runs: Vec<f64> = input.list("p").into_iter().map(|p| chart.run_length(p)).collect();
                (limit.to_string(), json!(runs))
            };
            let all: Map<_, _> = [30, 40, 50, 60, 70, 80].map(of).into_iter().collect();
            json!({ "arl": all })
        }
        "bernoulli_cusum_design" => {
            let designs = input.0["pairs"].as_array().unwrap().iter().map(|pair| {
                let (p0, p1) = (pair[0].as_f64().unwrap(), pair[1].as_f64().unwrap());
                let chart = Cusum::design(p0, p1, input.f("arl0_min")).unwrap();
                json!({
                    "m": chart.fail + 1, "step_fail": chart.fail, "H": chart.limit,
                    "arl0": chart.run_length(p0), "arl1": chart.run_length(p1),
                })
            });
            json!({ "designs": designs.collect::<Vec<_>>() })
        }
        "bernoulli_cusum_path" => {
            let chart = Cusum { fail: input.n("step_fail") as u32, limit: input.n("H") as u32 };
            let (mut sum, mut path, mut alarms) = (0, Vec::new(), Vec::new());
            for (at, fail) in input.list("fails").into_iter().enumerate() {
                sum = chart.step(sum, fail == 1.0);
                path.push(sum);
                if chart.alarms(sum) {
                    alarms.push(at);
                    sum = 0;
                }
            }
            json!({ "path": path, "alarm_indices": alarms })
        }
        "ewma_proportion" => {
            let (usual, width) = (input.f("mu0"), input.f("L"));
            let points = ewma(&input.list("x"), input.f("n_per_point"), usual, input.f("lambda_"), width);
            let over = points.iter().enumerate().filter(|(_, point)| point.value > point.limit);
            json!({
                "z": points.iter().map(|point| point.value).collect::<Vec<_>>(),
                "ucl": points.iter().map(|point| point.limit).collect::<Vec<_>>(),
                "alarm_indices": over.map(|(at, _)| at).collect::<Vec<_>>(),
            })
        }
        "page_hinkley_increase" => {
            let (delta, lambda) = (input.f("delta"), input.f("lambda_"));
            let (mut of, mut path, mut alarms) = (PageHinkley::default(), Vec::new(), Vec::new());
            for (at, x) in input.list("x").into_iter().enumerate() {
                let statistic = of.step(x == 1.0, delta);
                path.push(statistic);
                if of.alarms(statistic, lambda, input.n("min_instances") as u32) {
                    alarms.push(at);
                    of = PageHinkley::default();
                }
            }
            json!({ "stat": path, "alarm_indices": alarms })
        }
        "quantile_ci_ranks" => {
            let of = quantile_ranks(input.f("q"), input.n("n"), input.f("confidence")).unwrap();
            json!({ "lower_rank": of.lower, "upper_rank": of.upper, "coverage": of.coverage })
        }
        "robust_z" => json!({ "z": robust_z(input.f("x"), &input.list("baseline")).unwrap() }),
        "welch_t" => {
            let of = Welch::of(&Moments::of(input.list("a")), &Moments::of(input.list("b"))).unwrap();
            json!({ "t": of.t(), "p_two_sided": two_sided(of.p_rise()), "df": of.freedom })
        }
        "geometric_mean_ratio_ci" => {
            let logs = |name: &str| Moments::of(input.list(name).into_iter().map(f64::ln));
            let of = Welch::of(&logs("a"), &logs("b")).unwrap();
            let interval = of.interval(input.f("confidence"));
            json!({
                "ratio": of.difference.exp(), "lower": interval.lower.exp(), "upper": interval.upper.exp(),
                "df": of.freedom, "p_two_sided": two_sided(of.p_rise()),
            })
        }
        "poisson_upper_tail" => json!({ "p_value": poisson_upper(input.n("k"), input.f("mu")) }),
        "burn_rate" => json!({ "burn": burn_rate(input.f("bad"), input.f("total"), input.f("slo")) }),
        "slice_attribution" => slices(input),
        _ => return None,
    })
}

fn two_sided(rise: f64) -> f64 {
    2.0 * rise.min(1.0 - rise)
}

fn slices(input: &Input<'_>) -> Value {
    const DIMENSIONS: [&str; 3] = ["prompt", "model", "lang"];
    let cells: Vec<SliceCell> = input.0["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let n = |name: &str| row[name].as_f64().unwrap();
            SliceCell {
                values: DIMENSIONS.iter().map(|name| row[name].as_str().unwrap().to_owned()).collect(),
                before: (n("n0"), n("k0")),
                now: (n("n1"), n("k1")),
            }
        })
        .collect();
    let of = attribute(&cells);
    let ranked = of.ranked.iter().take(3).map(|one| {
        let slice = one.slice.iter().map(|(at, value)| (DIMENSIONS[*at].to_owned(), json!(value)));
        json!({
            "slice": slice.collect::<Map<_, _>>(), "n1": one.now.0, "k1": one.now.1, "share": one.share,
            "rate_outside": one.rate_outside, "score": one.score,
        })
    });
    json!({
        "baseline_rate": of.before, "current_rate": of.now, "total_excess": of.excess,
        "ranked": ranked.collect::<Vec<_>>(),
    })
}
