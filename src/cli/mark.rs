//! `tuesday mark`: what happened that no trace tells.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;

use super::{Face, output};
use crate::domain::sample::parse_since;
use crate::domain::{Result, Untrusted};
use crate::ops::{Access, mark};
use crate::text::{clean_line, figures};

/// Mark what happened on the axis of time: Health draws it, incidents look for it
#[derive(Args, Debug)]
pub(super) struct MarkArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Mark a deployment
    Deploy {
        /// What was deployed, in a few words
        text: String,
        /// The feature that it is of [default: all]
        #[arg(long)]
        feature: Option<String>,
        /// When it was, where that was before now: an age such as 10m, or a time
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Answer with JSON: see `tuesday help json-incident`
        #[arg(long)]
        json: bool,
    },
    /// List the marks, oldest first
    List {
        /// From then on: an age such as 7d, a date, a time
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Answer with JSON: see `tuesday help json-incident`
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(face: &Face, args: &MarkArgs) -> Result<u8> {
    let zone = TimeZone::system();
    match &args.what {
        What::Deploy { text, feature, at, json } => {
            // A pipeline that deploys may be the first to write here.
            let ctx = face.ctx(Access::Create)?;
            let at = at.as_deref().map(|text| parse_since(text, ctx.clock.now())).transpose()?;
            let feature = feature.as_deref().map(Untrusted::from);
            let made = mark::deploy(&ctx, &text.as_str().into(), feature, at)?;
            if *json {
                return output::json(&made).map(|()| 0);
            }
            let at = figures::date_clock(made.at.as_millisecond(), &zone);
            output::text(&format!("Marked at {at}: {}", clean_line(made.text.raw()))).map(|()| 0)
        }
        What::List { since, json } => {
            let ctx = face.ctx(Access::ReadOnly)?;
            let since = since.as_deref().map(|text| parse_since(text, ctx.clock.now())).transpose()?;
            let marks = mark::list(&ctx, since)?;
            if *json {
                return output::json(&marks).map(|()| 0);
            }
            if marks.is_empty() {
                return output::text("No marks. `tuesday mark deploy TEXT` makes one.").map(|()| 0);
            }
            let rows = marks.into_iter().map(|mark| {
                vec![
                    figures::date_clock(mark.at.as_millisecond(), &zone),
                    mark.kind,
                    mark.feature.map_or_else(|| "all".to_owned(), Untrusted::into_raw),
                    mark.by.into_raw(),
                    mark.text.into_raw(),
                ]
            });
            output::table(&["when", "", "feature", "by", "what"], rows).map(|()| 0)
        }
    }
}
