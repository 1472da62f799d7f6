//! An eval with a real local model as target and as judge, whatever its answers are worth.
//! Run by name: `cargo nextest run --test e2e local_model --run-ignored only`.

use serde_json::Value;

use crate::support::{run_json, run_to, tuesday};

#[path = "../support/local_model.rs"]
mod real;

const CASES: &str = r#"{"input":"Capital of France?","expected":"Paris","expected_kind":"output"}
{"input":"Is the sky blue? Answer yes or no.","expected":"yes","expected_kind":"output"}
{"input":"Say hello.","expected":"greets back","expected_kind":"behaviour"}
"#;

#[test]
#[ignore = "sets up a real model, which compiles for minutes the first time"]
fn a_real_model_is_evaluated_and_judges() {
    let server = real::LocalModel::start();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("t.db");
    let (url, model) = (&server.base_url, real::MODEL);
    let target = |name: &str, tokens: u32| {
        format!(
            "[targets.{name}]\nkind = \"openai\"\nbase_url = \"{url}\"\nmodel = \"{model}\"\ntemperature = 0\n\
             max_tokens = {tokens}\nconcurrency = 1\ntimeout = \"5m\"\n"
        )
    };
    let config = format!(
        "judge = \"judge\"\n{}{}[prices.\"{model}\"]\ninput = 0.1\noutput = 0.1\n\
         [[evaluator]]\nname = \"judged\"\nkind = \"judge\"\n",
        target("candidate", 32),
        target("judge", 200)
    );
    std::fs::write(folder.path().join("tuesday.toml"), config).expect("written");
    let cases = folder.path().join("cases.jsonl");
    std::fs::write(&cases, CASES).expect("written");
    let cases = cases.to_str().expect("UTF-8");
    run_to(0, &store, &["evals", "import", cases, "--set", "tiny"]);
    let args = ["eval", "run", "--set", "tiny", "--target", "candidate", "--name", "real", "--json"];
    let output = tuesday(&store).args(args).output().expect("the program starts");
    let words = String::from_utf8_lossy(&output.stderr);
    let run: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {words}"));
    println!("{run:#}");
    assert_eq!((&run["run"], &run["cases"]), (&"real".into(), &3.into()), "{run}");
    let sum =
        ["passed", "failed", "errors"].map(|key| run[key].as_u64().expect("a count")).iter().sum::<u64>();
    assert_eq!(sum, 3, "{run}");
    assert!(run["cost_usd"].as_f64().expect("a cost") > 0.0, "{run}");
    assert!(run["latency_ms"]["p95"].as_f64().expect("a time") > 0.0, "{run}");
    // The judge's JSON came through the model's grammar and was read, whatever it says.
    assert!(run["errors"].as_u64() < Some(3), "{run}");
    assert!(
        run["evaluators"][0]["mean_score"].as_f64().is_some_and(|mean| (1.0..=10.0).contains(&mean)),
        "{run}"
    );
    run_json(&store, &["eval", "show", "real", "--json"]);
}
