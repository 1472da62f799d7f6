//! The versions with their record, and the one to go back to.

use jiff::tz::TimeZone;

use super::{Lines, Target};
use crate::ops::assess::Versions;
use crate::text::figures::{share_within, thousands, when};
use crate::text::{Role, clean_line, pad, pad_left, truncate_line, width, wrap_line};
use crate::tui::words::{line, one_line, words};

/// Versions shown.
const MOST: usize = 5;

/// The panel.
pub fn lines(of: &Versions, zone: &TimeZone, cols: usize) -> Lines {
    let mut out = Lines::default();
    if of.versions.is_empty() {
        out.put(line(Role::Unsure, "The traces name no prompt version: there is none to go back to."));
        return out;
    }
    let name = |row: &crate::ops::assess::VersionRow| {
        let version = row.version.raw();
        // Of one prompt its versions are told by themselves.
        let prompt = |text: &str| text.rsplit_once('@').map(|(prompt, _)| prompt.to_owned());
        let same = of.versions.iter().all(|other| prompt(other.version.raw()) == prompt(version));
        clean_line(if same { version.rsplit_once('@').map_or(version, |(_, last)| last) } else { version })
            .into_string()
    };
    let shown = &of.versions[..of.versions.len().min(MOST)];
    let names = shown.iter().map(|row| width(&name(row))).max().unwrap_or(0).clamp(7, 28) + 1;
    let now = of.as_of.as_millisecond();
    let row = |role: Role, cells: [&str; 6]| {
        let text = words()
            .put(role, pad(&clean_line(cells[0]), names).as_str())
            .put(role, pad(&clean_line(cells[1]), 15).as_str())
            .put(role, pad_left(&clean_line(cells[2]), 7).as_str())
            .put(role, pad_left(&clean_line(cells[3]), 21).as_str())
            .put(role, format!("  {}", pad(&clean_line(cells[4]), 12).as_str()))
            .put(role, format!(" {}", clean_line(cells[5])));
        truncate_line(&text.done(), cols)
    };
    out.put(row(Role::Muted, ["version", "served since", "known", "passes", "eval", "verdict"]));
    for version in shown {
        let (first, ends) = (version.seen[0].as_millisecond(), version.interval);
        let current = if version.current { "*" } else { "" };
        let passes = version.pass.map_or_else(
            || "–".to_owned(),
            |pass| share_within(pass, ends.map(|ends| [ends.lower, ends.upper])),
        );
        let role = match version.verdict_words().as_str() {
            "guilty" => Role::Fail,
            "LAST GOOD" => Role::Pass,
            _ => Role::Plain,
        };
        let cells = [
            &format!("{}{current}", name(version)),
            &when(first, now, zone),
            &thousands(version.known.cast_signed()),
            &passes,
            &version.run_words(),
            &version.verdict_words(),
        ];
        out.lead(row(role, cells.map(|cell| cell.as_str())), Target::Traces(version.query.clone()));
    }
    match &of.last_good {
        None => out.put(line(Role::Unsure, "No version is known to be good: a patch goes through the gate.")),
        Some(good) => {
            let text = words()
                .muted("back to ")
                .put(Role::Pass, one_line(&good.version))
                .muted(": ")
                .plain(&good.why);
            let mut wrapped = wrap_line(&text.done(), cols, &[], &[]);
            wrapped.truncate(2);
            wrapped.into_iter().for_each(|text| out.put(text));
        }
    }
    if let Some(diff) = &of.difference {
        let text = words()
            .muted(format!("diff {}..{} ", clean_line(&diff.from), clean_line(&diff.to)))
            .put(Role::Added, format!("+{} ", diff.added))
            .put(Role::Removed, format!("−{} ", diff.removed))
            .muted("words  ")
            .put(Role::Added, one_line(&diff.first_added));
        out.put(truncate_line(&text.done(), cols));
    }
    out
}
