//! The choice of what leads the scan: the fewer rows are read, the better.

use rusqlite::types::Value;

use super::judged;
use super::labels::{label_field, verdict_list};
use super::terms::{Build, feedback_kind, numbers};
use super::text::all_of;
use crate::domain::query::{FeedbackWord, IdField, LabelWord, NameField, Node, Term, Word, WorkField};
use crate::store::ids::id_hash;
use crate::store::names::NameKind;

/// What leads a scan.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Driver {
    /// The rows of a range of `seq`.
    Rows,
    /// The text index, for `:fts`.
    Text,
    /// Another table that has `seq` within `:a` and `:b`: what stands before `main.trace t` in the `FROM`.
    Ranged(String),
    /// Few rows by another key, whatever their `seq`: the `FROM` with `main.trace t`, and its condition.
    Keyed(String, String),
}

/// At most so many rows come by another key; more are faster scanned in order.
const FEW: i64 = 20_000;

impl Build<'_> {
    /// Chooses what leads the scan among the terms that all must hold. The fewer rows the better; a table
    /// that has the `seq` of its rows can still be read in pieces, newest first.
    pub(super) fn driver(&mut self, parts: &[Node]) -> rusqlite::Result<Driver> {
        let terms: Vec<&Term> = parts
            .iter()
            .filter_map(|part| match part {
                Node::Term(term) => Some(term),
                _ => None,
            })
            .collect();
        for term in &terms {
            if let Term::Id { field: field @ (IdField::Id | IdField::Session), any } = term {
                let column = if *field == IdField::Id { "t.id_hash" } else { "t.session_hash" };
                let hashes: Vec<i64> = any.iter().map(|text| id_hash(text)).collect();
                return Ok(Driver::Keyed("main.trace t".to_owned(), numbers(column, &hashes)));
            }
        }
        if let Some(driver) = self.work_driver(&terms)? {
            return Ok(driver);
        }
        if terms.iter().any(|term| matches!(term, Term::Text { .. }))
            && self.text.indexed > 0
            && let Some(wanted) = all_of(parts)
        {
            self.params.insert(":fts".to_owned(), Value::Text(wanted));
            return Ok(Driver::Text);
        }
        for term in &terms {
            match term {
                Term::Name { field: NameField::Tag, any } => {
                    let ids = self.names(NameKind::Tag, "tag", any)?;
                    return Ok(ranged("tag", &numbers("name", &ids)));
                }
                Term::Score { name, .. } => {
                    let ids = self.names(NameKind::Score, "score", &[Word::exact(name.as_str())])?;
                    return Ok(ranged("score", &numbers("name", &ids)));
                }
                Term::Feedback(any) if !any.contains(&FeedbackWord::None) => {
                    let kinds: Vec<i64> = if any.contains(&FeedbackWord::Any) {
                        vec![1, 2, 3, 4]
                    } else {
                        any.iter().map(|word| feedback_kind(*word)).collect()
                    };
                    return Ok(ranged("feedback", &numbers("kind", &kinds)));
                }
                _ => {}
            }
        }
        Ok(Driver::Rows)
    }

    /// Labels and samples lead when they are few: people's work is small beside the traffic.
    fn work_driver(&mut self, terms: &[&Term]) -> rusqlite::Result<Option<Driver>> {
        // With `label:none` a reviewer is one who did not label.
        let absent =
            terms.iter().any(|term| matches!(term, Term::Label(any) if any.contains(&LabelWord::None)));
        for term in terms {
            let hashes = match term {
                Term::Work { field: WorkField::Sample, any } => {
                    let samples = self.samples(any)?;
                    let names = self.texts("sample", &samples);
                    format!("SELECT trace_hash h FROM work.sample_member WHERE {names}")
                }
                Term::Judged(_) => judged::TOLD.to_owned(),
                term if label_field(term).is_some() && !absent => {
                    let (conditions, verdicts) = self.label_conditions(&[term]);
                    let verdicts = verdicts.filter(|any| !any.contains(&LabelWord::Any));
                    let more = verdicts
                        .map(|any| format!(" AND l.verdict IN ({})", verdict_list(&any)))
                        .unwrap_or_default();
                    format!("SELECT l.trace_hash h FROM work.label_now l WHERE {conditions}{more}")
                }
                _ => continue,
            };
            let count = format!("SELECT count(*) FROM ({hashes} LIMIT {})", FEW + 1);
            let mut statement = self.db.prepare(&count)?;
            for n in 1..=statement.parameter_count() {
                let name = statement.parameter_name(n).unwrap_or_default().to_owned();
                statement.raw_bind_parameter(n, self.params.get(&name))?;
            }
            let few = statement.raw_query().next()?.map_or(Ok(0), |row| row.get::<_, i64>(0))? <= FEW;
            if few {
                let from = format!(
                    "(SELECT DISTINCT h FROM ({hashes})) led CROSS JOIN main.trace t ON t.id_hash = led.h"
                );
                return Ok(Some(Driver::Keyed(from, "1".to_owned())));
            }
        }
        Ok(None)
    }
}

fn ranged(table: &str, condition: &str) -> Driver {
    Driver::Ranged(format!(
        "(SELECT DISTINCT seq FROM main.{table} WHERE {condition} AND seq BETWEEN :a AND :b) led"
    ))
}
