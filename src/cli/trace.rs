//! `tuesday trace list|show`.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;

use super::{Face, output};
use crate::domain::query::{FIELDS, failure_word};
use crate::domain::{
    ChatMessage, Content, FeedbackKind, Query, Result, Span, Status, Thumbs, TraceRow, Untrusted,
};
use crate::ops::Access;
use crate::ops::browse::{Cursor, Direction, Page, TraceView, count, page, trace};
use crate::task::Cancel;
use crate::text::figures::{date_clock, dollars, duration, thousands};
use crate::text::{clean, clean_str, json, json_text, wrap};

/// Columns of text in a trace shown to a person.
const COLUMNS: usize = 96;
/// Levels of steps that are told apart by their indent.
const DEEPEST_STEP: usize = 12;

/// Find traces, and show one whole
#[derive(Args, Debug)]
pub(super) struct TraceArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// List the traces of a query, newest first
    #[command(after_help = query_help())]
    List {
        /// Which traces: feedback:down model:gpt-4o latency>3s -status:error "overdraft fee"
        #[arg(value_name = "QUERY", allow_hyphen_values = true)]
        query: Option<String>,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        /// Say how many there are instead, exactly
        #[arg(long)]
        count: bool,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Show one trace: the conversation, its figures, and what people said of it
    Show {
        /// The trace's id
        id: String,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
}

/// What `trace list --help` says of queries; the table of fields is the parser's own.
fn query_help() -> String {
    let mut help = "\
Terms are joined by and; `or` binds weaker, parentheses group, a minus before a term negates it.
Lists are any-of (model:a,b), a star ends a prefix (model:gpt*), \"quotes\" keep spaces together.
Figures compare (latency>3s, cost<=$0.02, latency:1s..3s). Days are of UTC.

Fields:"
        .to_owned();
    for field in FIELDS {
        let about = match field.values {
            [] => field.about.to_owned(),
            values => format!("{} ({})", field.about, values.join(", ")),
        };
        help.push_str(&format!("\n  {:<31} {about}", field.example));
    }
    help
}

pub(super) fn run(face: &Face, args: &TraceArgs) -> Result<u8> {
    let ctx = face.ctx(Access::ReadOnly)?;
    let cancel = Cancel::default();
    match &args.what {
        What::List { query, limit, count: counted, json } => {
            let query = Query::parse(query.as_deref().unwrap_or(""))?;
            if *counted {
                // What a name or the index hides is as true of a count as of a list.
                let notes = page(&ctx, &query, Cursor::Newest, Direction::Older, 0, &cancel)?.notes;
                notes.iter().for_each(|note| output::note(note.raw()));
                let count = count(&ctx, &query, &cancel)?;
                if *json {
                    output::json(&serde_json::json!({ "count": count }))?;
                } else {
                    output::text(&thousands(count.cast_signed()))?;
                }
                return Ok(0);
            }
            let page = page(&ctx, &query, Cursor::Newest, Direction::Older, *limit, &cancel)?;
            if *json { output::json(&page)? } else { print_list(&page, &query)? }
        }
        What::Show { id, json } => {
            let view = trace(&ctx, &Untrusted::new(id.as_str()))?;
            if *json { output::json(&view)? } else { print_trace(&view)? }
        }
    }
    Ok(0)
}

fn print_list(page: &Page, query: &Query) -> Result<()> {
    for note in &page.notes {
        output::note(note.raw());
    }
    if page.rows.is_empty() {
        return output::text(if query.is_all() {
            "There is no trace yet. Bring some in with `tuesday import FILE`."
        } else {
            "No trace matches."
        });
    }
    let rows = page.rows.iter().map(|row| {
        vec![
            date_clock(row.time.as_millisecond(), &TimeZone::UTC),
            row.id.raw().to_owned(),
            origin(row),
            row.latency_ms.map(duration).unwrap_or_default(),
            row.cost_usd.map(dollars).unwrap_or_default(),
            signs(row),
            shortened(&row.input_preview),
            shortened(&row.output_preview),
        ]
    });
    output::table(&["time (UTC)", "id", "prompt · model", "took", "cost", "", "input", "output"], rows)?;
    if !page.at_end {
        output::note("There are more: --limit N shows them, --count says how many.");
    }
    Ok(())
}

/// `customer_support@v4 · gpt-4o`.
fn origin(row: &TraceRow) -> String {
    let name = row.prompt.as_ref().or(row.feature.as_ref()).map_or("", Untrusted::raw);
    let version = row.prompt_version.as_ref().map(|v| format!("@{}", v.raw())).unwrap_or_default();
    let model = row.model.as_ref().map(|m| format!(" · {}", m.raw())).unwrap_or_default();
    format!("{name}{version}{model}")
}

/// What stands out about a row, in words.
fn signs(row: &TraceRow) -> String {
    let mut signs = Vec::new();
    if row.status == Status::Error {
        signs.push(row.error_kind.map_or("error", failure_word));
    }
    for (there, word) in [
        (row.down, "down"),
        (row.up, "up"),
        (row.report, "report"),
        (row.follow_up, "follow_up"),
        (row.fallback, "fallback"),
    ] {
        if there {
            signs.push(word);
        }
    }
    signs.join(" ")
}

fn shortened(preview: &Untrusted) -> String {
    crate::text::truncate(&crate::text::clean_line(preview.raw()), 40).into_string()
}

fn print_trace(view: &TraceView) -> Result<()> {
    let t = &view.trace;
    output::text(&head(view))?;
    for (side, content) in [("input", &t.input), ("output", &t.output)] {
        output::text("")?;
        match content {
            Content::Text(text) => said(side, text)?,
            Content::Messages(messages) => {
                for message in messages {
                    print_message(message)?;
                }
            }
        }
    }
    let mut about = Vec::new();
    for feedback in &t.feedback {
        let kind = match feedback.kind {
            FeedbackKind::Thumbs(Thumbs::Up) => "thumbs up",
            FeedbackKind::Thumbs(Thumbs::Down) => "thumbs down",
            FeedbackKind::Report => "report",
            FeedbackKind::FollowUp => "follow-up",
        };
        let comment = feedback.comment.as_ref().map(|c| format!(": {}", c.raw())).unwrap_or_default();
        about.push(format!("user     {kind}{comment}"));
    }
    about.extend(t.score.iter().map(|(name, value)| format!("score    {name} {value}")));
    for label in &view.labels {
        let mut words = vec![label.verdict.map_or("draft", crate::domain::Verdict::word).to_owned()];
        words.extend(label.mode.as_ref().map(|mode| mode.as_str().to_owned()));
        words.extend(label.severity.map(|severity| severity.word().to_owned()));
        words.extend(label.note.as_ref().map(|note| note.raw().to_owned()));
        about.push(format!("label    {}: {}", label.reviewer.raw(), words.join(" · ")));
    }
    about.extend(view.samples.iter().map(|name| format!("sample   {name}")));
    about.extend(view.incidents.iter().map(|id| format!("incident {id}")));
    if let Some(language) = &view.language {
        let guessed = if language.guessed { ", guessed from what was said" } else { "" };
        about.push(format!("language {}{guessed}", language.name));
    }
    if let Some(around) = &view.neighbours {
        let session = t.session.as_ref().map_or("", Untrusted::raw);
        about.push(format!("session  {session}: {} of {}", around.position, around.count));
    }
    if !about.is_empty() {
        output::text(&format!("\n{}", about.join("\n")))?;
    }
    if !t.spans.is_empty() {
        output::text("\nsteps")?;
        output::table(&["what", "after", "took", "model"], t.spans.iter().map(|span| step(span, &t.spans)))?;
    }
    if !t.metadata.is_empty() {
        output::text("\nmetadata")?;
        for line in json(&serde_json::Value::Object(t.metadata.clone()), COLUMNS) {
            output::text(&line.text())?;
        }
    }
    Ok(())
}

/// A span, indented below the one that it is a step of.
fn step(span: &Span, all: &[Span]) -> Vec<String> {
    let above = |span: &Span| {
        let parent = span.parent.as_ref()?;
        all.iter().find(|other| other.id.as_ref() == Some(parent))
    };
    // Spans that name each other as parents end here too.
    let depth = std::iter::successors(above(span), |span| above(span)).take(DEEPEST_STEP).count();
    let failed = if span.status == Status::Error { " ✗ failed" } else { "" };
    vec![
        format!("{}{} {}{failed}", "  ".repeat(depth), span.kind.raw(), span.name.raw()),
        duration(span.offset_ms),
        duration(span.duration_ms),
        span.model.as_ref().map_or_else(String::new, |model| model.raw().to_owned()),
    ]
}

/// The first lines: what it is, and its figures.
fn head(view: &TraceView) -> String {
    let t = &view.trace;
    let mut first = vec![t.id.raw().to_owned()];
    first.extend(t.time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()));
    let mut second = Vec::new();
    second.extend(t.feature.as_ref().map(|feature| feature.raw().to_owned()));
    let version = t.prompt_version.as_ref().map(|v| format!("@{}", v.raw())).unwrap_or_default();
    let prompt = t.prompt.as_ref().map_or("", Untrusted::raw);
    second.push(format!("{prompt}{version}"));
    second.extend(t.model.as_ref().map(|model| model.raw().to_owned()));
    second.extend(t.latency_ms.map(duration));
    second.extend(t.cost_usd.map(dollars));
    if t.tokens_in.is_some() || t.tokens_out.is_some() {
        let tokens = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| thousands(n.cast_signed()));
        second.push(format!("{} → {} tokens", tokens(t.tokens_in), tokens(t.tokens_out)));
    }
    if t.status == Status::Error {
        second.push(match t.error_kind {
            Some(kind) => format!("failed: {}", failure_word(kind)),
            None => "failed".to_owned(),
        });
    }
    if t.fallback {
        second.push("answered by a fallback".to_owned());
    }
    second.retain(|part| !part.is_empty());
    if second.is_empty() {
        return first.join(" · ");
    }
    format!("{}\n{}", first.join(" · "), second.join(" · "))
}

