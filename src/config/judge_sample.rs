//! `[judge_sample]`: how many of the arriving traces are judged, by whom, and for how much at most.

use toml::Spanned;
use toml::de::DeValue;

use super::file::{Reader, kind};
use crate::domain::{Evaluator, JudgeSample, Result};

const KEYS: [&str; 4] = ["rate", "at_least", "evaluators", "max_usd_per_day"];

impl Reader<'_> {
    /// `evaluators` are those of the file, wherever in it they stand.
    pub(super) fn judge_sample(
        &self,
        value: &Spanned<DeValue<'_>>,
        evaluators: &[(Evaluator, usize)],
    ) -> Result<JudgeSample> {
        let mut spec = JudgeSample::default();
        for (key, value) in self.table(value)? {
            match key.get_ref().as_ref() {
                "rate" => spec.rate = self.within(value, 1e-6, 1.0)?,
                "at_least" => spec.at_least = self.within(value, 0.0, 1e6)? as u64,
                "max_usd_per_day" => spec.max_usd_per_day = self.within(value, 0.0, 1e6)?,
                "evaluators" => {
                    let DeValue::Array(list) = value.get_ref() else {
                        let what =
                            format!("a list of evaluators belongs here, not {}.", kind(value.get_ref()));
                        return Err(self.wrong(value.span(), what));
                    };
                    for one in list {
                        let name = self.text(one)?;
                        let Some((found, _)) = evaluators.iter().find(|(known, _)| known.name == name) else {
                            let known = evaluators.iter().map(|(known, _)| known.name.as_str());
                            return Err(self.unknown(one.span(), &name, "evaluator", known));
                        };
                        if found.check.kind() != "judge" {
                            let what = format!("{name} is no judge, but of kind {}.", found.check.kind());
                            return Err(self
                                .wrong(one.span(), what)
                                .hint("Quality goes by what evaluators of kind judge say."));
                        }
                        spec.evaluators.push(name);
                    }
                }
                other => {
                    let known = KEYS.into_iter();
                    return Err(self.unknown(key.span(), other, "setting of judge_sample", known));
                }
            }
        }
        if spec.evaluators.is_empty() {
            let judges = evaluators.iter().filter(|(one, _)| one.check.kind() == "judge");
            spec.evaluators = judges.map(|(one, _)| one.name.clone()).collect();
        }
        if spec.evaluators.is_empty() {
            return Err(self
                .wrong(value.span(), "there is no evaluator that judges.")
                .hint("Describe one as [[evaluator]] with kind = \"judge\"."));
        }
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;
    use crate::domain::JudgeSample;

    const JUDGE: &str = "[[evaluator]]\nname = 'quality'\nkind = 'judge'\n[[evaluator]]\nname = 'short'\nkind = 'length'\nmax = 9\n";

    #[test]
    fn what_is_said_counts_and_the_rest_is_usual() {
        let read = |text: &str| parse("c.toml", &format!("{text}{JUDGE}")).unwrap().judge_sample;
        assert_eq!(read(""), None, "off unless it is asked for");
        let usual = JudgeSample { evaluators: vec!["quality".into()], ..JudgeSample::default() };
        assert_eq!(read("[judge_sample]\n"), Some(usual.clone()));
        let own =
            "[judge_sample]\nrate = 0.05\nat_least = 20\nevaluators = ['quality']\nmax_usd_per_day = 0.25\n";
        let wanted = JudgeSample { rate: 0.05, at_least: 20, max_usd_per_day: 0.25, ..usual };
        assert_eq!(read(own), Some(wanted));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        for (text, what) in [
            ("[judge_sample]\nrate = 2\n", "c.toml:2:8: a number from 0.000001 to 1"),
            ("[judge_sample]\nevaluators = ['qualty']\n", "c.toml:2:15: there is no evaluator `qualty`"),
            ("[judge_sample]\nevaluators = ['short']\n", "c.toml:2:15: short is no judge"),
            ("[judge_sample]\nbudget = 1\n", "c.toml:2:1: there is no setting of judge_sample `budget`"),
        ] {
            let error = parse("c.toml", &format!("{text}{JUDGE}")).unwrap_err();
            assert!(error.what.starts_with(what), "{}", error.what);
        }
        let error = parse("c.toml", "[judge_sample]\nrate = 0.1\n").unwrap_err();
        assert!(error.what.contains("there is no evaluator that judges"), "{}", error.what);
    }
}
