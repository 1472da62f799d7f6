//! Reads a runbook file: TOML, strict. A key that is not known, or a value that cannot be, is refused
//! with file, line and what would have been right.

#[cfg(test)]
mod tests;

use std::path::Path;

use reqwest::Url;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Keys, Source};
use crate::domain::incident::Pinned;
use crate::domain::runbook::template::{Wrong, wrong_in};
use crate::domain::runbook::{
    Approve, Bound, Confirm, Criterion, Effect, Figure, Guard, Limit, Op, Phase, Probe, Rule, Runbook,
    Section, Severity, Step, StepKind,
};
use crate::domain::{Error, Result, Untrusted};

/// The runbooks that come with the program, by name. The first is for whatever has none of its own.
pub const SHIPPED: [(&str, &str); 3] = [
    ("default", include_str!("../../../../fixtures/runbooks/default.toml")),
    ("outage", include_str!("../../../../fixtures/runbooks/outage.toml")),
    ("cost", include_str!("../../../../fixtures/runbooks/cost.toml")),
];

/// A runbook file larger than this is a mistake.
const LARGEST: u64 = 1024 * 1024;

/// Reads a runbook from a file.
pub fn runbook_file(path: &Path) -> Result<Pinned> {
    let name = path.display().to_string();
    let cannot = |e: std::io::Error| {
        Error::not_so(format!("Cannot read the runbook {name}."))
            .because(e)
            .hint("`tuesday init` writes the default one to runbooks/default.toml.")
    };
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > LARGEST {
        return Err(Error::not_so(format!("{name} is too large for a runbook ({size} bytes)."))
            .hint("A runbook is a TOML file of at most 1 MiB; name another with --runbook."));
    }
    let text = std::fs::read_to_string(path).map_err(cannot)?;
    runbook(&name, &text)
}

/// The runbook of this name that comes with the program.
pub fn shipped(name: &str) -> Result<Option<Pinned>> {
    let found = SHIPPED.iter().find(|(known, _)| *known == name);
    found.map(|(name, text)| runbook(&format!("tuesday's own runbook {name}"), text)).transpose()
}

/// The runbook that comes with the program for whatever has none of its own.
pub fn default_runbook() -> Result<Pinned> {
    let (name, text) = SHIPPED[0];
    runbook(&format!("tuesday's own runbook {name}"), text)
}

/// Refuses a runbook with a step that goes through a shell; `name` is what messages call it.
///
/// # Errors
/// `NotSo` with the line of the first such step.
pub fn without_shell(name: &str, pinned: &Pinned) -> Result<()> {
    let Some(step) = pinned.book.steps.iter().find(|step| step.kind.is_shell()) else { return Ok(()) };
    let text = pinned.text.raw();
    let source = Source { name, text };
    let at = DeTable::parse(text).ok().and_then(|table| shell_of(table.get_ref(), &step.id));
    Err(source
        .error(at.unwrap_or(0), &format!("step “{}” goes through a shell, which is refused here.", step.id))
        .hint("Put its text into a script of your repository, and run that: run = [\"./ops/script\", …].")
        .hint("It is refused by --strict, and by `strict = true` under [incidents] in tuesday.toml."))
}

/// Where the step of this id says that it goes through a shell.
fn shell_of(table: &DeTable<'_>, id: &str) -> Option<usize> {
    let steps = table.get("step")?.get_ref().as_array()?;
    let mut steps = steps.iter().filter_map(|step| step.get_ref().as_table());
    let step = steps.find(|step| step.get("id").is_some_and(|of| of.get_ref().as_str() == Some(id)))?;
    step.get("shell").map(|value| value.span().start)
}

/// Reads a runbook from its text; `name` is what messages call it.
pub fn runbook(name: &str, text: &str) -> Result<Pinned> {
    let source = Source { name, text };
    let parsed = DeTable::parse(text).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        source.error(at, &format!("this is not TOML: {}.", e.message())).hint("Mend the line and try again.")
    })?;
    let book = book(source, parsed.get_ref())?;
    Ok(Pinned { text: text.into(), hash: blake3::hash(text.as_bytes()).to_hex().to_string(), book })
}

