//! Reads a gate file: TOML, strict. What it does not say keeps its default; a key that is not known, or a value
//! that cannot be, is refused with file, line and what would have been right.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::keys::{Keys, Source};
use crate::domain::gate::{
    Accept, CostItem, EdgeItem, EvalItem, FailureItem, GateSpec, Item, LatencyItem, MonitorItem, Need,
    OncallItem, RollbackItem, RolloutItem, Waiver,
};
use crate::domain::{Error, Result, Untrusted};

/// A gate file larger than this is a mistake.
const LARGEST: u64 = 1024 * 1024;

const NEEDS: [(&str, Need); 2] = [("point", Need::Point), ("proven", Need::Proven)];
const ACCEPTS: [(&str, Accept); 2] = [("fallback", Accept::Fallback), ("client", Accept::Client)];

/// Finds the gate of a candidate in the team's folder of gates: `<feature>@<version>.toml`, else
/// `<feature>.toml`; without either the defaults. Gives the file that was read.
pub fn gate_of(folder: &Path, feature: &str, version: &str) -> Result<(GateSpec, Option<PathBuf>)> {
    let names = [format!("{feature}@{version}.toml"), format!("{feature}.toml")];
    let Some(path) = names.iter().map(|name| folder.join(name)).find(|path| path.exists()) else {
        return Ok((GateSpec::default(), None));
    };
    let name = path.display().to_string();
    let cannot = |e: std::io::Error| Error::failed(format!("The gate {name} cannot be read.")).because(e);
    let size = std::fs::metadata(&path).map_err(cannot)?.len();
    if size > LARGEST {
        return Err(Error::usage(format!("{name} is too large for a gate ({size} bytes).")));
    }
    let text = std::fs::read_to_string(&path).map_err(cannot)?;
    let spec = gate(&name, &text, feature)?;
    if let Some(other) = spec.version.as_deref().filter(|only| *only != version) {
        return Err(Error::usage(format!("{name} is the gate of {other}, not of {version}.")).hint(format!(
            "Leave `prompt` out of it to have it for every version, or write {feature}@{version}.toml."
        )));
    }
    Ok((spec, Some(path)))
}

/// Reads a gate from its text; `name` is what messages call it.
pub fn gate(name: &str, text: &str, feature: &str) -> Result<GateSpec> {
    let source = Source { name, text };
    let parsed = DeTable::parse(text).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        source.error(at, &format!("this is not TOML: {}.", e.message())).hint("Mend the line and try again.")
    })?;
    let keys = Keys::new(source, parsed.get_ref(), 0, "the gate");
    let schema = keys.need("schema")?;
    if schema.get_ref().as_integer().map(|n| n.as_str()) != Some("1") {
        return Err(source
            .error(schema.span().start, "this gate is of another schema than 1.")
            .hint("This program reads `schema = 1`; a newer one may read more."));
    }
    if let Some(said) = keys.get("feature")
        && said.get_ref().as_str() != Some(feature)
    {
        return Err(source
            .error(said.span().start, &format!("this is the gate of another feature than {feature}."))
            .hint("The file is called as the feature: rename it, or mend the line."));
    }
    let mut spec = GateSpec {
        prompt_name: plain(&keys, "prompt_name")?,
        version: plain(&keys, "prompt")?,
        ..GateSpec::default()
    };
    if let Some(items) = keys.table("item")? {
        for item in Item::ALL {
            if let Some(keys) = items.table(item.name())? {
                read(&mut spec, item, keys)?;
            }
        }
        items.finish()?;
    }
    if let Some(waivers) = keys.table("waive")? {
        for item in Item::ALL {
            if let Some(keys) = waivers.table(item.name())? {
                let expires = keys.need("expires").and_then(|_| keys.time("expires"))?;
                let waiver = Waiver {
                    reason: keys.need_text("reason")?,
                    by: keys.need_text("by")?,
                    expires: expires.unwrap_or_default(),
                };
                keys.finish()?;
                spec.waivers.insert(item, waiver);
            }
        }
        waivers.finish()?;
    }
    keys.finish()?;
    Ok(spec)
}

