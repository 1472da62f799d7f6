//! Walks every reference case (`fixtures/stats/cases.json`) and holds what the program implements to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::exact::{binomial_upper, clopper_pearson, holm, mcnemar_exact, mcnemar_pairs, proof_below};
use super::interval::{difference, two_proportion_z, weighted_rate, wilson};
use super::judge::rogan_gladen;
use super::paired::{Resampler, mean_interval, percentiles};
use super::{cohen_kappa, nearest_rank, normal_quantile};
use crate::domain::incident::Marks;

/// What no part of the program needs yet, with how many cases wait for it.
const NOT_YET: &[(&str, usize)] = &[
    ("ab_verdict", 10),
    ("assign", 6),
    ("assign_balance", 1),
    ("asymptotic_confidence_sequence", 2),
    ("canary_verdict", 5),
    ("growthbook_hash_v2", 6),
    ("lan_demets_obf_boundaries", 1),
    ("mann_whitney_u", 1),
    ("minimum_detectable_effect", 3),
    ("msprt_running_p", 1),
    ("msprt_two_proportion", 7),
    ("obrien_fleming_constant", 1),
    ("paired_t", 1),
    ("prob_b_greater_a", 3),
    ("sample_size_one_proportion", 4),
    ("sample_size_two_proportion", 6),
    ("srm_chi_square", 8),
];

/// One case's input.
pub(super) struct Input<'a>(pub(super) &'a Value);

impl Input<'_> {
    pub(super) fn f(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap_or_else(|| panic!("{name} of {}", self.0))
    }

    pub(super) fn n(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_else(|| panic!("{name} of {}", self.0))
    }

    pub(super) fn list(&self, name: &str) -> Vec<f64> {
        self.0[name].as_array().unwrap().iter().filter_map(Value::as_f64).collect()
    }
}

