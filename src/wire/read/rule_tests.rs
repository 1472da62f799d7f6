//! Reads tests of rules: TOML, strict, each with steps in the order of time.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeTable;

use super::keys::{Keys, Source};
use crate::domain::monitor::{Flow, RuleStep, RuleTest, State};
use crate::domain::{Error, Result};

/// A file of tests larger than this is a mistake.
const LARGEST: u64 = 1024 * 1024;
/// Looks are at whole five minutes.
const STEP_MS: u64 = 300_000;
/// The time of one test, at most: a quarter of a year.
const LONGEST_MS: i64 = 92 * 86_400_000;
/// What a group can be told by.
const GROUPS: [&str; 2] = ["kind", "severity"];

/// Reads the tests of a file.
pub fn rule_tests(path: &Path) -> Result<Vec<RuleTest>> {
    let name = path.display().to_string();
    let cannot = |e: std::io::Error| Error::not_so(format!("Cannot read the tests {name}.")).because(e);
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > LARGEST {
        return Err(Error::not_so(format!("{name} is too large for tests of monitors ({size} bytes).")));
    }
    parse(&name, &std::fs::read_to_string(path).map_err(cannot)?)
}

/// Reads tests from their text; `name` is what messages call it.
pub fn parse(name: &str, text: &str) -> Result<Vec<RuleTest>> {
    let source = Source { name, text };
    let parsed = DeTable::parse(text).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        source.error(at, &format!("this is not TOML: {}.", e.message())).hint("Mend the line and try again.")
    })?;
    let keys = Keys::new(source, parsed.get_ref(), 0, "the file");
    let found = keys.tables("test", "a list of [[test]] tables")?;
    if found.is_empty() {
        return Err(keys.refused("there is no test here.").hint("Write one as a table [[test]]."));
    }
    let tests = found.into_iter().map(test).collect::<Result<_>>()?;
    keys.finish()?;
    Ok(tests)
}

fn test(mut keys: Keys<'_>) -> Result<RuleTest> {
    keys.rename("a test".to_owned());
    let line = keys.line();
    let name = keys.need_text("name")?.into_raw();
    let monitor = keys.need_text("monitor")?.into_raw();
    let feature = keys.text("feature")?.map_or_else(|| "feature".to_owned(), |name| name.into_raw());
    let mut steps = Vec::new();
    for mut one in keys.tables("steps", "a list of steps such as { for = \"1h\", requests = 60 }")? {
        one.rename("a step".to_owned());
        steps.push(step(one)?);
    }
    let time: i64 = steps.iter().map(|step| if let RuleStep::Pass { ms, .. } = step { *ms } else { 0 }).sum();
    if time > LONGEST_MS {
        return Err(keys.refused("a test takes 92 days at most."));
    }
    if !steps.iter().any(|step| matches!(step, RuleStep::Expect { .. })) {
        return Err(keys
            .refused("this test expects nothing.")
            .hint("Add a step such as { expect = \"firing\" }."));
    }
    keys.finish()?;
    Ok(RuleTest { name, line, monitor, feature, steps })
}

fn step(keys: Keys<'_>) -> Result<RuleStep> {
    let line = keys.line();
    if keys.get("expect").is_some() {
        let words = State::ALL.map(|state| (state.word(), state));
        let state = keys.choice("expect", words)?.unwrap_or(State::Ok);
        let mut group = BTreeMap::new();
        for name in GROUPS {
            if let Some(value) = keys.text(name)? {
                group.insert(name.to_owned(), value.into_raw());
            }
        }
        keys.finish()?;
        return Ok(RuleStep::Expect { line, state, group });
    }
    let ms = keys.duration("for")?;
    let Some(ms) = ms.filter(|ms| ms % STEP_MS == 0).and_then(|ms| i64::try_from(ms).ok()) else {
        return Err(keys
            .refused("a step says `expect`, or `for` how long something goes on, in whole five minutes.")
            .hint("Write { for = \"1h\", requests = 60, timeout = 0.25 } or { expect = \"firing\" }."));
    };
    let share = |key| Ok::<_, Error>(keys.within(key, 0.0, 1.0)?.unwrap_or(0.0));
    let number = |key| Ok::<_, Error>(keys.within(key, 0.0, 1e9)?.unwrap_or(0.0));
    let traffic = Flow {
        requests: number("requests")?,
        errors: [share("timeout")?, share("rate_limit")?, share("content_policy")?, share("other")?],
        fallback: share("fallback")?,
        negative: share("negative")?,
        slow: share("slow")?,
        cost_usd: keys.within("cost_usd", 0.0, 1e9)?,
        sessions: number("sessions")?,
        session_usd: number("session_usd")?,
        judged: number("judged")?,
        fail: share("fail")?,
    };
    keys.finish()?;
    Ok(RuleStep::Pass { ms, traffic })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let head = "[[test]]\nname = 'a'\nmonitor = 'errors'\n";
        let ends = "\n{ expect = 'ok' }]";
        for (text, what) in [
            ("x = 1".to_owned(), "t.toml, line 1: there is no test here"),
            ("[[test]]\nname = 'a'".to_owned(), "t.toml, line 1: a test needs the key `monitor`"),
            (format!("{head}steps = [{{ for = '1h' }}]"), "t.toml, line 1: this test expects nothing"),
            (format!("{head}steps = [\n{{ for = '7m' }},{ends}"), "t.toml, line 5: a step says `expect`, or"),
            (
                format!("{head}steps = [\n{{ requests = 3 }},{ends}"),
                "t.toml, line 5: a step says `expect`, or",
            ),
            (format!("{head}steps = [\n{{ expect = 'fine' }}]"), "t.toml, line 5: "),
            (
                format!("{head}steps = [\n{{ for = '1h', timeout = 2 }},{ends}"),
                "t.toml, line 5: `timeout` of a step",
            ),
            (format!("{head}steps = [\n{{ for = '1h', timeuot = 0.2 }},{ends}"), "t.toml, line 5: "),
            (format!("{head}steps = [\n{{ for = '300d' }},{ends}"), "t.toml, line 1: a test takes 92 days"),
        ] {
            let error = parse("t.toml", &text).err().unwrap_or_else(|| panic!("{text:?} was taken"));
            assert!(error.what.starts_with(what), "{text:?}: {}", error.what);
        }
    }
}