/// One item's table.
fn read(spec: &mut GateSpec, item: Item, keys: Keys<'_>) -> Result<()> {
    if keys.yes("off")?.unwrap_or(false) {
        spec.off.insert(item);
    }
    match item {
        Item::Eval => spec.eval = eval(&keys)?,
        Item::EdgeCases => spec.edge_cases = edge_cases(&keys)?,
        Item::Cost => spec.cost = cost(&keys)?,
        Item::Latency => spec.latency = latency(&keys)?,
        Item::Monitors => spec.monitors = monitors(&keys)?,
        Item::Rollback => spec.rollback = rollback(&keys)?,
        Item::FailureModes => spec.failure_modes = failure_modes(&keys)?,
        Item::PeerReview => {}
        Item::Rollout => spec.rollout = rollout(&keys)?,
        Item::Oncall => spec.oncall = oncall(&keys)?,
    }
    keys.finish()
}

fn eval(keys: &Keys<'_>) -> Result<EvalItem> {
    let default = EvalItem::default();
    Ok(EvalItem {
        set: plain(keys, "set")?,
        min: keys.within("min", 0.0, 1.0)?.unwrap_or(default.min),
        need: keys.choice("need", NEEDS)?.unwrap_or(default.need),
        max_age_ms: keys.duration("max_age")?.unwrap_or(default.max_age_ms),
        min_cases: count(keys, "min_cases")?.unwrap_or(default.min_cases),
        max_error_rate: keys.within("max_error_rate", 0.0, 1.0)?.unwrap_or(default.max_error_rate),
        baseline: plain(keys, "baseline")?,
    })
}

fn edge_cases(keys: &Keys<'_>) -> Result<EdgeItem> {
    let default = EdgeItem::default();
    Ok(EdgeItem {
        categories: categories(keys)?.unwrap_or(default.categories),
        min_labels: count(keys, "min_labels")?.unwrap_or(default.min_labels),
        min: keys.within("min", 0.0, 1.0)?.unwrap_or(default.min),
    })
}

fn cost(keys: &Keys<'_>) -> Result<CostItem> {
    Ok(CostItem {
        max_usd: keys.within("max_usd", 0.0, f64::INFINITY)?,
        budget_usd: keys.within("budget_usd", 0.0, f64::INFINITY)?,
        requests_per_day: keys.within("requests_per_day", 0.0, f64::INFINITY)?,
        need: keys.choice("need", NEEDS)?.unwrap_or(CostItem::default().need),
    })
}

fn latency(keys: &Keys<'_>) -> Result<LatencyItem> {
    let default = LatencyItem::default();
    Ok(LatencyItem {
        p95_ms: keys.duration("p95")?.unwrap_or(default.p95_ms),
        need: keys.choice("need", NEEDS)?.unwrap_or(default.need),
        window_ms: keys.duration("window")?.unwrap_or(default.window_ms),
        min_requests: count(keys, "min_requests")?.unwrap_or(default.min_requests),
    })
}

fn monitors(keys: &Keys<'_>) -> Result<MonitorItem> {
    let default = MonitorItem::default();
    Ok(MonitorItem {
        at_least: count(keys, "at_least")?.unwrap_or(default.at_least),
        max_test_age_ms: keys.duration("max_test_age")?.unwrap_or(default.max_test_age_ms),
        max_lag_ms: keys.duration("max_lag")?.unwrap_or(default.max_lag_ms),
    })
}

fn rollback(keys: &Keys<'_>) -> Result<RollbackItem> {
    let default = RollbackItem::default();
    let words =
        |key| Ok::<_, Error>(keys.texts(key)?.into_iter().map(Untrusted::into_raw).collect::<Vec<_>>());
    if let Some(value) = keys.get("command")
        && value.get_ref().as_array().is_none_or(|words| words.is_empty())
    {
        return Err(keys.wrong("command", value, "a list: the program and its arguments, for no shell"));
    }
    Ok(RollbackItem {
        command: words("command")?,
        dry_run: if keys.get("dry_run").is_some() { words("dry_run")? } else { default.dry_run },
        env: words("env")?,
        limit_ms: keys.duration("limit")?.unwrap_or(default.limit_ms),
        max_age_ms: keys.duration("max_age")?.unwrap_or(default.max_age_ms),
        to: plain(keys, "to")?,
    })
}

