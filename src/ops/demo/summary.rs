//! The second feature: calls, letters and dispute cases, and their summaries.

use super::book::Scenario;
use super::case::Case;
use super::dice::Dice;
use super::session::Form;
use super::truth::{Mode, Verdict};
use super::words::upper_first;

/// The text to sum up, with what is wanted.
pub fn question(scenario: &Scenario, form: Form, case: &Case, dice: &mut Dice) -> String {
    let wanted = match form {
        Form::Bullets => dice.pick(&[
            "Summarise in three bullet points.",
            "Three bullets, please: what, why, next step.",
            "Format: 3 bullets.",
        ]),
        Form::Sentence => dice.pick(&[
            "Summarise in one or two sentences.",
            "One or two sentences for the case file.",
            "Format: at most two sentences.",
        ]),
        Form::Json => dice.pick(&[
            "Return JSON with the keys topic, amount, outcome, next_step.",
            "Format: JSON (topic, amount, outcome, next_step), nothing else.",
        ]),
    };
    let text = text(scenario, case, dice);
    let kind = match scenario.form.as_str() {
        "call" => "Transcript of a call",
        "letter" => "Letter from a customer",
        _ => "Dispute case",
    };
    format!("{wanted}\n\n{kind}, {}:\n\n{text}", case.text("ref"))
}

fn text(scenario: &Scenario, case: &Case, dice: &mut Dice) -> String {
    let parts: Vec<String> = scenario
        .part
        .iter()
        .map(|ways| dice.pick(ways).render(case, dice))
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(if scenario.form == "letter" { "\n\n" } else { "\n" })
}

/// The summary, good or failing as planted.
pub fn answer(scenario: &Scenario, form: Form, verdict: Verdict, case: &Case, dice: &mut Dice) -> String {
    let mut say = |from: &[super::phrase::Phrase]| dice.pick(from).render(case, dice);
    match verdict {
        Verdict::NoAnswer(_) => String::new(),
        Verdict::Good => well(scenario, form, &mut say),
        Verdict::Fails(Mode::HallucinatedFacts) => {
            let wrong = say(&scenario.made_up);
            let right = well(scenario, form, &mut say);
            match form {
                Form::Bullets => {
                    let kept: Vec<&str> = right.lines().take(2).collect();
                    format!("{}\n- {wrong}", kept.join("\n"))
                }
                Form::Sentence => format!("{right} {wrong}"),
                Form::Json => format!("{}, \"note\": \"{wrong}\"}}", right.trim_end_matches('}')),
            }
        }
        Verdict::Fails(Mode::WrongTone) => {
            let remark = say(&scenario.tone);
            match form {
                Form::Bullets => format!("{}\n- {remark}", well(scenario, form, &mut say)),
                _ => format!("{} {remark}", well(scenario, Form::Sentence, &mut say)),
            }
        }
        Verdict::Fails(Mode::IgnoredInstructions) => {
            let other = match form {
                Form::Bullets => Form::Sentence,
                Form::Sentence => Form::Bullets,
                Form::Json => Form::Sentence,
            };
            well(scenario, other, &mut say)
        }
        Verdict::Fails(Mode::OffTopic) => say(&scenario.off_topic),
        Verdict::Fails(Mode::TooVerbose) => {
            let sentence = well(scenario, Form::Sentence, &mut say);
            let bullets = well(scenario, Form::Bullets, &mut say);
            let retold = retold(&text(scenario, case, dice), dice);
            format!(
                "**Introduction**\n\nThis summary covers the matter in full.\n\n**Overview**\n\n{sentence}\n\n**In detail**\n\n{retold}\n\n**Key points**\n\n{bullets}\n\n**Conclusion**\n\nIn conclusion, {}",
                super::words::lower_first(&sentence)
            )
        }
    }
}

fn well(scenario: &Scenario, form: Form, say: &mut impl FnMut(&[super::phrase::Phrase]) -> String) -> String {
    match form {
        Form::Bullets => say(&scenario.bullets),
        Form::Sentence => say(&scenario.sentence),
        Form::Json => say(&scenario.json),
    }
}

/// The text told again line by line, which is what a summary is not for.
fn retold(text: &str, dice: &mut Dice) -> String {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| match line.split_once(": ") {
            Some((who, what)) => {
                let says = dice.pick(&["says", "then says", "replies", "adds", "goes on"]);
                format!("The {} {says}: \"{what}\"", who.to_lowercase())
            }
            None => format!("The text reads: \"{}\"", upper_first(line.trim())),
        })
        .collect::<Vec<_>>()
        .join(" ")
}
