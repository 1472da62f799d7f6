//! `judged:` as SQL: the rule of [`Verdicts::settled`](crate::domain::Verdicts::settled) over all judges, so that a
//! figure of quality opens the traces that it counts.

use super::terms::ID_TEXT;

/// Traces that labels or judges told of: where few, they lead the scan.
pub(super) const TOLD: &str = "SELECT trace_hash h FROM work.label_now WHERE verdict IN ('pass', 'fail') \
     UNION ALL SELECT trace_hash FROM work.trace_score INDEXED BY trace_score_judge WHERE kind = 'judge'";

/// Whether the trace `t` is judged good (`true`) or bad.
pub(super) fn judged(any: &[bool]) -> String {
    let wanted: Vec<&str> = any.iter().map(|good| if *good { "'pass'" } else { "'fail'" }).collect();
    let of = |table: &str| format!("{table}.trace_hash = t.id_hash AND {table}.trace_id = {ID_TEXT}");
    let votes = format!(
        "(SELECT sum(CASE l.verdict WHEN 'pass' THEN 1 ELSE -1 END) FROM work.label_now l \
         WHERE {} AND l.verdict IN ('pass', 'fail'))",
        of("l")
    );
    let judge = format!(
        "(SELECT CASE WHEN count(*) = 0 THEN NULL WHEN max(c.outcome = 'fail') THEN 'fail' \
         WHEN max(c.outcome = 'error') THEN NULL ELSE 'pass' END \
         FROM work.trace_score c INDEXED BY trace_score_judge WHERE c.kind = 'judge' AND {} \
         AND NOT EXISTS (SELECT 1 FROM work.trace_score n INDEXED BY trace_score_judge WHERE n.kind = 'judge' \
         AND {} AND n.evaluator = c.evaluator AND n.at > c.at))",
        of("c"),
        of("n")
    );
    format!(
        "((CASE WHEN {votes} IS NULL THEN {judge} WHEN {votes} > 0 THEN 'pass' WHEN {votes} < 0 THEN 'fail' END \
         IN ({})) IS TRUE)",
        wanted.join(",")
    )
}
