//! Holds what comes out against what was planted, and the words against what a reader expects.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::answer::{Asked, Memory};
use super::book::{About, Voice, book};
use super::case::Case;
use super::dice::Dice;
use super::session::{Step, Way, Wish, sessions_of};
use super::truth::{PLANTED_RATE, Version, failure_rate};
use super::user::User;
use super::*;
use crate::domain::{Content, FailureKind, FeedbackKind, Status, Thumbs};

fn spec(traces: u64) -> DemoSpec {
    DemoSpec { traces, seed: 7, now: "2025-11-24T10:30:00Z".parse().unwrap() }
}

fn made(traces: u64) -> Vec<(Trace, Truth)> {
    Generator::new(spec(traces)).collect()
}

fn name(field: &Option<crate::domain::Untrusted>) -> &str {
    field.as_ref().map_or("", |text| text.raw())
}

/// The last message, or the text.
fn last(content: &Content) -> String {
    match content {
        Content::Text(text) => text.raw().to_owned(),
        Content::Messages(messages) => {
            messages.last().and_then(|m| m.content.as_str()).unwrap_or_default().to_owned()
        }
    }
}

/// Whether a share that should be `expected` came out as `k` of `n`: within four standard errors.
fn near(k: usize, n: usize, expected: f64) -> bool {
    let error = (expected * (1.0 - expected) / n as f64).sqrt();
    n > 0 && (k as f64 / n as f64 - expected).abs() <= 4.0 * error + 1.0 / n as f64
}

#[test]
fn the_same_seed_and_time_make_the_same_traces() {
    let json =
        |spec| Generator::new(spec).map(|(t, _)| serde_json::to_string(&t).unwrap()).collect::<Vec<_>>();
    let once = json(spec(1_500));
    assert_eq!(once, json(spec(1_500)));
    let other = json(DemoSpec { seed: 8, ..spec(1_500) });
    assert!(once.iter().zip(&other).all(|(a, b)| a != b));
}

#[test]
fn traces_come_in_order_with_ids_of_their_own_and_end_now() {
    let spec = spec(6_000);
    let made = made(6_000);
    assert_eq!(made.len(), 6_000);
    let ids: HashSet<&str> = made.iter().map(|(t, _)| t.id.raw()).collect();
    assert_eq!(ids.len(), made.len());
    assert!(made.windows(2).all(|pair| pair[0].0.time <= pair[1].0.time));
    let end = made.last().unwrap().0.time.unwrap();
    let ago = spec.now.as_millisecond() - end.as_millisecond();
    assert!((0..30_000).contains(&ago), "{ago} ms");
    assert!(made[0].0.time.unwrap() >= spec.from());
    for (trace, _) in &made {
        for said in &trace.feedback {
            assert!(said.time.unwrap() <= spec.now && said.time > trace.time, "{:?}", trace.id);
        }
    }
}

#[test]
fn the_end_is_now_at_any_hour_and_for_any_size() {
    for hour in 0..24 {
        for traces in [1, 3, 700] {
            let now = format!("2025-11-23T{hour:02}:59:59Z").parse().unwrap();
            let last = Generator::new(DemoSpec { traces, seed: 3, now }).last().unwrap().0;
            let ago = now.as_millisecond() - last.time.unwrap().as_millisecond();
            assert!((0..30_000).contains(&ago), "{hour} {traces} {ago}");
        }
    }
}

#[test]
fn sessions_ascend_and_belong_to_one_user() {
    let mut sessions: BTreeMap<String, Vec<Trace>> = BTreeMap::new();
    for (trace, _) in made(6_000) {
        sessions.entry(name(&trace.session).to_owned()).or_default().push(trace);
    }
    let turns = sessions.values().map(Vec::len).max().unwrap();
    assert_eq!(turns, 6);
    for traces in sessions.values() {
        assert!(traces.windows(2).all(|pair| pair[0].time < pair[1].time));
        assert!(traces.iter().all(|t| t.user == traces[0].user && t.model == traces[0].model));
        assert!(traces.iter().all(|t| t.prompt_version == traces[0].prompt_version));
    }
    let longer = sessions.values().filter(|traces| traces.len() > 1).count();
    assert!(longer * 3 > sessions.len(), "{longer} of {}", sessions.len());
}

