//! `test = { kind = … }`: how a monitor decides.

use toml::de::DeTable;

use super::{Reader, Value};
use crate::domain::Result;
use crate::domain::monitor::{Metric, Test};

/// What each kind of test says beside its `kind`.
const TESTS: &[(&str, &[&str])] = &[
    ("share", &["alpha", "at_least", "rise", "target", "min_count"]),
    ("cusum", &["p0", "p1", "arl0"]),
    ("page_hinkley", &["delta", "lambda"]),
    ("ratio", &["alpha", "at_least"]),
    ("odd", &["z"]),
    ("budget", &["usd", "warn", "forecast"]),
    ("silence", &["expected"]),
    ("burn", &["objective"]),
];

impl Reader<'_> {
    pub(super) fn test(&self, value: &Value<'_>, metric: Metric, usual: Test) -> Result<Test> {
        let table = self.table(value)?;
        let said = |key: &str| find(table, key);
        let name = match said("kind") {
            Some(kind) => {
                let word = self.text(kind)?;
                if !metric.tests().contains(&word.as_str()) {
                    let what = format!("test of {}", metric.name());
                    return Err(self.unknown(kind.span(), &word, &what, metric.tests().iter().copied()));
                }
                word
            }
            None => usual.name().to_owned(),
        };
        let own = TESTS.iter().find(|(kind, _)| *kind == name).map_or(&[][..], |(_, own)| own);
        for (key, _) in table {
            let known = ["kind"].into_iter().chain(own.iter().copied());
            if !known.clone().any(|known| known == key.get_ref()) {
                return Err(self.unknown(
                    key.span(),
                    key.get_ref(),
                    &format!("setting of the test {name}"),
                    known,
                ));
            }
        }
        let share = |key: &str| said(key).map(|value| self.within(value, 0.0, 1.0)).transpose();
        let number =
            |key: &str, usual: f64| said(key).map_or(Ok(usual), |value| self.within(value, 0.0, 1e9));
        Ok(match name.as_str() {
            "cusum" => {
                let (p0, p1) = (share("p0")?.unwrap_or(0.10), share("p1")?.unwrap_or(0.15));
                if !(p0 > 0.0 && p0 < p1 && p1 < 1.0) {
                    return Err(
                        self.wrong(value.span(), "`p0` must be above 0 and below `p1`, and `p1` below 1.")
                    );
                }
                Test::Cusum { p0, p1, run: said("arl0").map(|run| self.within(run, 10.0, 1e7)).transpose()? }
            }
            "page_hinkley" => {
                Test::PageHinkley { delta: number("delta", 0.02)?, lambda: number("lambda", 10.0)? }
            }
            "ratio" => Test::Ratio { alpha: share("alpha")?, at_least: number("at_least", 1.5)? },
            "odd" => Test::Odd { z: number("z", 5.0)? },
            "budget" => Test::Budget {
                usd: said("usd").map(|usd| self.within(usd, 1e-6, 1e12)).transpose()?,
                warn: said("warn").map_or(Ok(0.8), |warn| self.within(warn, 0.01, 1.0))?,
                forecast: number("forecast", 1.3)?,
            },
            "silence" => Test::Silence { expected: number("expected", 9.2)? },
            "burn" => Test::Burn { objective: share("objective")?.unwrap_or(0.99).clamp(0.0, 0.999_999) },
            _ => {
                let was = if let Test::Share { at_least, target, rise, .. } = usual {
                    (at_least, target, rise)
                } else {
                    (0.0, None, None)
                };
                Test::Share {
                    alpha: share("alpha")?,
                    at_least: share("at_least")?.unwrap_or(was.0),
                    rise: said("rise").map(|rise| self.within(rise, 1.0, 1e3)).transpose()?.or(was.2),
                    target: share("target")?.or(was.1),
                    min_count: number("min_count", 5.0)? as u64,
                }
            }
        })
    }
}

fn find<'v, 't>(table: &'v DeTable<'t>, key: &str) -> Option<&'v Value<'t>> {
    table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
}
