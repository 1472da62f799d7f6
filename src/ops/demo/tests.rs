//! Holds what comes out against what was planted, and the words against what a reader expects.

use super::*;

fn spec(traces: u64) -> DemoSpec {
    DemoSpec { traces, seed: 7, now: "2025-11-24T10:30:00Z".parse().unwrap() }
}

#[test]
fn prints() {
    for (trace, truth) in Generator::new(spec(400)) {
        println!("{truth:?}\n{}", serde_json::to_string(&trace).unwrap());
    }
}