fn failure_modes(keys: &Keys<'_>) -> Result<FailureItem> {
    let default = FailureItem::default();
    let text = |key, default: String| Ok::<_, Error>(keys.text(key)?.map_or(default, Untrusted::into_raw));
    let fallback: Vec<String> = keys.texts("fallback")?.into_iter().map(Untrusted::into_raw).collect();
    if let Some(value) = keys.get("fallback")
        && let Some(bad) = fallback.iter().find(|pattern| regex::Regex::new(pattern).is_err())
    {
        return Err(keys.wrong("fallback", value, &format!("regular expressions, which “{bad}” is not")));
    }
    Ok(FailureItem {
        categories: categories(keys)?.unwrap_or(default.categories),
        min: keys.within("min", 0.0, 1.0)?.unwrap_or(default.min),
        max_age_ms: keys.duration("max_age")?.unwrap_or(default.max_age_ms),
        fallback,
        accept: keys.choice("accept", ACCEPTS)?.unwrap_or(default.accept),
        limit_ms: keys.duration("limit")?.unwrap_or(default.limit_ms),
        input: text("input", default.input)?,
        fault_env: text("fault_env", default.fault_env)?,
        fault_value: text("fault_value", default.fault_value)?,
        fault_path: text("fault_path", default.fault_path)?,
    })
}

fn rollout(keys: &Keys<'_>) -> Result<RolloutItem> {
    let stages = keys.wholes("stages", 1, 100)?;
    if let Some(value) = keys.get("stages")
        && !(stages.is_sorted_by(|a, b| a < b) && stages.last() == Some(&100))
    {
        return Err(keys.wrong(
            "stages",
            value,
            "a list of per cents that rises to 100, as in [10, 50, 100]",
        ));
    }
    Ok(RolloutItem {
        stages: if stages.is_empty() { RolloutItem::default().stages } else { stages },
        plan: keys.text("plan")?.map(Untrusted::into_raw),
    })
}

fn oncall(keys: &Keys<'_>) -> Result<OncallItem> {
    Ok(OncallItem {
        who: keys.text("who")?,
        contact: keys.text("contact")?,
        until: keys.time("until")?,
        least_ms: keys.duration("least")?.unwrap_or(OncallItem::default().least_ms),
    })
}

/// A name that can be part of a file's name.
fn plain(keys: &Keys<'_>, key: &'static str) -> Result<Option<String>> {
    let Some(value) = keys.get(key) else { return Ok(None) };
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match value.get_ref().as_str() {
        Some(name) if !name.is_empty() && !name.starts_with('.') && name.chars().all(fine) => {
            Ok(Some(name.to_owned()))
        }
        _ => Err(keys.wrong(key, value, "a name of letters, digits, `.`, `_` and `-`, in quotes")),
    }
}

fn count(keys: &Keys<'_>, key: &'static str) -> Result<Option<u64>> {
    Ok(keys.whole(key, 0, 1_000_000_000)?.map(i64::unsigned_abs))
}

