//! What the post-mortem says so far, and what it lacks.

use jiff::tz::TimeZone;

use super::{Lines, Target};
use crate::domain::incident::span_words;
use crate::ops::incident::PostmortemView;
use crate::text::figures::{plural, thousands, when};
use crate::text::{Line, Role, clean_line, truncate_line, wrap_line};
use crate::tui::words::{line, one_line, span, words};

/// Columns of a label before what is said.
const LABEL: usize = 11;
/// Lines that a sentence may take.
const MOST: usize = 3;

/// The panel.
pub fn lines(of: &PostmortemView, zone: &TimeZone, cols: usize) -> Lines {
    let mut out = Lines::default();
    // Under a label each following line stands below the first.
    let mut last = "";
    let mut label = |name: &'static str| {
        let shown = if name == last { "" } else { name };
        last = name;
        span(Role::Muted, format!("{shown:<LABEL$}"))
    };
    let next = [span(Role::Plain, " ".repeat(LABEL))];
    let mut says = |out: &mut Lines, name: &'static str, text: &Line, to: Option<Target>| {
        let mut wrapped = wrap_line(text, cols, &[label(name)], &next);
        if name != "missing" {
            wrapped.truncate(MOST);
        }
        for (row, text) in wrapped.into_iter().enumerate() {
            match to.clone().filter(|_| row == 0) {
                Some(to) => out.lead(text, to),
                None => out.put(text),
            }
        }
    };
    let facts = &of.facts;
    let exposed = facts.exposed_until.as_millisecond() - facts.exposed_since.as_millisecond();
    let since = when(facts.exposed_since.as_millisecond(), facts.exposed_until.as_millisecond(), zone);
    let text = format!("exposed for {}, since {since}", span_words(exposed.max(0).cast_unsigned()));
    says(&mut out, "impact", &line(Role::Plain, &text), None);
    // What came to nothing is told in the document alone.
    let nothing = |value: &str| value == "none" || value == "$0.00";
    for (name, value) in of.impact(zone).into_iter().skip(1).filter(|(_, value)| !nothing(value)) {
        let text = words().plain(format!("{}: ", lowered(name))).plain(value).done();
        says(&mut out, "impact", &truncate_line(&text, cols.saturating_sub(LABEL)), None);
    }
    if let Some(cause) = &of.findings.cause {
        let first = cause.assessment.slices.ranked.first();
        let to = first.map(|slice| Target::Traces(slice.query.clone()));
        let text = match (&cause.guilty, first) {
            (Some(guilty), _) => {
                let mut text = words().put(Role::Fail, one_line(guilty));
                if let Some(good) = &cause.good {
                    text = text.muted(", against ").put(Role::Pass, one_line(good));
                }
                if let Some(diff) = &cause.difference {
                    text = text
                        .put(Role::Added, format!("  +{}", diff.added))
                        .put(Role::Removed, format!(" −{}", diff.removed))
                        .muted(" words");
                }
                text.done()
            }
            (None, Some(slice)) => {
                let parts =
                    slice.slice.iter().map(|(name, value)| format!("{name}={}", clean_line(value.raw())));
                line(Role::Fail, parts.collect::<Vec<_>>().join(" "))
            }
            (None, None) => line(Role::Unsure, "no part of the traffic explains it"),
        };
        says(&mut out, "cause", &text, to);
    } else if let Some(why) = &of.findings.unread {
        says(&mut out, "cause", &line(Role::Unsure, why), None);
    }
    let gap = match (of.times.detect_ms, of.findings.undetected()) {
        (Some(ms), _) => format!("unnoticed for {}", span_words(ms)),
        (None, Some((_, ms))) => format!("unnoticed for {} by the traces; not recorded", span_words(ms)),
        (None, None) => "when it began is not recorded".to_owned(),
    };
    says(&mut out, "detection", &line(Role::Plain, &gap), None);
    if let Some(tuning) = &of.findings.tuning {
        let role = if tuning.proposed.is_some() { Role::Accent } else { Role::Muted };
        says(
            &mut out,
            "detection",
            &line(role, format!("{}: {}", clean_line(&tuning.rule), tuning.says())),
            None,
        );
    }
    let times = [
        ("acknowledged", of.times.acknowledge_ms),
        ("contained", of.times.contain_ms),
        ("fixed", of.times.fix_ms),
        ("verified", of.times.verify_ms),
    ];
    let times: Vec<String> =
        times.iter().filter_map(|(name, ms)| Some(format!("{name} {}", span_words((*ms)?)))).collect();
    if !times.is_empty() {
        says(&mut out, "times", &line(Role::Plain, format!("{} after detection", times.join(", "))), None);
    }
    let (lines, led) = of.timeline;
    says(
        &mut out,
        "time line",
        &line(Role::Plain, format!("{}, {led} with traces", plural(lines, "line"))),
        None,
    );
    let (promoted, all) = (of.facts.promoted, of.facts.evidence);
    let text = format!(
        "{} of the {} attached are cases",
        thousands(promoted.cast_signed()),
        plural(usize::try_from(all).unwrap_or(usize::MAX), "trace")
    );
    says(&mut out, "eval set", &line(Role::Plain, &text), None);
    for action in &of.actions {
        let or = |text: &Option<crate::domain::Untrusted>, none: &str| {
            text.as_ref().map_or_else(|| none.to_owned(), |text| one_line(text).to_string())
        };
        let text = words()
            .plain(one_line(&action.text))
            .muted(format!(
                "  {}  {}  due {}",
                action.kind.name(),
                or(&action.owner, "nobody yet"),
                or(&action.due, "no date yet")
            ))
            .done();
        says(&mut out, "actions", &text, None);
    }
    if of.actions.is_empty() {
        says(&mut out, "actions", &line(Role::Unsure, "none agreed on yet"), None);
    }
    let missing: Vec<&str> = of.missing.iter().map(|missing| missing.what.as_str()).collect();
    if !missing.is_empty() {
        says(&mut out, "missing", &line(Role::Unsure, missing.join(" · ")), None);
    }
    out
}

/// The name of a line within a sentence.
fn lowered(name: &str) -> String {
    let abbreviation = name.chars().nth(1).is_some_and(char::is_uppercase);
    if abbreviation { name.to_owned() } else { name.to_lowercase() }
}