#[test]
fn a_trace_tells_its_truth_by_its_id_alone() {
    let generator = Generator::new(spec(3_000));
    for (trace, truth) in made(3_000).into_iter().step_by(37) {
        assert_eq!(generator.truth(trace.id.raw()), Some(truth));
    }
    for stranger in ["", "tr_", "tr_zzzzzzzzzz", "tr_ffffffffff", "x", "tr_00"] {
        assert_eq!(generator.truth(stranger), None, "{stranger}");
    }
}

#[test]
fn every_question_has_an_answer_that_fits_it_and_speaks_of_its_amount() {
    let book = book();
    for voice in &book.voices {
        for topic in &voice.topic {
            for ask in 0..topic.ask.len() {
                let about = About { topic, ask };
                let answers = about.exact(&topic.answer);
                assert!(!answers.is_empty(), "{} {} {ask}", voice.code, topic.id);
                if !topic.answers_freely() || !about.asked().may_name("amount") || topic.amounts.is_empty() {
                    continue;
                }
                for phrase in answers.into_iter().chain(about.exact(&topic.short)) {
                    assert!(phrase.always_names("amount"), "{} {}: {phrase:?}", voice.code, topic.id);
                }
            }
            if voice.code != "en" {
                let twin = book.voices[0].topic.iter().any(|t| t.id == topic.id);
                assert!(twin, "{} {} has no English twin", voice.code, topic.id);
            }
            for next in &topic.next {
                for ask in &next.ask {
                    assert!(next.answer.iter().any(|a| a.fits(ask)), "{} {}: {ask:?}", voice.code, topic.id);
                }
            }
            for doc in &topic.docs {
                assert!(book.bank.policy.iter().any(|p| p.id == *doc), "{doc}");
            }
        }
    }
}