fn categories(keys: &Keys<'_>) -> Result<Option<Vec<String>>> {
    if keys.get("categories").is_none() {
        return Ok(None);
    }
    let names = keys.texts("categories")?;
    Ok(Some(names.iter().map(|name| crate::domain::category(name.raw()).into_raw()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_says_what_it_changes_and_keeps_the_rest() {
        let text = "schema = 1\nfeature = 'support'\nprompt = 'v5'\n[item.eval]\nmin = 0.95\nneed = 'proven'\nmax_age = '2d'\n\
            [item.latency]\np95 = '2s'\n[item.monitors]\noff = true\n[item.rollback]\ncommand = ['./back', '{{to}}']\n\
            [item.oncall]\nwho = 'mira'\nuntil = '2025-03-05T09:00:00+01:00'\n[item.rollout]\nstages = [5, 100]\n\
            [item.edge_cases]\ncategories = ['Out of domain']\n\
            [waive]\nfailure_modes = { reason = 'no retrieval', by = 'jo', expires = '2025-06-01' }\n";
        let spec = gate("g.toml", text, "support").unwrap();
        assert_eq!((spec.eval.min, spec.eval.need, spec.eval.max_age_ms), (0.95, Need::Proven, 172_800_000));
        assert_eq!((spec.latency.p95_ms, spec.latency.min_requests), (2_000, 59));
        assert!(spec.off.contains(&Item::Monitors) && spec.off.len() == 1);
        assert_eq!(spec.rollback.command, ["./back", "{{to}}"]);
        assert_eq!(spec.rollback.dry_run, ["--dry-run"]);
        assert_eq!(spec.rollout.stages, [5, 100]);
        assert_eq!(spec.edge_cases.categories, ["out_of_domain"]);
        let waiver = &spec.waivers[&Item::FailureModes];
        assert_eq!(waiver.expires.to_string(), "2025-06-02T00:00:00Z", "a date is its end");
        assert_eq!(spec.oncall.until.unwrap().to_string(), "2025-03-05T08:00:00Z");
        assert_eq!(gate("g.toml", "schema = 1", "support").unwrap(), GateSpec::default());
    }

    /// What help shows as the defaults is what holds; what it shows as an example can be read.
    #[test]
    fn the_gate_in_the_help_is_the_default_one() {
        let text = include_str!("../../../fixtures/gate.toml");
        assert_eq!(gate("gate.toml", text, "customer_support").unwrap(), GateSpec::default());
        let all: String = text
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|line| line.contains(" = ") || line.starts_with('['))
                    .unwrap_or(line)
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let spec = gate("gate.toml", &all, "customer_support").unwrap();
        assert_eq!((spec.waivers.len(), spec.cost.max_usd), (1, Some(0.01)));
    }

    #[test]
    fn what_cannot_be_is_named_by_its_line() {
        for (text, what) in [
            ("", "g.toml, line 1: the gate needs the key `schema`."),
            ("schema = 2", "g.toml, line 1: this gate is of another schema"),
            ("schema = 1\nfeature = 'other'", "g.toml, line 2: this is the gate of another feature"),
            ("schema = 1\n[item.evals]\nmin = 1", "g.toml, line 2: `item` of the gate has no key `evals`."),
            (
                "schema = 1\n[item.eval]\nmni = 1",
                "g.toml, line 3: `eval` of `item` of the gate has no key `mni`.",
            ),
            (
                "schema = 1\n[item.eval]\nmin = 90",
                "g.toml, line 3: `min` of `eval` of `item` of the gate must be a number from 0 to 1.",
            ),
            ("schema = 1\n[item.eval]\nneed = 'maybe'", "g.toml, line 3: `need` of"),
            ("schema = 1\n[item.latency]\np95 = 3", "g.toml, line 3: `p95` of"),
            ("schema = 1\n[item.rollout]\nstages = [50, 10]", "g.toml, line 3: `stages` of"),
            ("schema = 1\n[item.rollback]\ncommand = 'rm -rf'", "g.toml, line 3: `command` of"),
            ("schema = 1\n[item.failure_modes]\nfallback = ['(']", "g.toml, line 3: `fallback` of"),
            (
                "schema = 1\n[waive]\ncost = { reason = 'x', by = 'jo' }",
                "g.toml, line 3: `cost` of `waive` of the gate needs the key `expires`.",
            ),
            (
                "schema = 1\n[waive]\ncost = { reason = 'x', by = 'jo', expires = 'soon' }",
                "g.toml, line 3: `expires` of",
            ),
            ("schema = 1\n[waive]\ncosts = { }", "g.toml, line 3: `waive` of the gate has no key `costs`."),
            ("schema = 1\nprompt = '../v5'", "g.toml, line 2: `prompt` of"),
            ("schema = ", "g.toml, line 1: this is not TOML"),
        ] {
            let error = gate("g.toml", text, "support").err().unwrap_or_else(|| panic!("{text:?} was taken"));
            assert!(error.what.starts_with(what), "{text:?}: {}", error.what);
        }
    }

    #[test]
    fn the_file_of_a_version_comes_before_that_of_its_feature() {
        let folder = tempfile::tempdir().unwrap();
        let read = || gate_of(folder.path(), "support", "v5");
        assert_eq!(read().unwrap(), (GateSpec::default(), None));
        std::fs::write(folder.path().join("support.toml"), "schema = 1\n[item.eval]\nmin = 0.8").unwrap();
        assert_eq!(read().unwrap().0.eval.min, 0.8);
        std::fs::write(folder.path().join("support@v5.toml"), "schema = 1\nprompt = 'v4'").unwrap();
        assert!(read().unwrap_err().what.ends_with("support@v5.toml is the gate of v4, not of v5."));
    }
}
