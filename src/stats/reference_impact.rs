//! What incidents compute, for the reference cases.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::reference::Input;
use super::{POSSIBLE, change_point, expected_users, mix_or_rate};

/// What the program says, as [`super::reference`] takes it.
pub(super) fn answer(function: &str, input: &Input<'_>) -> Option<Value> {
    Some(match function {
        "changepoint_scan" => {
            let parts: Vec<(f64, f64)> = input.list("n").into_iter().zip(input.list("fails")).collect();
            let found = change_point(&parts, 0..=parts.len()).unwrap();
            if found.g2 < POSSIBLE {
                json!({ "split_index": null, "G2": found.g2, "verdict": "no change: G2 < 9" })
            } else {
                json!({
                    "split_index": found.split, "G2": found.g2, "rate_before": found.before,
                    "rate_after": found.after, "plausible_splits": found.plausible,
                })
            }
        }
        "changepoint_scan_null" => null_quantiles(input),
        "expected_users_affected" => {
            let histogram: BTreeMap<String, u64> =
                serde_json::from_value(input.0["traces_per_user_histogram"].clone()).unwrap();
            let histogram: Vec<(u64, u64)> =
                histogram.iter().map(|(requests, users)| (requests.parse().unwrap(), *users)).collect();
            let users: u64 = histogram.iter().map(|(_, users)| users).sum();
            let requests: u64 = histogram.iter().map(|(requests, users)| requests * users).sum();
            let rate = input.f("fail_rate");
            json!({
                "users_total": users, "expected": expected_users(histogram, rate),
                "upper_bound": (users as f64).min(rate * requests as f64),
            })
        }
        "kitagawa_decomposition" => {
            let of = mix_or_rate(&groups(input)).unwrap();
            json!({ "rate_effect": of.rate, "mix_effect": of.mix, "total": of.total })
        }
        _ => return None,
    })
}

/// Quantiles of the greatest rise where nothing changes. The cases are of changes both ways, so the series is
/// looked at from both ends.
fn null_quantiles(input: &Input<'_>) -> Value {
    let (sizes, p) = (input.list("n"), input.f("p"));
    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let mut draw = move || dice.random::<f64>();
    let mut found: Vec<f64> = (0..input.n("replicates"))
        .map(|_| {
            let mut one = || {
                sizes
                    .iter()
                    .map(|n| (*n, (0..*n as u64).filter(|_| draw() < p).count() as f64))
                    .collect::<Vec<_>>()
            };
            let forward = one();
            let backward: Vec<_> = forward.iter().rev().copied().collect();
            let g2 = |parts: &[(f64, f64)]| change_point(parts, 0..=parts.len()).map_or(0.0, |of| of.g2);
            g2(&forward).max(g2(&backward))
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let at = |q: f64| found[(q * found.len() as f64) as usize];
    json!({ "q90": at(0.9), "q95": at(0.95), "q99": at(0.99) })
}

type Group = ((f64, f64), (f64, f64));

/// The groups of the case; of another case's rows, where it names one, by the values of a dimension.
fn groups(input: &Input<'_>) -> Vec<Group> {
    let (rows, by) = match input.0["from_case"].as_str() {
        None => (input.0["rows"].clone(), "value"),
        Some(other) => {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stats/cases.json");
            let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            let case = all["cases"].as_array().unwrap().iter().find(|case| case["id"] == other).unwrap();
            (case["input"]["rows"].clone(), input.0["dimension"].as_str().unwrap())
        }
    };
    let mut sums: BTreeMap<String, Group> = BTreeMap::new();
    for row in rows.as_array().unwrap() {
        let n = |name: &str| row[name].as_f64().unwrap();
        let sum = sums.entry(row[by].as_str().unwrap().to_owned()).or_default();
        sum.0.0 += n("n0");
        sum.0.1 += n("k0");
        sum.1.0 += n("n1");
        sum.1.1 += n("k1");
    }
    sums.into_values().collect()
}
