//! The form that draws a sample of what the list shows.

use super::work::{Draw, Request};
use crate::domain::sample::{checked_name, parse_rate};
use crate::domain::{Dimension, Error, Method, Query, Result};
use crate::ops::sample::{DrawSpec, SampleView};
use crate::text::figures::{date, plural, thousands};
use crate::text::{Line, Role};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Field, Form, Tag};
use crate::tui::screen::{Cx, Env};
use crate::tui::words::words;

/// The form's tag.
pub const SAMPLE: Tag = Tag("traces.sample");
/// Up to so many traces a plain number is the likely wish, else a share.
const FEW: u64 = 2_000;

/// The form, filled in as far as can be guessed.
pub fn form(query: &Query, count: Option<u64>, env: &Env) -> Form {
    let many = match count {
        Some(count) if count <= FEW => count.min(100).to_string(),
        _ => "1 %".to_owned(),
    };
    let name = format!("sample-{}", date(env.now_ms(), &env.zone));
    let typed = [name, many, String::new(), "no".to_owned(), "0".to_owned()];
    filled(query, &typed)
}

/// The form with what was typed.
pub fn filled(query: &Query, typed: &[String]) -> Form {
    let strata: Vec<&str> = Dimension::ALL.iter().map(|of| of.word()).collect();
    let value = |at: usize| typed.get(at).map_or("", String::as_str);
    let fields = vec![
        Field::new("name", value(0), "what the sample is called, such as week-47"),
        Field::new("how many", value(1), "a share such as 1 %, or a number such as 200"),
        Field::new("strata", value(2), strata.join(", ")),
        Field::new("suspicious", value(3), "yes: only thumbs down, reports, errors and fallbacks"),
        Field::new("seed", value(4), "another number draws other traces"),
    ];
    let of = if query.is_all() { "all traces".to_owned() } else { query.to_string() };
    Form::new(SAMPLE, words().put(Role::Title, "Sample of ").plain(of), fields)
}

/// The work that the filled form asks for.
pub fn job(query: &Query, typed: Vec<String>) -> Result<Job> {
    let value = |at: usize| typed.get(at).map_or("", |text| text.trim());
    let many = value(1);
    let method = match many.parse::<u64>() {
        Ok(size) => Method::Size(size),
        Err(_) => Method::Rate(parse_rate(many)?),
    };
    let strata = value(2).split([',', ' ']).filter(|word| !word.is_empty());
    let suspicious = match value(3).to_lowercase().as_str() {
        "" | "no" | "n" => false,
        "yes" | "y" => true,
        other => return Err(Error::usage(format!("{other:?} is neither yes nor no."))),
    };
    let seed = match value(4) {
        "" => 0,
        text => text.parse().map_err(|_| Error::usage(format!("{text:?} is not a whole number.")))?,
    };
    let spec = DrawSpec {
        name: checked_name(value(0))?,
        method,
        query: (!query.is_all()).then(|| query.to_string()),
        since: None,
        strata: strata.map(Dimension::from_word).collect::<Result<_>>()?,
        suspicious,
        seed,
    };
    let request = Request::Draw(Box::new(Draw { spec, typed }));
    Ok(Job::queue("sample", "drawing the sample", request.into()))
}

/// Words on what is wrong with the form, and the way out.
pub fn mistake(error: &Error) -> String {
    match error.hints.first() {
        Some(hint) => format!("{} {hint}", error.what),
        None => error.what.clone(),
    }
}

/// What the status line says of a drawn sample.
pub fn drawn(view: &SampleView, cx: &Cx<'_>) -> Line {
    let population = usize::try_from(view.population).unwrap_or(usize::MAX);
    words()
        .put(Role::Pass, "✓ ")
        .plain(format!("drew {}: ", view.name))
        .plain(thousands(view.size.cast_signed()))
        .plain(format!(" of {} · ", plural(population, "trace")))
        .key(cx.env.key(crate::command::table::app::GO_REVIEW))
        .plain(" to review it")
        .done()
}
