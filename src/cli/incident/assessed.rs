//! How what an incident knows is printed for people.

use jiff::tz::TimeZone;

use super::output;
use super::print::clock;
use crate::domain::{Result, Untrusted};
use crate::ops::assess::{self, Assessment, Containment, Detection, Versions};
use crate::ops::incident::ReplayView;
use crate::text::{clean_line, figures};

/// An assessment: a line a question, the slices, what to look at.
pub(super) fn assessment(of: &Assessment) -> Result<u8> {
    let zone = TimeZone::system();
    let about = of.feature.as_ref().map_or("all features".into(), |name| clean_line(name.raw()));
    output::text(&format!(
        "{} {about}: {} requests from {} to {}, {} {}",
        of.incident,
        figures::thousands(of.requests.cast_signed()),
        clock(of.window[0], &zone),
        clock(of.window[1], &zone),
        figures::thousands(of.rate.as_ref().map_or(0, |rate| rate.fails.cast_signed())),
        of.measure_words
    ))?;
    if of.unknown > 0 {
        let unknown = figures::thousands(of.unknown.cast_signed());
        output::text(&format!("{unknown} of them have no verdict and are in no share."))?;
    }
    for (label, text) in assess::rows(of, &zone) {
        output::text(&format!("{:<11} {text}", label.to_uppercase()))?;
    }
    let rows = assess::slice_rows(of);
    if !rows.is_empty() {
        let headings = assess::SLICE_HEADINGS.map(str::to_uppercase);
        let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
        output::table(&headings, rows.into_iter().map(|row| row.to_vec()))?;
    }
    let said = assess::slices_said(of);
    if !said.is_empty() {
        output::text(&said)?;
    }
    if let Some(first) = of.slices.ranked.first() {
        output::text(&format!("see them: tuesday trace list '{}'", clean_line(&first.query)))?;
    }
    Ok(0)
}

/// What is known at the moment of detection.
pub(super) fn detection(of: &Detection) -> Result<u8> {
    let zone = TimeZone::system();
    match &of.alert {
        None => output::text(&format!("{}: no alert belongs to it.", of.incident))?,
        Some(alert) => {
            let price = alert.expected_false_pages_per_month.map_or_else(
                || "not known".to_owned(),
                |pages| format!("{} a month", figures::fixed(pages, 2)),
            );
            output::text(&format!(
                "{}: {} {} since {}\n{}\nfalse alarms to expect of the rule: {price}",
                of.incident,
                alert.id,
                clean_line(&alert.rule),
                clock(alert.fired_at, &zone),
                clean_line(&alert.summary)
            ))?;
        }
    }
    for other in &of.also {
        let at = clock(other.fired_at, &zone);
        output::text(&format!("also firing: {} {} since {at}", other.id, clean_line(&other.rule)))?;
    }
    output::text("\nis the meter broken?")?;
    for check in &of.meter {
        let mark = match check.ok {
            Some(true) => "ok",
            Some(false) => "!!",
            None => "–",
        };
        output::text(&format!("  {mark:<3}{}", clean_line(&check.says)))?;
    }
    let rows = of.examples.iter().map(|one| {
        vec![
            one.id.raw().to_owned(),
            one.at.map(|at| clock(at, &zone)).unwrap_or_default(),
            one.language.as_ref().map_or_else(String::new, |language| language.raw().to_owned()),
            one.how.raw().to_owned(),
            one.asked.raw().to_owned(),
        ]
    });
    output::table(&["example", "when", "", "fails", "asked"], rows)?;
    let rows = of.similar.iter().map(|one| {
        let outcome = one.outcome.map_or("open", |outcome| outcome.words());
        vec![one.id.clone(), clock(one.opened_at, &zone), outcome.to_owned(), one.title.raw().to_owned()]
    });
    output::table(&["similar", "opened", "", "title"], rows).map(|()| 0)
}

/// What would stop the harm.
pub(super) fn containment(of: &Containment) -> Result<u8> {
    let zone = TimeZone::system();
    let count = |n: f64| figures::thousands(n.round() as i64);
    output::text(&format!(
        "{}: {} requests from {} to {} replayed, {}",
        of.incident,
        figures::thousands(of.requests.cast_signed()),
        clock(of.window[0], &zone),
        clock(of.window[1], &zone),
        of.excess.map_or_else(
            || "what is usual is not known".to_owned(),
            |n| format!("{} failures above usual", count(n))
        )
    ))?;
    let rows = of.options.iter().map(|one| {
        vec![
            one.step.to_string(),
            one.title.raw().to_owned(),
            one.prevented.map_or_else(|| "not known".to_owned(), count),
            one.traffic.map_or_else(|| "–".to_owned(), figures::percent),
            one.scope.clone().unwrap_or_else(|| "the team knows".to_owned()),
            one.undo.as_ref().map_or_else(|| "–".to_owned(), |undo| undo.raw().to_owned()),
        ]
    });
    output::table(&["step", "option, best first", "prevented", "traffic", "touches", "undo"], rows)
        .map(|()| 0)
}

/// The versions to go back to.
pub(super) fn versions(of: &Versions) -> Result<u8> {
    let zone = TimeZone::system();
    let rows = of.versions.iter().map(|row| {
        let passes = row.pass.map_or_else(
            || "–".to_owned(),
            |pass| figures::share_within(pass, row.interval.map(|ends| [ends.lower, ends.upper])),
        );
        vec![
            row.version.raw().to_owned(),
            clock(row.seen[0], &zone),
            clock(row.seen[1], &zone),
            figures::thousands(row.known.cast_signed()),
            passes,
            row.run_words(),
            row.verdict_words(),
        ]
    });
    output::table(&["version", "first seen", "last seen", "known", "passes", "eval", "verdict"], rows)?;
    match &of.last_good {
        Some(good) => {
            output::text(&format!("back to {}: {}", clean_line(good.version.raw()), clean_line(&good.why)))?
        }
        None => output::text("No version is known to be good: a patch goes through the gate.")?,
    }
    if let Some(diff) = &of.difference {
        output::text(&format!(
            "diff {}..{}: {} words added, {} taken away; first added: {}",
            clean_line(&diff.from),
            clean_line(&diff.to),
            diff.added,
            diff.removed,
            clean_line(Untrusted::raw(&diff.first_added))
        ))?;
    }
    Ok(0)
}

/// The failing examples, then and now.
pub(super) fn replayed(of: &ReplayView) -> Result<u8> {
    output::text(&format!("{}: {}.", of.incident, clean_line(&of.words)))?;
    output::text(&format!("judged by {}", clean_line(&of.evaluators.join(", "))))?;
    if of.passing > 0 {
        let seen = figures::plural(usize::try_from(of.passing).unwrap_or(usize::MAX), "example");
        output::text(&format!("{seen} passed then too: the evaluators do not see what is wrong with them."))?;
    }
    output::text(&format!("case by case: tuesday eval compare {} {}", of.before, of.now))?;
    Ok(0)
}