#[test]
fn templates_that_name_an_amount_answer_with_it() {
    // Rendered as in a conversation: what was asked about is what is answered.
    let book = book();
    let mut checked = 0;
    for (number, (topic, voice)) in
        book.voices.iter().flat_map(|v| v.topic.iter().map(move |t| (t, v))).enumerate()
    {
        if topic.amounts.is_empty() || !topic.answers_freely() {
            continue;
        }
        for ask in 0..topic.ask.len() {
            let user = User::at(1, number as u64, book);
            let at = "2025-11-24T10:30:00Z".parse().unwrap();
            let case =
                Case::draw(&book.bank, voice, &user, &topic.amounts, at, &mut Dice::new(1, 2, number as u64));
            let mut dice = Dice::new(2, ask as u64, number as u64);
            let about = About { topic, ask };
            let question = about.asked().render(&case, &mut dice);
            if !question.contains(case.text("amount")) {
                continue;
            }
            let truth = Truth { verdict: Verdict::Good, kind: Kind::Fees, cause: Cause::Usual };
            let step = Step::Open(about, Wish::None, Way::First);
            let asked = Asked { book, voice, case: &case, english: &case, step, truth, version: Version::V3 };
            let said = super::answer::answer(&asked, &mut Memory::default(), &mut dice);
            assert!(said.contains(case.text("amount")), "{question} → {said}");
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn no_slot_stays_open_and_nothing_is_empty() {
    let open = |text: &str| {
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let inside: String = rest[at + 1..].chars().take_while(|c| c.is_ascii_lowercase()).collect();
            if !inside.is_empty() && rest[at + 1 + inside.len()..].starts_with('}') {
                return true;
            }
            rest = &rest[at + 1..];
        }
        false
    };
    for (trace, truth) in made(12_000) {
        let (asked, answered) = (last(&trace.input), last(&trace.output));
        assert!(!open(&asked) && !open(&answered), "{asked} → {answered}");
        assert!(!asked.trim().is_empty(), "{:?} {truth:?}", trace.id);
        let silent = matches!(truth.verdict, Verdict::NoAnswer(_));
        assert_eq!(answered.trim().is_empty(), silent, "{truth:?} {asked}");
        for text in [&asked, &answered] {
            assert!(!text.contains("  ") || text.contains('\n'), "two spaces: {text}");
            assert!(!text.contains(" . "), "{text}");
        }
        assert_eq!(trace.status == Status::Error, silent);
        for said in &trace.feedback {
            let comment = name(&said.comment);
            assert!(!open(comment), "{comment}");
        }
    }
}

#[test]
fn answers_are_in_the_language_of_the_question_unless_that_was_planted() {
    let spec = spec(12_000);
    let calendar = Calendar::new(spec.now, spec.traces);
    let words = |voice: &Voice| -> Option<&'static [&'static str]> {
        Some(match voice.code.as_str() {
            "es" => &["la", "el", "en", "de", "no"],
            "de" => &["die", "ist", "in", "der", "das", "du", "nicht"],
            "fr" => &["la", "le", "est", "de", "les", "vous"],
            "pl" => &["w", "na", "się", "to", "nie", "z"],
            "it" => &["il", "di", "la", "è", "non", "per", "in"],
            "nl" => &["de", "is", "het", "je", "niet", "in"],
            "pt" => &["o", "de", "em", "não", "a", "que"],
            "tr" => &["bir", "en", "için", "bu", "sonra", "gün"],
            _ => return None,
        })
    };
    let mut seen = BTreeSet::new();
    for hour in 0..HOURS {
        for session in sessions_of(&calendar, spec.seed, hour) {
            let voice = &book().voices[session.user.voice];
            if voice.code == "en" || session.version == Version::Summary2 {
                continue;
            }
            for ((trace, truth), turn) in
                dialog::traces(&session, spec.seed, &calendar).iter().zip(&session.turns)
            {
                let answer = last(&trace.output);
                let opening = matches!(turn.step, Step::Open(..));
                let english = answer.contains(" the ") || answer.contains(" your ");
                match truth.verdict {
                    Verdict::NoAnswer(_) => {}
                    Verdict::Fails(Mode::IgnoredInstructions) if truth.cause == Cause::Usual => {
                        assert!(english, "{answer}");
                    }
                    _ => {
                        assert!(!english, "{}: {answer}", voice.code);
                        let letters = answer.chars().filter(|c| !c.is_ascii()).count();
                        if opening && matches!(voice.code.as_str(), "ja" | "ar") {
                            assert!(letters * 3 > answer.chars().count(), "{answer}");
                        } else if opening && answer.len() > 90 {
                            let own =
                                words(voice).is_none_or(|words| words.iter().any(|w| answer.contains(w)));
                            assert!(own, "{}: {answer}", voice.code);
                        }
                    }
                }
                seen.insert(voice.code.clone());
            }
        }
    }
    assert_eq!(seen.len(), book().voices.len() - 1, "{seen:?}");
}

#[test]
fn few_things_are_said_twice() {
    let made = made(40_000);
    let answers: Vec<String> =
        made.iter().filter(|(t, _)| t.status == Status::Ok).map(|(t, _)| last(&t.output)).collect();
    let distinct: HashSet<&String> = answers.iter().collect();
    let share = distinct.len() as f64 / answers.len() as f64;
    assert!(share >= 0.60, "{share}");
    let mut first: BTreeMap<&str, HashSet<String>> = BTreeMap::new();
    for (trace, truth) in &made {
        let answer = last(&trace.output);
        let sentence = answer.split(['.', '!', '?', '\n']).next().unwrap_or_default();
        first.entry(truth.kind.name()).or_default().insert(sentence.to_owned());
    }
    for (kind, sentences) in first {
        assert!(sentences.len() >= 18, "{kind}: {}", sentences.len());
    }
}

#[test]
fn failures_come_at_the_planted_rates() {
    let spec = spec(40_000);
    let calendar = Calendar::new(spec.now, spec.traces);
    let mut opened: BTreeMap<(Kind, Version), (usize, usize)> = BTreeMap::new();
    let mut planted = (0, 0);
    for hour in 0..HOURS {
        for session in sessions_of(&calendar, spec.seed, hour) {
            let turn = &session.turns[0];
            let (about, wish) = match turn.step {
                Step::Open(about, wish, _) => (Some(about), wish),
                _ => (None, Wish::None),
            };
            if matches!(turn.truth.verdict, Verdict::NoAnswer(_)) {
                continue;
            }
            let plantable = session.version == Version::V4
                && wish == Wish::None
                && about.is_some_and(|a| !a.near(&a.topic.planted).is_empty());
            if plantable {
                planted.0 += usize::from(turn.truth.cause == Cause::OverdraftAdvice);
                planted.1 += 1;
                continue;
            }
            let tally = opened.entry((session.kind, session.version)).or_default();
            tally.0 += usize::from(turn.truth.verdict != Verdict::Good);
            tally.1 += 1;
        }
    }
    assert!(near(planted.0, planted.1, PLANTED_RATE), "{planted:?}");
    for ((kind, version), (failed, of)) in opened {
        let expected = failure_rate(kind, version);
        assert!(near(failed, of, expected), "{kind:?} {version:?}: {failed} of {of}, planted {expected}");
    }
}

#[test]
fn it_tells_the_story() {
    let spec = spec(40_000);
    let made = made(40_000);
    let calendar = Calendar::new(spec.now, spec.traces);
    let day = 86_400_000;
    let now = spec.now.as_millisecond();
    let ms = |t: &Trace| t.time.unwrap().as_millisecond();
    let support = || made.iter().filter(|(t, _)| name(&t.feature) == "customer_support");
    let share = support().count() as f64 / made.len() as f64;
    assert!((0.905..0.925).contains(&share), "{share}");
    // v3 does well, v4 does not.
    let good = |version: &str| {
        let of: Vec<_> = support()
            .filter(|(t, truth)| {
                name(&t.prompt_version) == version && !matches!(truth.verdict, Verdict::NoAnswer(_))
            })
            .collect();
        of.iter().filter(|(_, truth)| truth.verdict == Verdict::Good).count() as f64 / of.len() as f64
    };
    assert!((0.92..0.955).contains(&good("v3")), "v3 {}", good("v3"));
    assert!((0.76..0.84).contains(&good("v4")), "v4 {}", good("v4"));
    // Satisfaction falls from about 93 to about 81 of a hundred.
    let satisfaction = |from: i64, to: i64| {
        let (mut up, mut all) = (0.0, 0.0);
        for said in
            support().filter(|(t, _)| (from..to).contains(&(now - ms(t)))).flat_map(|(t, _)| &t.feedback)
        {
            if let FeedbackKind::Thumbs(thumb) = said.kind {
                all += 1.0;
                up += if thumb == Thumbs::Up { 1.0 } else { 0.0 };
            }
        }
        up / all
    };
    let (before, after) = (satisfaction(8 * day, 28 * day), satisfaction(0, 6 * day));
    assert!((0.915..0.95).contains(&before) && (0.77..0.85).contains(&after), "{before} {after}");
    // Cost and follow-ups rise by session.
    let by_session = |version: &str| {
        let mut sessions = HashSet::new();
        let (mut cost, mut follow_ups) = (0.0, 0.0);
        for (trace, _) in support().filter(|(t, _)| name(&t.prompt_version) == version) {
            sessions.insert(name(&trace.session));
            cost += trace.cost_usd.unwrap();
            follow_ups += trace.feedback.iter().filter(|f| f.kind == FeedbackKind::FollowUp).count() as f64;
        }
        (cost / sessions.len() as f64, follow_ups / sessions.len() as f64)
    };
    let (v3, v4) = (by_session("v3"), by_session("v4"));
    assert!(v4.0 > 1.25 * v3.0 && v4.1 > 1.8 * v3.1, "{v3:?} {v4:?}");
    // The rate-limit burst is in its two hours and nowhere else.
    let refused: Vec<i64> =
        support().filter(|(t, _)| t.error_kind == Some(FailureKind::RateLimit)).map(|(t, _)| ms(t)).collect();
    let inside = refused.iter().filter(|at| calendar.in_burst(**at)).count();
    assert!(inside >= 15 && inside * 10 > refused.len() * 3, "{inside} of {}", refused.len());
    let timeouts = made.iter().filter(|(t, _)| t.error_kind == Some(FailureKind::Timeout)).count();
    assert!(near(timeouts, made.len(), 0.003), "{timeouts}");
    // One model's latency drifts upward, the others' does not.
    let median = |model: &str, from: i64, to: i64| {
        let mut all: Vec<f64> = support()
            .filter(|(t, _)| name(&t.model) == model && t.status == Status::Ok)
            .filter(|(t, _)| (from..to).contains(&(now - ms(t))))
            .map(|(t, _)| t.latency_ms.unwrap() / (20.0 + t.tokens_out.unwrap() as f64))
            .collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    for (model, least, most) in
        [("claude-3-5-haiku", 1.25, 2.2), ("gpt-4o", 0.75, 1.15), ("gpt-4o-mini", 0.75, 1.15)]
    {
        let drift = median(model, 0, 2 * day) / median(model, 10 * day, 28 * day);
        assert!((least..most).contains(&drift), "{model} {drift}");
    }
}

#[test]
fn users_react_to_what_is_true() {
    let mut tally: BTreeMap<(bool, bool), [usize; 3]> = BTreeMap::new();
    for (trace, truth) in made(40_000) {
        if truth.kind == Kind::Summary || matches!(truth.verdict, Verdict::NoAnswer(_)) {
            continue;
        }
        let key = (truth.verdict == Verdict::Good, truth.cause == Cause::OverdraftAdvice);
        let counts = tally.entry(key).or_default();
        counts[0] += 1;
        let has = |kind| trace.feedback.iter().any(|f| f.kind == kind);
        counts[1] += usize::from(has(FeedbackKind::Thumbs(Thumbs::Up)));
        counts[2] += usize::from(has(FeedbackKind::Thumbs(Thumbs::Down)));
    }
    let [all, up, down] = tally[&(true, false)];
    assert!(near(up, all, 0.125) && near(down, all, 0.0035), "{tally:?}");
    let [all, up, down] = tally[&(false, true)];
    assert!(near(up, all, 0.006) && near(down, all, 0.135), "{tally:?}");
}

#[test]
fn the_judge_is_right_as_often_as_planted() {
    let (mut missed, mut failing, mut alarmed, mut good) = (0, 0, 0, 0);
    for (trace, truth) in made(40_000) {
        let Some(accuracy) = trace.score.get("accuracy") else { continue };
        let least = trace.score.values().copied().fold(*accuracy, f64::min);
        match truth.verdict {
            Verdict::Good => {
                good += 1;
                alarmed += usize::from(least < 7.0);
            }
            Verdict::Fails(_) => {
                failing += 1;
                missed += usize::from(least > 7.0);
            }
            Verdict::NoAnswer(_) => panic!("nothing to judge"),
        }
    }
    assert!((300..520).contains(&(good + failing)), "{good} {failing}");
    assert!(near(missed, failing, 0.15) && near(alarmed, good, 0.05), "{missed}/{failing} {alarmed}/{good}");
}

#[test]
fn what_is_made_is_in_our_own_format() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../fixtures/trace.schema.json")).unwrap();
    let fields = schema["properties"].as_object().unwrap();
    let valid = jsonschema::validator_for(&schema).unwrap();
    let mut seen = BTreeSet::new();
    for (trace, _) in made(6_000) {
        let json = serde_json::to_value(&trace).unwrap();
        let wrong: Vec<String> =
            valid.iter_errors(&json).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?} in {json:#}");
        // The schema lets further fields pass, as an import does; we write none.
        for name in json.as_object().unwrap().keys() {
            assert!(fields.contains_key(name), "{name}");
            seen.insert(name.clone());
        }
        assert!(matches!(trace.check(spec(1).now), Ok(None)), "{json:#}");
    }
    assert!(seen.contains("spans") && seen.contains("score") && seen.contains("feedback"), "{seen:?}");
}