/// What the program says: the fields of `expected` that it has. `None` when it does not know the function.
fn answer(function: &str, input: &Input<'_>) -> Option<Value> {
    Some(match function {
        "wilson_ci" => {
            json!(wilson(input.f("successes"), input.f("n"), input.f("confidence")).unwrap())
        }
        "wilson_upper_bound" => {
            // One-sided: the upper end of the two-sided interval that leaves out as much on each side.
            let confidence = 1.0 - 2.0 * input.f("alpha");
            json!({ "upper": wilson(input.f("successes"), input.f("n"), confidence).unwrap().upper })
        }
        "clopper_pearson_ci" => {
            json!(clopper_pearson(input.n("successes"), input.n("n"), input.f("confidence")).unwrap())
        }
        "binom_test" => binomial(input),
        "binom_critical_count" => {
            let (n, p, alpha) = (input.n("n"), input.f("p0"), input.f("alpha"));
            let k = (0..=n + 1).find(|k| binomial_upper(*k, n, p) <= alpha).unwrap();
            json!({ "k": k, "alpha_actual": binomial_upper(k, n, p) })
        }
        "point_rule_false_alarm" => {
            let (n, threshold) = (input.n("n"), input.f("threshold"));
            let k = (0..=n).find(|k| *k as f64 / n as f64 > threshold + 1e-12).unwrap();
            json!({ "k": k, "p_fire": binomial_upper(k, n, input.f("p_true")) })
        }
        "p95_over_threshold_test" => {
            let p = binomial_upper(input.n("over"), input.n("n"), 1.0 - input.f("q"));
            json!({ "p_value": p, "fire": p <= input.f("alpha") })
        }
        "verify_fixed" => {
            let (fails, n) = (input.n("fails"), input.n("n"));
            let proof = proof_below(fails, n, input.f("threshold"), input.f("alpha")).unwrap();
            let verdict = if proof.proven { "verified" } else { "unproven" };
            json!({ "upper": proof.upper, "verdict": verdict, "n_needed_if_no_more_fails": proof.needed })
        }
        "eval_gate" => eval_gate(input),
        "incident_durations" => durations(input),
        "two_proportion" => {
            let z = two_proportion_z(input.f("k_a"), input.f("n_a"), input.f("k_b"), input.f("n_b"));
            let (a, b) = ((input.f("k_a"), input.f("n_a")), (input.f("k_b"), input.f("n_b")));
            let ends = difference(a, b, 0.95).unwrap();
            json!({ "z_pooled": z, "newcombe_lower": ends.lower, "newcombe_upper": ends.upper })
        }
        "mcnemar_exact" => {
            json!({ "p_value": mcnemar_exact(input.n("b_only_a_passes"), input.n("c_only_b_passes")) })
        }
        "sample_size_mcnemar" => {
            let (lost, gained) = (input.f("p_only_a"), input.f("p_only_b"));
            json!({ "pairs": mcnemar_pairs(lost, gained, input.f("alpha"), input.f("power")) })
        }
        "multiple_testing" => {
            let adjusted = holm(&input.list("p"));
            let reject: Vec<bool> = adjusted.iter().map(|p| *p <= input.f("alpha")).collect();
            json!({ "holm_adjusted": adjusted, "holm_reject": reject })
        }
        "cohens_kappa" => kappa(input),
        "rogan_gladen" => {
            let (tpr, tnr) = (input.f("sensitivity"), input.f("specificity"));
            let raw = rogan_gladen(input.f("apparent"), tpr, tnr).unwrap();
            json!({ "raw": raw, "true_rate": raw.clamp(0.0, 1.0) })
        }
        "weighted_rate_ci" => {
            let mut draws = Vec::new();
            for row in input.0["weights_values"].as_array().unwrap() {
                let row: Vec<f64> = row.as_array().unwrap().iter().filter_map(Value::as_f64).collect();
                draws.extend(std::iter::repeat_n((1.0 / row[0], row[1] == 1.0), row[2] as usize));
            }
            let got = weighted_rate(draws, input.f("confidence")).unwrap();
            let Value::Object(mut ends) = json!(got.interval) else { panic!() };
            ends.extend([("rate".to_owned(), json!(got.rate)), ("n_eff".to_owned(), json!(got.effective_n))]);
            Value::Object(ends)
        }
        "quantile" => {
            let values = input.list("values");
            let rank = |q: &f64| values[nearest_rank(*q, values.len() as u64) as usize - 1];
            json!({ "nearest_rank": input.list("q").iter().map(rank).collect::<Vec<f64>>() })
        }
        "special_functions" => {
            let of = |p: &str| (p.to_owned(), json!(normal_quantile(p.parse().unwrap())));
            let asked = ["0.5", "0.8", "0.9", "0.95", "0.975", "0.99", "0.995", "0.999", "0.9999"];
            json!({ "norm_ppf": asked.map(of).into_iter().collect::<serde_json::Map<_, _>>() })
        }
        "bootstrap_percentile_mean" => {
            let (point, interval) = mean_interval(&input.list("x"), input.f("confidence")).unwrap();
            json!({ "point": point, "lower": interval.lower, "upper": interval.upper })
        }
        "bootstrap_percentile_ratio_of_means" => {
            let (a, b) = (input.list("a"), input.list("b"));
            let mut resampler = Resampler::new(1);
            let mut one = || {
                let before = weighted(&a, resampler.draw(a.len()));
                weighted(&b, resampler.draw(b.len())) / before - 1.0
            };
            let mut values: Vec<f64> = (0..input.n("replicates")).map(|_| one()).collect();
            let interval = percentiles(&mut values, input.f("confidence"));
            let point = weighted(&b, &vec![1; b.len()]) / weighted(&a, &vec![1; a.len()]) - 1.0;
            json!({ "point": point, "lower": interval.lower, "upper": interval.upper })
        }
        _ => {
            return super::reference_impact::answer(function, input)
                .or_else(|| super::reference_monitors::answer(function, input));
        }
    })
}

fn weighted(values: &[f64], weights: &[u32]) -> f64 {
    values.iter().zip(weights).map(|(value, weight)| value * f64::from(*weight)).sum::<f64>()
        / values.len() as f64
}

fn binomial(input: &Input<'_>) -> Value {
    let (k, n, p) = (input.n("successes"), input.n("n"), input.f("p0"));
    match input.0["alternative"].as_str() {
        Some("greater") => json!({ "p_value": binomial_upper(k, n, p) }),
        Some("less") => json!({ "p_value": 1.0 - binomial_upper(k + 1, n, p) }),
        // Two-sided at another rate than one half is asked for nowhere.
        _ => json!({}),
    }
}

