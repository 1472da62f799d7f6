//! Against a real model. Run by name: `cargo nextest run --lib local_model --run-ignored only`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::domain::{AskErrorKind, Content, ModelSpec, Price, TargetLimits};
use crate::task::Cancel;

#[path = "../../../tests/support/local_model.rs"]
mod local_model;

#[tokio::test]
#[ignore = "sets up a real model, which compiles for minutes the first time"]
async fn a_real_local_model_is_asked_as_the_wire_says() {
    let server = local_model::LocalModel::start();
    let limits = TargetLimits { timeout: Duration::from_secs(300), ..TargetLimits::default() };
    let spec = TargetSpec {
        name: "local".into(),
        kind: TargetKind::OpenAi(ModelSpec {
            base_url: server.base_url.clone(),
            model: local_model::MODEL.into(),
            api_key_env: None,
            temperature: Some(0.0),
            max_tokens: Some(24),
        }),
        prompt: None,
        limits: limits.clone(),
    };
    let prices = BTreeMap::from([(local_model::MODEL.to_owned(), Price { input: 1.0, output: 1.0 })]);
    let target = Target::connect(&spec, &prices, &|_| None).unwrap();
    let ask = |text: &str, json| Ask {
        id: "local-1".into(),
        key: None,
        input: Content::Text(text.into()),
        prompt: Some("You answer in one word.".into()),
        json,
        max_tokens: None,
    };
    let capital = ask("Capital of France?", None);
    let (answer, attempts) = ask_patiently(&target, &capital, &limits, &Cancel::default(), |_, _| true).await;
    let answer = answer.unwrap();
    assert_eq!((attempts, answer.model.as_deref()), (1, Some(local_model::MODEL)));
    assert!(answer.output.answer_text().contains("Paris"), "{answer:?}");
    let tokens = answer.tokens_in.unwrap() + answer.tokens_out.unwrap();
    assert!((answer.cost_usd.unwrap() - tokens as f64 / 1e6).abs() < 1e-12, "{answer:?}");

    // It does not know `json_schema`: the second wording reaches its grammar.
    let schema =
        json!({"type": "object", "properties": {"label": {"enum": ["pass", "fail"]}}, "required": ["label"]});
    let judged = target.ask(&ask("2+2=4. Judge it. Reply JSON with key label.", Some(schema))).await.unwrap();
    let judged: Value = serde_json::from_str(&judged.output.answer_text()).unwrap();
    assert!(["pass", "fail"].map(Value::from).contains(&judged["label"]), "{judged}");

    let error = target.ask(&ask(&"word ".repeat(4000), None)).await.unwrap_err();
    assert_eq!(error.kind, AskErrorKind::Refused, "{error:?}");

    let cancel = Cancel::default();
    let began = Instant::now();
    let long = ask("Tell me a long story.", None);
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    };
    let ((stopped, _), ()) = tokio::join!(ask_patiently(&target, &long, &limits, &cancel, |_, _| true), stop);
    assert_eq!(stopped.unwrap_err().kind, AskErrorKind::Cancelled);
    assert!(began.elapsed() < Duration::from_millis(500));
}