fn print_message(message: &ChatMessage) -> Result<()> {
    let who = match &message.name {
        Some(name) => format!("{} {}", message.role.raw(), name.raw()),
        None => message.role.raw().to_owned(),
    };
    let mut pieces = Vec::new();
    // A tool's name and arguments are shown as a call, below.
    ChatMessage { tool_calls: None, ..message.clone() }.each_text(&mut |text| pieces.push(text.to_owned()));
    said(&who, &Untrusted::new(pieces.join("\n")))?;
    for call in message.tool_calls.iter().flatten() {
        output::text(&format!("  → {}", call.function.name.raw()))?;
        // Arguments come as JSON in a string.
        let arguments = match &call.function.arguments {
            serde_json::Value::String(text) => json_text(text, COLUMNS - 6),
            _ => None,
        };
        for line in arguments.unwrap_or_else(|| json(&call.function.arguments, COLUMNS - 6)) {
            output::text(&format!("      {}", line.text()))?;
        }
    }
    Ok(())
}

/// A speaker, and below it what was said, indented and wrapped; JSON is laid out.
fn said(who: &str, text: &Untrusted) -> Result<()> {
    output::text(who)?;
    if let Some(lines) = json_text(text.raw(), COLUMNS - 2) {
        for line in lines {
            output::text(&format!("  {}", line.text()))?;
        }
        return Ok(());
    }
    for paragraph in clean(text).as_str().lines() {
        for line in wrap(&clean_str(paragraph), COLUMNS - 2) {
            output::text(&format!("  {line}"))?;
        }
    }
    Ok(())
}
