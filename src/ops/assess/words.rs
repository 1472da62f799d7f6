//! An assessment in words, as both faces show it. Names from traces come out cleaned.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::figures::{Assessment, UsersKind};
use super::near::{Change, ChangeKind};
use super::onset::OnsetVerdict;
use super::slices::{SliceView, SlicesVerdict};
use crate::domain::Untrusted;
use crate::text::clean_line;
use crate::text::figures::{date, duration, fixed, percent, share_within, signed, thousands, when};

/// What a line is about, and what it says.
pub type Row = (&'static str, String);

/// The figures in lines: how bad, how many, since when, what is near, what fails, how severe.
pub fn rows(of: &Assessment, zone: &TimeZone) -> Vec<Row> {
    vec![
        ("how bad", how_bad(of)),
        ("how many", how_many(of)),
        ("since", since(of, zone)),
        ("near it", near_it(of)),
        ("what fails", what_fails(of)),
        ("severity", severity(of)),
    ]
}

/// The headings of [`slice_rows`].
pub const SLICE_HEADINGS: [&str; 7] = ["who fails", "n", "rate", "outside", "explains", "score", ""];

/// The slices in cells.
pub fn slice_rows(of: &Assessment) -> Vec<[String; 7]> {
    let plain = of.plain_prompt();
    of.slices
        .ranked
        .iter()
        .map(|one| {
            [
                slice_words(one, plain.as_deref()),
                thousands(one.n.cast_signed()),
                percent(one.rate),
                percent(one.rate_outside),
                // An interval is not needed: it orders the lines.
                format!("{:.0} %", one.explains * 100.0),
                fixed(one.score, 1),
                rest_words(one, plain.as_deref()),
            ]
        })
        .collect()
}

/// What is to be known of the slices beside their table; empty when they speak for themselves.
pub fn slices_said(of: &Assessment) -> String {
    match of.slices.verdict {
        SlicesVerdict::TooFew => {
            format!(
                "{} known outcomes are too few to say who fails: it takes 200.",
                thousands(of.known.cast_signed())
            )
        }
        SlicesVerdict::Nothing if of.rate.as_ref().is_some_and(|rate| rate.usual.is_none()) => {
            "Nothing is known of before, so nobody can be said to fail more than usual.".to_owned()
        }
        SlicesVerdict::Nothing => "No part of the traffic fails more than is usual in it.".to_owned(),
        SlicesVerdict::NotSeparable => {
            "The first ones explain it about equally well: not separable.".to_owned()
        }
        SlicesVerdict::Found if of.slices.few => {
            format!(
                "Only {} known outcomes: the first may not be the guilty one.",
                thousands(of.known.cast_signed())
            )
        }
        SlicesVerdict::Found => String::new(),
    }
}

impl Assessment {
    /// The prompt's name, where the slices name one prompt alone: its versions are then told by themselves.
    fn plain_prompt(&self) -> Option<String> {
        let mut names = self
            .slices
            .ranked
            .iter()
            .flat_map(|one| &one.slice)
            .filter(|(dimension, _)| dimension == "prompt")
            .filter_map(|(_, value)| value.raw().rsplit_once('@').map(|(name, _)| name));
        let first = names.next()?;
        names.all(|name| name == first).then(|| first.to_owned())
    }
}

/// `prompt=v4 kind=fees`.
fn slice_words(one: &SliceView, plain: Option<&str>) -> String {
    let words: Vec<String> = one
        .slice
        .iter()
        .map(|(dimension, value)| format!("{dimension}={}", value_words(value.raw(), plain)))
        .collect();
    words.join(" ")
}

fn value_words(value: &str, plain: Option<&str>) -> String {
    let short = plain.and_then(|name| value.strip_prefix(name)?.strip_prefix('@')).unwrap_or(value);
    clean_line(short).to_string()
}

fn rest_words(one: &SliceView, plain: Option<&str>) -> String {
    match (one.rest_as_usual, &one.without) {
        (Some(usual), Some(value)) => {
            let value = value_words(value.raw(), plain);
            format!("{} without {value}", if usual { "usual" } else { "worse" })
        }
        (Some(true), None) => "rest usual".to_owned(),
        (Some(false), None) => "rest worse".to_owned(),
        (None, _) => String::new(),
    }
}

/// `+8.3 pp`: points of per cent.
fn points(share: f64) -> String {
    format!("{} pp", signed(share * 100.0, 1))
}

fn count(n: f64) -> String {
    thousands(n.round() as i64)
}

fn how_bad(of: &Assessment) -> String {
    let Some(rate) = &of.rate else {
        return format!("no request is known to be {} or not", of.measure_words);
    };
    let mut text = share_within(rate.now, Some([rate.now_interval.lower, rate.now_interval.upper]));
    if let (Some(usual), Some(change), Some(ends)) = (rate.usual, rate.change, rate.change_interval) {
        text = format!(
            "{} vs {}  {} [{}, {}]",
            percent(rate.now),
            percent(usual),
            points(change),
            signed(ends.lower * 100.0, 1),
            signed(ends.upper * 100.0, 1)
        );
    } else {
        text += ", what is usual is not known";
    }
    if let Some(excess) = of.excess {
        let some = if of.unknown > 0 { "~" } else { "" };
        text +=
            &format!("  {some}{} too many of {}", count(excess.count), thousands(of.requests.cast_signed()));
    }
    text
}

fn how_many(of: &Assessment) -> String {
    let Some(users) = of.users else {
        let why = if of.rate.is_none() { "not known" } else { "the traces name no users" };
        return why.to_owned();
    };
    let some = if users.kind == UsersKind::Expected { "~" } else { "" };
    let mut text = format!("{some}{} users hit", count(users.hit));
    if users.kind == UsersKind::Expected {
        text += &format!(" (expected; at most {})", count(users.at_most));
    }
    text += &format!(" of {}", thousands(users.total.cast_signed()));
    if let (Some(above), Some(share)) = (users.above_usual, users.share_above) {
        text += &format!("; ~{} above usual ({})", count(above), percent(share));
    }
    text
}

fn since(of: &Assessment, zone: &TimeZone) -> String {
    let now = of.as_of.as_millisecond();
    let clock = |at: Timestamp| when(at.as_millisecond(), now, zone);
    let onset = &of.onset;
    let (Some(at), Some([first, last]), Some(g2)) = (onset.at, onset.plausible, onset.g2) else {
        let span = duration((onset.looked[1].as_millisecond() - onset.looked[0].as_millisecond()) as f64);
        return format!("no onset is seen in the last {span}");
    };
    let mut text = if onset.verdict == OnsetVerdict::Possible { "perhaps " } else { "" }.to_owned();
    let same_day = date(first.as_millisecond(), zone) == date(last.as_millisecond(), zone);
    let end = |ms: i64| if same_day { crate::text::figures::clock(ms, zone) } else { when(ms, now, zone) };
    let ends = [first, last].map(|at| end(at.as_millisecond()));
    let sparse = if onset.sparse { format!("; at {:.0}/h hours off", onset.per_hour) } else { String::new() };
    text += &format!("{} ({}–{}{sparse})  G² {}", clock(at), ends[0], ends[1], fixed(g2, 1));
    if let Some(ms) = onset.undetected_ms {
        text += &format!("  undetected {}", duration(ms as f64));
    }
    text
}

/// A change in words: `prompt v4 first seen 6 min before`. A version of the prompt that is called like the feature is
/// told by itself.
fn change_words(change: &Change, feature: Option<&str>) -> String {
    let name = value_words(change.name.raw(), feature);
    let what = match change.kind {
        ChangeKind::VersionCame => format!("prompt {name} first seen"),
        ChangeKind::VersionWent => format!("prompt {name} last seen"),
        ChangeKind::ModelCame => format!("model {name} first seen"),
        ChangeKind::ModelWent => format!("model {name} last seen"),
        ChangeKind::Switched => format!("switched {name}"),
        ChangeKind::Marked => format!("“{name}”"),
    };
    match change.before_ms {
        -59_999..=59_999 => format!("{what} at that time"),
        ms if ms > 0 => format!("{what} {} before", duration(ms as f64)),
        ms => format!("{what} {} after", duration(ms.abs() as f64)),
    }
}

fn near_it(of: &Assessment) -> String {
    const MOST: usize = 3;
    let feature = of.feature.as_ref().map(Untrusted::raw);
    let mut said: Vec<String> =
        of.near.iter().take(MOST).map(|change| change_words(change, feature)).collect();
    if of.near.len() > MOST {
        said.push(format!("{} more", of.near.len() - MOST));
    }
    if said.is_empty() && of.onset.at.is_some() {
        said.push("no version, model, switch or mark within 2 h".to_owned());
    }
    if let Some(mix) = &of.mix {
        let mut text = format!("traffic mix {} ({})", points(mix.mix), mix.dimension);
        if mix.traffic_changed {
            text += ": the traffic changed, not the model";
        }
        said.push(text);
    }
    if said.is_empty() { "nothing to look beside".to_owned() } else { said.join(" · ") }
}

fn what_fails(of: &Assessment) -> String {
    const MOST: usize = 4;
    let list = |ways: &[super::figures::Way]| {
        let said: Vec<String> = ways
            .iter()
            .take(MOST)
            .map(|way| {
                format!("{} {:.0} %", clean_line(&way.name.raw().replace('_', " ")), way.share * 100.0)
            })
            .collect();
        said.join("  ")
    };
    let labelled: u64 = of.modes.iter().map(|way| way.count).sum();
    match (of.ways.is_empty(), labelled) {
        (true, 0) => "nothing is known to fail".to_owned(),
        (false, 0) => list(&of.ways),
        (true, n) => format!("{} (of {n} labelled)", list(&of.modes)),
        (false, n) => format!("{} (of {n} labelled) · {}", list(&of.modes), list(&of.ways)),
    }
}

fn severity(of: &Assessment) -> String {
    match (of.severity.suggested, of.severity.why.as_str()) {
        (None, "") if !of.is_above() => "none is proposed: no more fail than usual".to_owned(),
        (None, "") => "none is proposed: how many users are hit above usual is not known".to_owned(),
        (None, why) => format!("none is proposed: {why}"),
        (Some(severity), "") => format!("{severity} suggested"),
        (Some(severity), why) => format!("{severity} suggested: {why}"),
    }
}
