//! `tuesday eval trust`.

use clap::Args;

use super::{Face, output};
use crate::domain::{Result, RunName, Untrusted};
use crate::ops::Access;
use crate::ops::compare::{JudgeTrust, Rate, TrustView, trust, trust_sample};
use crate::text::figures::{UNKNOWN, fixed, percent, plural};

/// Disagreements that are shown.
const FEW: usize = 20;

/// See how far the judge of a run, or of a sample, agrees with the reviewers' labels
///
/// Of a sample counts what `tuesday eval score --sample NAME` said of its traces.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("of").required(true))]
pub(super) struct TrustArgs {
    /// The run
    #[arg(group = "of")]
    run: Option<String>,
    /// The sample, in place of a run
    #[arg(long, value_name = "NAME", group = "of")]
    sample: Option<String>,
    /// Answer with JSON: see `tuesday help json-eval`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &TrustArgs) -> Result<u8> {
    let ctx = face.ctx(Access::ReadOnly)?;
    let view = match (&args.sample, &args.run) {
        (Some(sample), _) => trust_sample(&ctx, sample)?,
        (None, run) => trust(&ctx, &RunName::parse(run.as_deref().unwrap_or_default())?)?,
    };
    if args.json {
        output::json(&view)?;
    } else {
        print(&view)?;
    }
    Ok(0)
}

fn print(view: &TrustView) -> Result<()> {
    let (title, none) = match (&view.sample, &view.run, &view.set) {
        (Some(sample), ..) => (
            sample.clone(),
            format!(
                "No judge has spoken of these traces. Ask one: tuesday eval score --sample {sample:?} EVALUATOR"
            ),
        ),
        (None, run, set) => {
            let run = run.as_ref().map_or("", RunName::as_str);
            let none =
                "No judge spoke in this run. Attach one: [[evaluator]] with kind = \"judge\".".to_owned();
            (format!("{} · {run}", set.as_deref().unwrap_or_default()), none)
        }
    };
    output::prose(&title, 0)?;
    if view.judges.is_empty() {
        return output::prose(&none, 0);
    }
    view.judges.iter().try_for_each(judge)
}

fn judge(of: &JudgeTrust) -> Result<()> {
    let by = of.by.as_deref().map_or_else(String::new, |by| format!(" by {by}"));
    output::text("")?;
    output::prose(&format!("{}{by}", of.evaluator), 0)?;
    let kappa = match (of.kappa, of.kappa_interval) {
        (Some(kappa), Some(i)) => {
            format!("{} [{}, {}]", fixed(kappa, 2), fixed(i.lower, 2), fixed(i.upper, 2))
        }
        _ => UNKNOWN.to_owned(),
    };
    let corrected = of.corrected.map_or_else(
        || UNKNOWN.to_owned(),
        |c| format!("{} [{}, {}]", percent(c.rate), percent(c.interval.lower), percent(c.interval.upper)),
    );
    let agreement = of.agreement.map_or_else(|| UNKNOWN.to_owned(), percent);
    let confusion = &of.confusion;
    output::fitted_table(
        &["", ""],
        [
            ["passes, as it reports", &rate(&of.reported)],
            ["passes, corrected", &corrected],
            ["labelled", &of.labelled.to_string()],
            ["agreement", &agreement],
            ["kappa", &kappa],
            ["labelled passes that it passes", &rate(&of.true_positive)],
            ["labelled failures that it fails", &rate(&of.true_negative)],
        ]
        .map(|row| row.map(str::to_owned).to_vec()),
    )?;
    output::text("")?;
    output::table(
        &["", "label pass", "label fail"],
        [
            ["judge pass", &confusion.pass_pass.to_string(), &confusion.judge_pass_label_fail.to_string()],
            ["judge fail", &confusion.judge_fail_label_pass.to_string(), &confusion.fail_fail.to_string()],
        ]
        .map(|row| row.map(str::to_owned).to_vec()),
    )?;
    output::text("")?;
    output::prose(&format!("{}.", of.words), 0)?;
    for (n, what) in [
        (of.undecided, "whose reviewers are unsure or differ"),
        (of.no_word, "on which the judge has no word"),
    ] {
        if n > 0 {
            output::prose(
                &format!("left out: {} {what}", plural(usize::try_from(n).unwrap_or(0), "answer")),
                0,
            )?;
        }
    }
    if !of.disagreements.is_empty() {
        output::text("\nto look at")?;
    }
    for one in of.disagreements.iter().take(FEW) {
        let score = one.score.map_or_else(String::new, |score| format!(" {}", fixed(score, 1)));
        let reviewers: Vec<&str> = one.reviewers.iter().map(Untrusted::raw).collect();
        let (judge, label) = (one.judge.word(), one.label.word());
        let case = one.case.as_ref().map_or_else(String::new, |case| format!("{case} · "));
        let head = format!(
            "{case}trace {} · judge {judge}{score} · label {label} by {}",
            one.trace.raw(),
            reviewers.join(", ")
        );
        for (text, indent) in [(head.as_str(), 2), (one.explanation.raw(), 4)] {
            output::prose(text, indent)?;
        }
    }
    if of.disagreements.len() > FEW {
        output::text(&format!("  … and {} more; --json has them all", of.disagreements.len() - FEW))?;
    }
    Ok(())
}

fn rate(of: &Rate) -> String {
    match (of.share, of.interval) {
        (Some(share), Some(i)) => {
            format!("{} [{}, {}], {} of {}", percent(share), percent(i.lower), percent(i.upper), of.k, of.n)
        }
        _ => UNKNOWN.to_owned(),
    }
}
