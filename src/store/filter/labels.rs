//! Present labels as SQL: `label:fail reviewer:ann` is one label that is both.

use super::terms::{Build, ID_TEXT, joined};
use crate::domain::query::{LabelWord, Term, WorkField};

impl Build<'_> {
    /// The conditions of one present label on `l` that these terms ask for, and its verdicts.
    pub(super) fn label_conditions(&mut self, terms: &[&Term]) -> (String, Option<Vec<LabelWord>>) {
        let mut conditions = vec!["l.verdict IS NOT NULL".to_owned()];
        let mut verdicts = None;
        for term in terms {
            match term {
                Term::Label(any) => verdicts = Some(any.clone()),
                Term::Work { field, any } => {
                    let column = match field {
                        WorkField::Mode => "l.mode",
                        WorkField::Severity => "l.severity",
                        WorkField::Reviewer | WorkField::Sample => "l.reviewer",
                    };
                    conditions.push(format!("({} IS TRUE)", self.texts(column, any)));
                }
                _ => {}
            }
        }
        (conditions.join(" AND "), verdicts)
    }

    pub(super) fn label(&mut self, terms: &[&Term]) -> rusqlite::Result<String> {
        let (conditions, verdicts) = self.label_conditions(terms);
        let exists = |more: &str| {
            format!(
                "EXISTS (SELECT 1 FROM work.label_now l WHERE l.trace_hash = t.id_hash \
                 AND l.trace_id = {ID_TEXT} AND {conditions}{more})"
            )
        };
        let Some(verdicts) = verdicts else { return Ok(exists("")) };
        let mut tests = Vec::new();
        let words = verdict_list(&verdicts);
        if verdicts.contains(&LabelWord::Any) {
            tests.push(exists(""));
        } else if !words.is_empty() {
            tests.push(exists(&format!(" AND l.verdict IN ({words})")));
        }
        if verdicts.contains(&LabelWord::None) {
            tests.push(format!("NOT {}", exists("")));
        }
        Ok(joined(tests, "OR"))
    }
}

/// Which field of a label a term asks for.
pub(super) fn label_field(term: &Term) -> Option<&'static str> {
    match term {
        Term::Label(_) => Some("label"),
        Term::Work {
            field: field @ (WorkField::Mode | WorkField::Severity | WorkField::Reviewer), ..
        } => Some(field.name()),
        _ => None,
    }
}

pub(super) fn verdict_list(verdicts: &[LabelWord]) -> String {
    let words: Vec<&str> = verdicts
        .iter()
        .filter_map(|word| match word {
            LabelWord::Pass => Some("'pass'"),
            LabelWord::Fail => Some("'fail'"),
            LabelWord::Unsure => Some("'unsure'"),
            LabelWord::Any | LabelWord::None => None,
        })
        .collect();
    words.join(",")
}