fn eval_gate(input: &Input<'_>) -> Value {
    let (n, threshold, alpha) = (input.n("n"), input.f("threshold"), input.f("alpha"));
    let point = (0..=n).find(|k| *k as f64 / n as f64 > threshold + 1e-12).unwrap();
    let proven = (0..=n).find(|k| proof_below(n - k, n, 1.0 - threshold, alpha).unwrap().proven);
    json!({
        "k_point_rule": point,
        "p_pass_if_true_085": binomial_upper(point, n, 0.85),
        "k_lower_bound_rule": proven,
    })
}

fn durations(input: &Input<'_>) -> Value {
    let at = |name: &str| input.0[name].as_str().and_then(|text| text.parse().ok());
    let marks = Marks {
        onset: at("onset"),
        detected: at("detected").unwrap(),
        acknowledged: at("acked"),
        contained: at("contained"),
        fixed: at("fixed"),
        verified: at("verified"),
    };
    let times = marks.times(0);
    let seconds = |ms: Option<u64>| ms.map(|ms| ms / 1000);
    json!({
        "ttd_s": seconds(times.detect_ms),
        "tta_s": seconds(times.acknowledge_ms),
        "ttc_s": seconds(times.contain_ms),
        "ttf_s": seconds(times.fix_ms),
        "ttv_s": seconds(times.verify_ms),
        "exposure_s": seconds(times.exposure_ms),
    })
}

fn kappa(input: &Input<'_>) -> Value {
    let table: Vec<Vec<usize>> = serde_json::from_value(input.0["table"].clone()).unwrap();
    let pairs = table
        .iter()
        .enumerate()
        .flat_map(|(a, row)| row.iter().enumerate().flat_map(move |(b, n)| std::iter::repeat_n((a, b), *n)));
    let found = cohen_kappa(pairs).unwrap();
    let mut answer = json!({ "po": found.share, "kappa": found.kappa });
    if let Some(interval) = found.kappa_interval(0.95) {
        answer["se"] = json!(found.kappa_error);
        answer["ci_lower"] = json!(interval.lower);
        answer["ci_upper"] = json!(interval.upper);
    }
    answer
}

/// Every field of the answer, against what is expected of it.
fn compare(id: &str, field: &str, got: &Value, expected: &Value, tolerance: &Value) {
    match (got, expected) {
        (Value::Object(got), _) => {
            for (name, value) in got {
                let tolerance = if tolerance.is_object() { &tolerance[name] } else { tolerance };
                compare(id, name, value, &expected[name], tolerance);
            }
        }
        (Value::Array(got), Value::Array(expected)) => {
            assert_eq!(got.len(), expected.len(), "{id} {field}");
            got.iter().zip(expected).for_each(|(g, e)| compare(id, field, g, e, tolerance));
        }
        (Value::Number(got), Value::Number(expected)) => {
            let (got, expected) = (got.as_f64().unwrap(), expected.as_f64().unwrap());
            let allowed = tolerance.as_f64().unwrap() * expected.abs().max(1.0);
            assert!((got - expected).abs() <= allowed, "{id} {field}: {got}, not {expected}");
        }
        _ => assert_eq!(got, expected, "{id} {field}"),
    }
}

#[test]
fn every_implemented_statistic_agrees_with_the_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stats/cases.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut missing = BTreeMap::<&str, usize>::new();
    let mut held = 0;
    for case in all["cases"].as_array().unwrap() {
        let (id, function) = (case["id"].as_str().unwrap(), case["fn"].as_str().unwrap());
        match answer(function, &Input(&case["input"])) {
            Some(got) => {
                compare(id, "", &got, &case["expected"], &case["tol"]);
                held += 1;
            }
            None => *missing.entry(function).or_default() += 1,
        }
    }
    assert_eq!(missing.into_iter().collect::<Vec<_>>(), NOT_YET);
    assert!(held > 100, "only {held} cases were held");
}
