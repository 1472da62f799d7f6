//! `tuesday doctor`.

use std::io::IsTerminal;

use clap::Args;
use serde::Serialize;

use super::long::{self, Unit};
use super::{Face, output};
use crate::config::Origin;
use crate::domain::{Error, Result};
use crate::ops::doctor::{DoctorView, examine, rebuild_labels};
use crate::ops::{Access, Ctx};
use crate::text::figures::{size, thousands};

/// Check the store and tell what the program finds around it
///
/// Reads the whole store: SQLite's own check of both files and of the search index, then roll-ups and
/// columns against the rows. The exit code is 1 when anything is wrong.
#[derive(Args, Debug)]
pub(super) struct DoctorArgs {
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
    /// First make the present labels anew from the events of labelling; these are never changed
    #[arg(long)]
    rebuild_labels: bool,
}

/// What a terminal says that it can do.
#[derive(Debug, Serialize)]
struct TerminalView {
    stdin_is_terminal: bool,
    stdout_is_terminal: bool,
    columns: Option<u16>,
    rows: Option<u16>,
    term: Option<String>,
    colorterm: Option<String>,
    no_color: bool,
    locale: Option<String>,
    unicode: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    store: serde_json::Map<String, serde_json::Value>,
    terminal: TerminalView,
    config: serde_json::Map<String, serde_json::Value>,
}

pub(super) fn run(face: &Face, args: &DoctorArgs) -> Result<u8> {
    if args.rebuild_labels {
        rebuild_labels(&face.ctx(Access::Existing)?)?;
    }
    let examined = open(face)
        .and_then(|ctx| long::run(Unit::Traces, |cancel, progress| examine(&ctx, cancel, progress)));
    let whole = examined.as_ref().is_ok_and(DoctorView::is_ok);
    if args.json {
        output::json(&answer(face, &examined)?)?;
    } else {
        output::text(&told(face, &examined))?;
    }
    Ok(u8::from(!whole))
}

/// Opens for writing where that can be, so that a log left by a kill is taken in first.
fn open(face: &Face) -> Result<Ctx> {
    face.ctx(Access::Existing).or_else(|_| face.ctx(Access::ReadOnly))
}

fn answer(face: &Face, examined: &Result<DoctorView>) -> Result<Answer> {
    let failed = |e| Error::failed("The answer cannot be written as JSON.").because(e);
    let store = match examined {
        Ok(view) => serde_json::to_value(view).map_err(failed)?,
        Err(error) => serde_json::json!({
            "store": {
                "integrity": "unreadable",
                "problems": [reasons(error).join(": ")],
                "path": face.config.store.value.display().to_string(),
            },
        }),
    };
    let serde_json::Value::Object(store) = store else { return Err(Error::failed("No answer.")) };
    let mut config = serde_json::Map::new();
    config.insert("file".to_owned(), face.config.file.as_ref().map(|file| file.display().to_string()).into());
    for (key, value, from) in face.config.lines() {
        config.insert(key.to_owned(), serde_json::json!({ "value": value, "from": origin(from) }));
    }
    Ok(Answer { store, terminal: terminal(), config })
}

fn told(face: &Face, examined: &Result<DoctorView>) -> String {
    let mut lines = Vec::new();
    match examined {
        Ok(view) => store_lines(view, &mut lines),
        Err(error) => {
            lines.push(format!("store     {}", reasons(error).join(": ")));
            lines.extend(error.hints.iter().map(|hint| format!("          → {hint}")));
        }
    }
    let terminal = terminal();
    let size = match (terminal.columns, terminal.rows) {
        (Some(columns), Some(rows)) => format!("{columns}×{rows}"),
        _ => "no size".to_owned(),
    };
    lines.push(format!(
        "terminal  {}, {size}, {}, {}, locale {}",
        terminal.term.as_deref().unwrap_or("no TERM"),
        terminal.colorterm.as_deref().unwrap_or("no COLORTERM"),
        if terminal.no_color { "NO_COLOR" } else { "colours" },
        terminal.locale.as_deref().unwrap_or("not set"),
    ));
    let file = face.config.file.as_ref().map_or("no file".to_owned(), |file| file.display().to_string());
    lines.push(format!("config    {file}"));
    for (key, value, from) in face.config.lines() {
        lines.push(format!("          {key} = {value}  ({})", origin(from)));
    }
    lines.join("\n")
}

fn store_lines(view: &DoctorView, lines: &mut Vec<String>) {
    let store = &view.store;
    lines.push(format!("store     {}: {}", store.integrity, store.path));
    lines.push(format!(
        "          {} traces, {}, layout {}{}",
        thousands(store.traces),
        size(store.size_bytes),
        store.version,
        if store.writable { "" } else { ", read only" }
    ));
    lines.extend(store.problems.iter().map(|problem| format!("          ✗ {problem}")));
    if !store.missing_indexes.is_empty() {
        lines.push(format!(
            "          An import was killed: its indexes ({}) are built by the next import or by the program.",
            store.missing_indexes.join(", ")
        ));
    }
    let index = &store.text_index;
    lines.push(match index.pending {
        0 => format!("search    knows all {} traces", thousands(index.indexed)),
        pending => {
            format!("search    knows {} traces, {} to go", thousands(index.indexed), thousands(pending))
        }
    });
    let work = &view.work;
    lines.push(format!("work      {}: {}", work.integrity, work.path));
    lines.push(format!("          {}, layout {}", size(work.size_bytes), work.version));
    lines.extend(work.problems.iter().map(|problem| format!("          ✗ {problem}")));
    lines.push(format!("program   tuesday {}, SQLite {}", view.program.version, view.program.sqlite));
    if work.drifted_labels > 0 {
        lines.push("          → `tuesday doctor --rebuild-labels` makes them anew.".to_owned());
    } else if !work.problems.is_empty() || !store.problems.is_empty() {
        lines.push(
            "          → Restore the damaged file from a backup; the other file may be kept.".to_owned(),
        );
    }
}

/// An error and its causes, outermost first.
fn reasons(error: &Error) -> Vec<String> {
    let mut reasons = vec![error.what.clone()];
    let mut cause = std::error::Error::source(error);
    while let Some(why) = cause {
        reasons.push(why.to_string());
        cause = why.source();
    }
    reasons
}

fn terminal() -> TerminalView {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let size = crossterm::terminal::size().ok().filter(|size| *size != (0, 0));
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    let unicode = locale.as_ref().is_some_and(|name| {
        let name = name.to_lowercase();
        name.contains("utf-8") || name.contains("utf8")
    });
    TerminalView {
        stdin_is_terminal: std::io::stdin().is_terminal(),
        stdout_is_terminal: std::io::stdout().is_terminal(),
        columns: size.map(|size| size.0),
        rows: size.map(|size| size.1),
        term: variable("TERM"),
        colorterm: variable("COLORTERM"),
        no_color: variable("NO_COLOR").is_some(),
        locale,
        unicode,
    }
}

fn origin(from: Origin) -> String {
    match from {
        Origin::Flag => "flag".to_owned(),
        Origin::Environment(name) => name.to_owned(),
        Origin::File { line } => format!("line {line}"),
        Origin::Default => "default".to_owned(),
    }
}
