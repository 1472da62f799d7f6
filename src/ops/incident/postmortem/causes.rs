//! The parts of a post-mortem that the traces write: the figures before, during and after, who failed, what was
//! changed in the prompt, and whether another setting would have seen it earlier.

use super::super::markdown::{changed, code, line};
use super::write::Writer;
use crate::domain::Untrusted;
use crate::domain::incident::span_words;
use crate::ops::assess::{self, Cause};
use crate::ops::figures::Period;
use crate::ops::monitor::Tuning;
use crate::ops::prompt::{DiffPart, DiffView};
use crate::stats::{CONFIDENCE, wilson};
use crate::text::WordChange;
use crate::text::figures::{self, UNKNOWN, dollars, thousands};

/// The heading over the difference of two prompts.
pub(super) const CHANGED: &str = "What was changed in the prompt";
/// Words about a change that are shown with it.
const AROUND: usize = 8;
/// Changed places that are shown.
const PLACES: usize = 12;

impl Writer<'_> {
    /// How it was before, while people were exposed, and after.
    pub(super) fn periods(&mut self) {
        let found = &self.told.findings;
        let periods: Vec<(&str, &Period)> =
            [("before", &found.before), ("during", &found.during), ("after", &found.after)]
                .into_iter()
                .filter_map(|(name, period)| Some((name, period.as_ref()?)))
                .collect();
        if periods.len() < 2 {
            return;
        }
        let names: Vec<&str> = periods.iter().map(|(name, _)| *name).collect();
        self.block(&format!("| | {} |", names.join(" | ")));
        self.line(&format!("|---|{}", "---:|".repeat(names.len())));
        let columns: Vec<_> = periods.iter().map(|(_, period)| self.cells(period)).collect();
        for (row, (name, _)) in columns[0].iter().enumerate() {
            let cells: Vec<&str> = columns.iter().map(|column| column[row].1.as_str()).collect();
            self.line(&format!("| {name} | {} |", cells.join(" | ")));
        }
    }

    fn cells(&self, of: &Period) -> [(&'static str, String); 11] {
        let count = |n: u64| thousands(i64::try_from(n).unwrap_or(i64::MAX));
        let share = |part: u64, of: u64| match wilson(part as f64, of as f64, CONFIDENCE) {
            None => count(part),
            Some(ends) => {
                let share = figures::share_within(part as f64 / of as f64, Some([ends.lower, ends.upper]));
                format!("{} ({share})", count(part))
            }
        };
        let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
        let tally = &of.tally;
        let users =
            tally.users.zip(tally.users_hit).map(|(all, hit)| format!("{}, {}", count(all), count(hit)));
        [
            ("from", self.at(of.since)),
            ("for", span_words(ms_of(of))),
            ("requests", count(tally.requests)),
            ("failed", share(tally.errors, tally.requests)),
            ("thumbs down, of all thumbs", share(tally.thumbs_down, tally.thumbs_up + tally.thumbs_down)),
            ("reported", share(of.reports, tally.requests)),
            ("asked again", share(of.asked_again, tally.requests)),
            ("answered by a fallback", share(of.fallbacks, tally.requests)),
            ("users, and those hit", known(users)),
            ("p95", known(tally.p95_ms.map(figures::duration))),
            ("cost/request", known(tally.cost_per_request_usd.map(dollars))),
        ]
    }

    /// Who failed while people were exposed.
    pub(super) fn attribution(&mut self) {
        let found = &self.told.findings;
        let Some(cause) = &found.cause else {
            if let Some(why) = &found.unread {
                self.heading("Who failed");
                self.block(&format!("_Not known: {}_", line(&why.as_str().into())));
            }
            return;
        };
        self.heading("Who failed");
        let of = &cause.assessment;
        self.block(&format!(
            "Of the requests from {} to {} a failing one is {}; what is usual is from {} to {}.",
            self.at(of.window[0]),
            self.at(of.window[1]),
            of.measure_words,
            self.at(of.usual_window[0]),
            self.at(of.usual_window[1]),
        ));
        self.line("");
        for (name, text) in assess::rows(of, self.zone).into_iter().filter(|(name, _)| *name != "severity") {
            // On screen two spaces keep figures apart; a document would show one.
            self.line(&format!("- **{name}:** {}", line(&text.replace("  ", " · ").into())));
        }
        let rows = assess::slice_rows(of);
        if !rows.is_empty() {
            self.block(&format!("| {} |", assess::SLICE_HEADINGS.join(" | ")));
            self.line("|---|---:|---:|---:|---:|---:|---|");
            for row in rows {
                self.line(&format!("| {} |", row.map(|cell| line(&cell.into())).join(" | ")));
            }
        }
        let said = assess::slices_said(of);
        if !said.is_empty() {
            self.block(&line(&said.into()));
        }
        if let Some(first) = of.slices.ranked.first() {
            self.block(&format!("The failing requests of the first: {}", code(&first.query.as_str().into())));
        }
    }

    /// What the guilty version has other than the good one.
    pub(super) fn difference(&mut self) {
        let Some(Cause { guilty: Some(guilty), good, good_why, difference, .. }) = &self.told.findings.cause
        else {
            return;
        };
        self.heading(CHANGED);
        let Some(good) = good else {
            self.block(&format!(
                "{} is the version that the failing slices name. No version before it is known to be good.",
                code(guilty)
            ));
            return;
        };
        self.block(&format!(
            "{} is the version that the failing slices name; {} is held against it: {}.",
            code(guilty),
            code(good),
            line(&good_why.as_str().into())
        ));
        match difference {
            Some(diff) => self.places(diff),
            None => self.block("_Their texts are not both in the team's folder of prompts._"),
        }
    }

    fn places(&mut self, diff: &DiffView) {
        let (from, to) = (line(&diff.from.as_str().into()), line(&diff.to.as_str().into()));
        self.block(&format!(
            "From {from} to {to}: {} taken away (struck out), {} added (bold).",
            figures::plural(diff.removed, "word"),
            figures::plural(diff.added, "word")
        ));
        let places = places(&diff.parts);
        self.line("");
        for place in places.iter().take(PLACES) {
            self.line(&format!("- {place}"));
        }
        if places.len() > PLACES {
            self.block(&format!("And {} more.", figures::plural(places.len() - PLACES, "place")));
        }
    }

    /// Whether another setting would have seen it earlier.
    pub(super) fn tuning(&mut self) {
        let Some(tuning) = &self.told.findings.tuning else { return };
        let rule = code(&tuning.rule.as_str().into());
        self.block(&format!(
            "The rule {rule}, lived through again with other settings, over the incident and over the four weeks \
             before it (there at whole hours):"
        ));
        self.block(
            "| setting | in the configuration | would have fired | after it began | false pages a month | fired before |",
        );
        self.line("|---|---|---|---:|---:|---:|");
        for row in tuning_rows(tuning) {
            let [words, toml, after, price, before] = row.cells;
            let at = row.fired_at.map_or_else(|| "not before it was over".to_owned(), |at| self.at(at));
            let at = if row.estimated && row.fired_at.is_some() { format!("about {at}") } else { at };
            let toml = if toml.is_empty() { String::new() } else { format!("`{toml}`") };
            let words = if row.proposed { format!("**{words}**") } else { words };
            self.line(&format!("| {words} | {toml} | {at} | {after} | {price} | {before} |"));
        }
        self.block(&tuning.says());
    }
}

