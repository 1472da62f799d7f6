//! Rule evaluators over recorded outputs, on one core, against 100 MB of text a second.

use std::fs::File;
use std::io::{BufRead, BufReader};

use serde_json::json;

use super::{BenchData, Measured, Spent};
use crate::domain::{
    Check, Content, Error, EvalConfig, Evaluator, ExpectedKind, Outcome, Result, Subject, Trace,
};
use crate::ops::score::{Scorer, Services};
use crate::task::Progress;

/// Megabytes of text that one core must score in a second.
const WANTED_MB_S: f64 = 100.0;
/// Outputs that are held at a time: reading them is not what is measured.
const CHUNK: usize = 5000;

/// Scores the outputs of the data: a usual set of evaluators, and each by itself.
pub fn score(data: &BenchData, progress: &Progress) -> Result<Vec<Measured>> {
    let scorer = Scorer::new(&EvalConfig::default(), Services::default())?;
    let all = evaluators()?;
    let together: Vec<Evaluator> = all.iter().map(|(_, one)| one.clone()).collect();
    // The detector of languages is the one kind that reads no faster than it thinks.
    let but_language: Vec<Evaluator> =
        together.iter().filter(|one| one.check.kind() != "language").cloned().collect();
    let mut sets = vec![
        ("rule evaluators together", scorer.prepare(&together)?),
        ("the same without language", scorer.prepare(&but_language)?),
    ];
    for (what, one) in &all {
        sets.push((*what, scorer.prepare(std::slice::from_ref(one))?));
    }
    progress.phase("scoring");
    progress.set_total(data.traces);
    let failed =
        |e: std::io::Error| Error::failed(format!("Cannot read {}.", data.path.display())).because(e);
    let mut lines = BufReader::with_capacity(1 << 20, File::open(&data.path).map_err(failed)?).lines();
    let (mut spent, mut bytes, mut told) = (vec![Spent::default(); sets.len()], 0, 0_u64);
    loop {
        let mut traces: Vec<Trace> = Vec::with_capacity(CHUNK);
        for line in lines.by_ref().take(CHUNK) {
            let line = line.map_err(failed)?;
            traces.push(
                serde_json::from_str(&line).map_err(|e| Error::failed("The data are damaged.").because(e))?,
            );
        }
        if traces.is_empty() {
            break;
        }
        bytes += traces.iter().map(|trace| size(&trace.output)).sum::<usize>();
        for ((_, prepared), spent) in sets.iter().zip(&mut spent) {
            let ((), took) = Spent::on(|| {
                for trace in &traces {
                    let assessments = prepared.rules(subject(trace));
                    told += assessments.iter().filter(|one| one.outcome != Outcome::Error).count() as u64;
                }
                Ok(())
            })?;
            *spent = spent.and(took);
        }
        progress.add(traces.len() as u64);
    }
    if told == 0 {
        return Err(Error::failed("The data of the measurement hold nothing to score."));
    }
    let rows = sets.iter().zip(&spent).map(|((what, _), spent)| {
        // A core's time where it is known: the clock counts what else runs on the machine.
        let seconds = if spent.cpu > 0.1 { spent.cpu } else { spent.wall };
        let speed = bytes as f64 / 1e6 / seconds;
        // The single ones tell where the time goes; only those together are held to the figure.
        let wanted = if sets[..2].iter().any(|(whole, _)| whole == what) { 1.0 } else { 0.0 };
        Measured {
            what,
            raw: WANTED_MB_S,
            ours: speed,
            unit: "MB/s",
            ratio: speed / WANTED_MB_S,
            wanted,
            cpu: None,
        }
    });
    Ok(rows.collect())
}

fn size(content: &Content) -> usize {
    content.answer_text().len()
}

fn subject(trace: &Trace) -> Subject<'_> {
    Subject {
        input: &trace.input,
        output: &trace.output,
        expected: None,
        expected_kind: ExpectedKind::Output,
        latency_ms: trace.latency_ms,
        cost_usd: trace.cost_usd,
        tokens_out: trace.tokens_out,
    }
}

/// One of each kind that looks at any answer. The kinds for JSON fail at the first byte of these outputs.
fn evaluators() -> Result<Vec<(&'static str, Evaluator)>> {
    let forbidden = ["transfer your balance", "guarantee", "as an ai", "legal advice", "password", "idiot"];
    let checks = [
        ("contains", json!({"kind":"contains","values":["How can I help further?"]})),
        ("forbidden", json!({"kind":"forbidden","values":forbidden})),
        ("regex", json!({"kind":"regex","pattern":"\\b\\d{4} ?\\d{4} ?\\d{4} ?\\d{4}\\b","absent":true})),
        ("length in characters", json!({"kind":"length","max":4000})),
        ("length in words", json!({"kind":"length","max":400,"unit":"words"})),
        ("length in tokens", json!({"kind":"length","max":800,"unit":"tokens"})),
        ("language", json!({"kind":"language","values":["en"]})),
        ("latency", json!({"kind":"latency","max_ms":3000})),
        ("cost", json!({"kind":"cost","max_usd":0.01})),
        ("tool_called", json!({"kind":"tool_called","tool":"refund","absent":true})),
    ];
    let named = checks.into_iter().map(|(what, check)| {
        Ok((what, Evaluator { name: what.to_owned(), check: Check::from_value(check)? }))
    });
    named.collect()
}