fn book(source: Source<'_>, table: &DeTable<'_>) -> Result<Runbook> {
    let keys = Keys::new(source, table, 0, "the runbook");
    let schema = keys.need("schema")?;
    match schema.get_ref().as_integer().map(|n| n.as_str()) {
        Some("1") => {}
        _ => {
            return Err(source
                .error(schema.span().start, "this runbook is of another schema than 1.")
                .hint("This program reads `schema = 1`; a newer one may read more."));
        }
    }
    let name = keys.need_text("name")?;
    let feature = keys.text("feature")?;
    let severity =
        by_severity(&keys, "severity", "a rule such as \"users >= 0.05 or unsafe >= 1\"", Rule::parse)?;
    let update_every_ms = by_severity(
        &keys,
        "update_every",
        "a duration such as \"30m\"",
        crate::domain::runbook::duration_ms,
    )?;
    let secrets = keys.texts("secrets")?;
    let mut steps: Vec<Step> = Vec::new();
    for (index, found) in keys.tables("step", "a list of [[step]] tables")?.into_iter().enumerate() {
        let (step, at) = step(found, index)?;
        if steps.iter().any(|other| other.id == step.id) {
            return Err(source
                .error(at, &format!("two steps have the id “{}”.", step.id))
                .hint("Give each step an id of its own: the record of an incident names steps by it."));
        }
        steps.push(step);
    }
    if steps.is_empty() {
        return Err(source
            .error(0, "the runbook has no steps.")
            .hint("Add a [[step]] with id, phase, kind and title; `tuesday init` writes an example."));
    }
    // Within a phase the file's order counts; the phases themselves have theirs.
    steps.sort_by_key(|step| step.phase);
    keys.finish()?;
    Ok(Runbook { name, feature, severity, update_every_ms, secrets, steps })
}