fn ms_of(of: &Period) -> u64 {
    u64::try_from(of.until.as_millisecond() - of.since.as_millisecond()).unwrap_or(0)
}

/// A line of the table of settings.
struct Row {
    cells: [String; 5],
    fired_at: Option<jiff::Timestamp>,
    estimated: bool,
    proposed: bool,
}

fn tuning_rows(of: &Tuning) -> Vec<Row> {
    let rows = of.settings.iter().enumerate().map(|(at, one)| {
        let about = if one.estimated { "about " } else { "" };
        Row {
            cells: [
                one.words.clone(),
                one.toml.clone(),
                one.after_ms.map_or_else(String::new, |ms| format!("{about}{}", span_words(ms))),
                one.false_pages_per_month.map_or_else(|| UNKNOWN.to_owned(), |n| figures::fixed(n, 2)),
                one.quiet_firings.map_or_else(|| UNKNOWN.to_owned(), |n| format!("{n}×")),
            ],
            fired_at: one.fired_at,
            estimated: one.estimated,
            proposed: of.proposed == Some(at),
        }
    });
    rows.collect()
}

/// Each changed place with some words about it.
fn places(parts: &[DiffPart]) -> Vec<String> {
    let mut places: Vec<Vec<String>> = Vec::new();
    let mut open = false;
    for (at, part) in parts.iter().enumerate() {
        let words: Vec<&str> = part.text.raw().split_whitespace().collect();
        if part.change != WordChange::Same {
            if !open {
                places.push(Vec::new());
                open = true;
                // What stands before it.
                if let Some(before) = at.checked_sub(1).map(|at| &parts[at]) {
                    let all: Vec<&str> = before.text.raw().split_whitespace().collect();
                    let cut = all.len().saturating_sub(AROUND);
                    let dots = if cut > 0 { "… " } else { "" };
                    let kept = Untrusted::from(all[cut..].join(" "));
                    places.last_mut().into_iter().for_each(|of| of.push(format!("{dots}{}", line(&kept))));
                }
            }
            let text = changed(&words.join(" ").into(), part.change == WordChange::Added);
            places.last_mut().into_iter().for_each(|of| of.push(text.clone()));
        } else if let (true, Some(place)) = (open, places.last_mut()) {
            let last = at + 1 == parts.len();
            // Two changes near each other are one place.
            open = words.len() <= 2 * AROUND && !last;
            let kept = if open { &words[..] } else { &words[..words.len().min(AROUND)] };
            let dots = if kept.len() < words.len() { " …" } else { "" };
            place.push(format!("{}{dots}", line(&kept.join(" ").into())));
        }
    }
    let words = |place: Vec<String>| place.into_iter().filter(|text| !text.trim().is_empty());
    places.into_iter().map(|place| words(place).collect::<Vec<_>>().join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::word_diff;

    #[test]
    fn changed_places_stand_in_the_words_about_them() {
        let old =
            "You are polite.\nAnswer in the language of the customer.\nNever promise a refund. Be short.";
        let new = "You are polite.\nAnswer in the language of the *policy text*.\nNever promise a refund. Be short.";
        let parts: Vec<DiffPart> = word_diff(old, new)
            .into_iter()
            .map(|(change, text)| DiffPart { change, text: text.into() })
            .collect();
        assert_eq!(
            places(&parts),
            [
                "… are polite. Answer in the language of the ~~customer.~~ **\\*policy text\\*.** Never promise a \
                 refund. Be short."
            ]
        );
    }
}