fn by_severity<T>(
    keys: &Keys<'_>,
    key: &'static str,
    wanted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<(Severity, T)>> {
    let Some(table) = keys.table(key)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (name, severity) in [
        ("sev1", Severity::Sev1),
        ("sev2", Severity::Sev2),
        ("sev3", Severity::Sev3),
        ("sev4", Severity::Sev4),
    ] {
        if let Some(value) = table.get(name) {
            let read = value.get_ref().as_str().and_then(&read);
            found.push((severity, read.ok_or_else(|| table.wrong(name, value, wanted))?));
        }
    }
    table.finish()?;
    Ok(found)
}

/// A step, and where its id stands.
fn step(mut keys: Keys<'_>, index: usize) -> Result<(Step, usize)> {
    keys.rename(format!("step {}", index + 1));
    let named = keys.need("id")?;
    let id = keys.need_text("id")?.into_raw();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    // Digits alone would be taken for a step's number.
    if !id.chars().all(plain) || id.len() > 40 || id.chars().all(|c| c.is_ascii_digit()) {
        return Err(keys.wrong("id", named, "1 to 40 of the characters a-z, 0-9, - and _, not digits alone"));
    }
    keys.rename(format!("step “{id}”"));
    let phase =
        keys.name_among("phase", keys.need("phase")?, &Phase::ALL.map(|phase| (phase.name(), phase)))?;
    let title = keys.need_text("title")?;
    let say = keys.text("say")?;
    let owner = keys.text("owner")?;
    let box_ms = keys.duration("box")?;
    let figures = Figure::ALL.map(|figure| (figure.name(), figure));
    let show = match keys.get("show") {
        None => Vec::new(),
        Some(list) => list
            .get_ref()
            .as_array()
            .ok_or_else(|| keys.wrong("show", list, "a list of figures"))?
            .iter()
            .map(|item| keys.name_among("show", item, &figures))
            .collect::<Result<_>>()?,
    };
    let fills = keys.choice("fills", Section::ALL.map(|section| (section.name(), section)))?;
    let kind = kind(&keys)?;
    let guard = if kind.acts() { guard(&keys)? } else { Guard::default() };
    if kind.is_shell() && guard.confirm != Confirm::Type {
        return Err(keys
            .error(keys.place_of("shell"), &format!("a shell may do anything: step “{id}” must be typed."))
            .hint("Add confirm = \"type\"; or run a script of your repository without a shell."));
    }
    let step = Step { id, phase, title, say, owner, box_ms, show, fills, guard, kind };
    if let Some((text, wrong)) = wrong_in(&step) {
        let at = keys.place_of(match &step.kind {
            StepKind::Command { run, .. } if run.iter().all(|word| word.raw() != text) => "dry_run",
            StepKind::Command { .. } => "run",
            _ => "json",
        });
        let hint = match wrong {
            Wrong::InShell => {
                "Give it after the text, which sees it as \"$1\": [\"./page \\\"$1\\\"\", \"{{incident.id}}\"]."
            }
            _ => "Make it an argument of its own: [\"--id\", \"{{incident.id}}\"].",
        };
        return Err(keys.error(at, &format!("\"{text}\" cannot be filled: {wrong}.")).hint(hint));
    }
    keys.finish()?;
    Ok((step, named.span().start))
}

const KINDS: [&str; 9] = ["manual", "check", "command", "http", "flag", "rollback", "monitor", "ask", "gate"];

fn kind(keys: &Keys<'_>) -> Result<StepKind> {
    let name = keys.name_among("kind", keys.need("kind")?, &KINDS.map(|name| (name, name)))?;
    Ok(match name {
        "check" => {
            StepKind::Check {
                metric: keys.need_text("metric")?,
                must: match keys.get("must") {
                    None => None,
                    Some(value) => {
                        Some(value.get_ref().as_str().and_then(Limit::parse).ok_or_else(|| {
                            keys.wrong("must", value, "a limit such as \"< 10m\" or \">= 5%\"")
                        })?)
                    }
                },
                window_ms: keys.duration("window")?,
                baseline_ms: keys.duration("baseline")?,
            }
        }
        "command" => command(keys)?,
        "http" => http(keys)?,
        "flag" => StepKind::Flag {
            flag: keys.text("flag")?,
            to: keys.need_text("to")?,
            undo: keys.text("undo")?,
            effect: keys.table("confirm_effect")?.map(effect).transpose()?,
        },
        "rollback" => StepKind::Rollback { prompt: keys.text("prompt")?, to: keys.need_text("to")? },
        "monitor" => {
            keys.need("for")?;
            let must = keys.tables("must", "a list of { metric, op, value }")?;
            StepKind::Monitor {
                for_ms: keys.duration("for")?.unwrap_or_default(),
                every_ms: keys.duration("every")?.unwrap_or(60_000),
                stages: keys
                    .wholes("stages", 1, 100)?
                    .into_iter()
                    .filter_map(|stage| u8::try_from(stage).ok())
                    .collect(),
                must: must.into_iter().map(criterion).collect::<Result<_>>()?,
            }
        }
        "ask" => StepKind::Ask { choices: keys.texts("choices")? },
        "gate" => StepKind::Gate { checklist: keys.text("checklist")? },
        _ => StepKind::Manual,
    })
}

fn command(keys: &Keys<'_>) -> Result<StepKind> {
    let value = keys.need("run")?;
    let run = keys.texts("run")?;
    if run.first().is_none_or(|program| program.raw().trim().is_empty()) {
        return Err(keys.wrong("run", value, "a list: the program, then its arguments"));
    }
    Ok(StepKind::Command {
        run,
        dry_run: keys.texts("dry_run")?,
        shell: keys.yes("shell")?.unwrap_or(false),
        timeout_ms: keys.duration("timeout")?.unwrap_or(20_000),
        idempotent: keys.yes("idempotent")?.unwrap_or(false),
        env: keys.texts("env")?,
    })
}

fn http(keys: &Keys<'_>) -> Result<StepKind> {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"].map(|name| (name, name));
    let at = keys.need("url")?;
    let url = keys.need_text("url")?;
    if !(url.raw().starts_with("https://") || url.raw().starts_with("http://")) {
        return Err(keys.wrong("url", at, "an address that begins with https:// or http://"));
    }
    let expect: Vec<u16> =
        keys.wholes("expect", 100, 599)?.into_iter().filter_map(|code| u16::try_from(code).ok()).collect();
    let method = keys.choice("method", methods)?.unwrap_or("POST");
    Ok(StepKind::Http {
        method: method.to_owned(),
        check: probe(keys, &url)?,
        url,
        header: keys.table("header")?.map(|header| header.pairs()).transpose()?.unwrap_or_default(),
        json: keys.get("json").map(|value| keys::json(value.get_ref())),
        expect: if expect.is_empty() { vec![200] } else { expect },
        timeout_ms: keys.duration("timeout")?.unwrap_or(10_000),
        // By RFC 9110, 9.2.2, unless the file knows better.
        idempotent: keys.yes("idempotent")?.unwrap_or(matches!(method, "GET" | "PUT" | "DELETE")),
    })
}

/// `check = false`, or `check = { method, url, expect }`.
fn probe(keys: &Keys<'_>, to: &Untrusted) -> Result<Probe> {
    match keys.get("check").map(|value| value.get_ref()) {
        None | Some(DeValue::Boolean(true)) => return Ok(Probe::Usual),
        Some(DeValue::Boolean(false)) => return Ok(Probe::Nothing),
        Some(_) => {}
    }
    let Some(table) = keys.table("check")? else { return Ok(Probe::Usual) };
    let safe = ["GET", "HEAD", "OPTIONS"].map(|name| (name, name));
    let method = table.choice("method", safe)?.unwrap_or("GET").to_owned();
    let url = table.text("url")?;
    if let (Some(value), Some(url)) = (table.get("url"), &url) {
        let place = |text: &Untrusted| Url::parse(text.raw()).ok().map(|url| url.origin());
        if place(url).is_none() || place(url) != place(to) {
            return Err(table.wrong(
                "url",
                value,
                "an address on the step's own host: its keys go nowhere else",
            ));
        }
    }
    let expect = table.wholes("expect", 100, 599)?;
    let expect = expect.into_iter().filter_map(|code| u16::try_from(code).ok()).collect();
    table.finish()?;
    Ok(Probe::Own { method, url, expect })
}

fn guard(keys: &Keys<'_>) -> Result<Guard> {
    let confirm = keys
        .choice("confirm", [("none", Confirm::None), ("key", Confirm::Key), ("type", Confirm::Type)])?
        .unwrap_or_default();
    let approve = match keys.table("approve")? {
        None => None,
        Some(table) => {
            let approve = Approve {
                by: table.need_text("by")?,
                within_ms: table.duration("within")?,
                break_glass: table.yes("break_glass")?.unwrap_or(false),
            };
            table.finish()?;
            Some(approve)
        }
    };
    Ok(Guard { confirm, approve })
}

fn effect(table: Keys<'_>) -> Result<Effect> {
    let must = table.need("must")?;
    let effect = Effect {
        metric: table.need_text("metric")?,
        must: must
            .get_ref()
            .as_str()
            .and_then(Limit::parse)
            .ok_or_else(|| table.wrong("must", must, "a limit such as \"== 0\""))?,
        for_ms: table.duration("for")?.unwrap_or(300_000),
        min_expected: table
            .whole("min_expected", 1, 1_000_000_000)?
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(20),
    };
    table.finish()?;
    Ok(effect)
}

fn criterion(table: Keys<'_>) -> Result<Criterion> {
    let signs = [Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq].map(|op| (op.sign(), op));
    let value = table.need("value")?;
    let prove = table.get("prove");
    let criterion = Criterion {
        metric: table.need_text("metric")?,
        version: table.text("version")?,
        op: table.name_among("op", table.need("op")?, &signs)?,
        value: match (value.get_ref().as_str(), keys::number(value.get_ref())) {
            (Some("halfway"), _) => Bound::Halfway,
            (_, Some(number)) => Bound::Is(number),
            _ => return Err(table.wrong("value", value, "a number, or \"halfway\"")),
        },
        prove: table.number("prove")?,
    };
    if let (Some(value), Some(share)) = (prove, criterion.prove)
        && !(share > 0.0 && share < 1.0)
    {
        return Err(table.wrong("prove", value, "a confidence between 0 and 1, such as 0.95"));
    }
    table.finish()?;
    Ok(criterion)
}
