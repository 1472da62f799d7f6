//! Incidents on real stores, through the ops that both faces call.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::domain::incident::{Action, ActionKind, Evidence, Figures, Outcome, StepStatus, Tally};
use crate::domain::runbook::{Phase, Section, Severity};
use crate::domain::{ErrorKind, Untrusted};
use crate::ops::runbook::Books;
use crate::ops::{Access, Ctx};
use crate::store::Preparer;
use crate::task::{Cancel, Clock};

struct World {
    folder: tempfile::TempDir,
    ctx: Ctx,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed("2025-03-04T02:55:00Z".parse::<Timestamp>().unwrap());
        let ctx = Ctx::open(&folder.path().join("t.db"), Access::Create, "mira", clock).unwrap();
        Self { folder, ctx }
    }

    fn trace(&self, id: &str, input: &str, output: &str) {
        let trace = serde_json::json!({"id": id, "input": input, "output": output, "prompt_version": "v4",
            "time": "2025-03-04T01:12:00Z"});
        let mut loader = self.ctx.store.loader(1).unwrap();
        let mut preparer = Preparer::new(None).unwrap();
        let ready = preparer.prepare(serde_json::from_value(trace).unwrap(), self.ctx.clock.now()).unwrap();
        loader.write(&mut [ready]).unwrap();
    }

    fn open(&self, title: &str) -> IncidentView {
        let request = OpenRequest {
            title: title.into(),
            severity: Some(Severity::Sev2),
            began_at: Some("2025-03-04T01:10:00Z".parse().unwrap()),
            ..OpenRequest::default()
        };
        open(&self.ctx, request).unwrap()
    }

    fn later(&self, minutes: i64) -> &Self {
        self.ctx.clock.advance_ms(minutes * 60_000);
        self
    }

    fn done(&self, step: &str, note: &str) -> IncidentView {
        act(&self.ctx, "1", Act::Done { step: step.into(), note: Some(note.into()) }, None).unwrap()
    }

    fn markdown(&self) -> String {
        told_of(&self.ctx, "INC-1").unwrap().markdown
    }
}

fn told_of(ctx: &Ctx, name: &str) -> crate::domain::Result<PostmortemView> {
    postmortem(ctx, &Configured::default(), name, &TimeZone::UTC, &Cancel::default())
}

fn figures() -> Figures {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let tally = |requests, errors, down| Tally {
        requests,
        errors,
        thumbs_down: down,
        thumbs_up: 100,
        users: Some(1000),
        users_hit: Some(140),
        ..Tally::default()
    };
    Figures {
        query: "feature:support | \"x\"".into(),
        since: at("2025-03-04T01:10:00Z"),
        until: at("2025-03-04T03:00:00Z"),
        taken_at: at("2025-03-04T03:00:00Z"),
        all: tally(8_750, 143, 60),
        before: Some(tally(9_000, 12, 8)),
        by_version: vec![("v4".into(), tally(7_000, 140, 58)), ("support@v3".into(), tally(1_750, 3, 2))],
    }
}

#[test]
fn an_incident_is_walked_through_from_open_to_post_mortem() {
    let world = World::new();
    world.trace("t_8f21", "why a fee?", "You can just transfer your balance to resolve the overdraft fee.");
    let view = world.open("Bad overdraft advice after prompt v4");
    assert_eq!(
        (view.head.id.as_str(), view.head.phase, view.head.commander.raw()),
        ("INC-1", Phase::Detect, "mira")
    );
    assert_eq!(
        header(&view, view.as_of, &TimeZone::UTC).to_string(),
        "INC-1 SEV2 1/6 DETECT  0s since 02:55  update in 30m  cmd mira"
    );
    world.later(3).done("acknowledge", "I have it");
    let view = attach(&world.ctx, "inc-1", &["t_8f21".into()]).unwrap();
    assert_eq!(view.evidence[0].answered.raw().split(' ').next(), Some("You"));
    act(&world.ctx, "1", Act::Attach { evidence: Evidence::Figures { figures: Box::new(figures()) } }, None)
        .unwrap();
    world.done("hypothesis", "prompt v4, line 12");
    let view = world.later(6).done("off", "flag support-ai enabled -> disabled");
    assert_eq!((view.head.phase, view.suggested_severity), (Phase::Contain, Some(Severity::Sev2)));
    for step in ["choose", "effect", "tell-contained"] {
        act(&world.ctx, "1", Act::Skip { step: step.into(), note: None }, None).unwrap();
    }
    let view = world.later(36).done("rollback", "v4 -> v3");
    assert_eq!(view.times.contain_ms, Some(9 * 60_000));
    assert_eq!(view.times.exposure_ms, Some(114 * 60_000));
    assert_eq!(
        header(&view, view.as_of, &TimeZone::UTC).to_string(),
        "INC-1 SEV2 4/6 FIX  45m since 02:55  UPDATE 15m LATE  cmd mira"
    );
    let view = act(&world.ctx, "1", Act::Close { outcome: Outcome::Resolved, note: None }, None).unwrap();
    assert_eq!(
        header(&view, view.as_of, &TimeZone::UTC).to_string(),
        "INC-1 SEV2 CLOSED resolved  02:55, open for 45m  cmd mira"
    );
    assert!(view.missing.iter().any(|missing| missing.what.contains("watch")), "{:?}", view.missing);

    let markdown = world.markdown();
    for part in [
        "# Post-mortem INC-1: Bad overdraft advice after prompt v4",
        "- **State:** draft, closed 2025-03-04 03:40 +00:00\n",
        "- **Detected:** 2025-03-04 02:55 +00:00 (1h 45m after it began)\n",
        "- **Contained:** 2025-03-04 03:04 +00:00 (9m after detection)\n",
        "- **People exposed for:** 1h 54m\n",
        "| all | 8,750 | 143 (1.6 % [1.4, 1.9]) | 60 (37.5 % [30.4, 45.2]) | 1,000 | 140 | — | — |",
        "| as long before | 9,000 |",
        "| support@v3 | 1,750 |",
        "over `feature:support | \"x\"`",
        "| 2025-03-04 02:58 +00:00 | mira | “Acknowledge, and say who leads” done: I have it |",
        "## Why\n\nprompt v4, line 12\n",
        "It went unnoticed for 1h 45m.",
        "- `t_8f21`, version `v4`, 2025-03-04 01:12 +00:00",
        "  - answered: `You can just transfer your balance to resolve the overdraft fee.`",
        "## Still missing",
    ] {
        assert!(markdown.contains(part), "{part}\nis not in\n{markdown}");
    }
}

#[test]
fn what_is_written_and_agreed_stands_in_the_post_mortem() {
    let world = World::new();
    world.open("x");
    let write = |section, text: &str| Act::Write { section, text: text.into() };
    let action = |owner: Option<&str>| Act::AddAction {
        action: Action {
            text: "German cases | in the gate".into(),
            kind: ActionKind::Prevent,
            owner: owner.map(Untrusted::from),
            due: owner.map(|_| "2025-03-11".into()),
        },
    };
    let both = vec![write(Section::Summary, "Users got *bad* advice.\n# No heading"), action(Some("ann"))];
    let view = acts(&world.ctx, "1", both, None).unwrap();
    assert!(!view.missing.iter().any(|missing| missing.what.contains("action")), "{:?}", view.missing);
    act(&world.ctx, "1", action(None), None).unwrap();
    let markdown = world.markdown();
    assert!(markdown.contains("## Summary\n\nUsers got \\*bad\\* advice.\n\\# No heading\n"), "{markdown}");
    assert!(
        markdown.contains("| 1 | German cases \\| in the gate | prevent | ann | 2025-03-11 |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| 2 | German cases \\| in the gate | prevent | **nobody yet** |"),
        "{markdown}"
    );
}

#[test]
fn several_acts_are_done_as_one_or_not_at_all() {
    let world = World::new();
    world.open("x");
    let done = |step: &str| Act::Done { step: step.into(), note: None };
    let both = vec![done("fresh"), done("fresh")];
    let error = acts(&world.ctx, "1", both, None).unwrap_err();
    assert!(error.what.contains("was done by mira"), "{}", error.what);
    let view = show(&world.ctx, "1").unwrap();
    assert_eq!((view.record.events, view.phases[0].steps[1].state), (1, StepStatus::Todo));
}

#[test]
fn the_runbook_of_an_incident_is_the_one_it_was_opened_with() {
    let world = World::new();
    let path = world.folder.path().join("own.toml");
    let text = "schema = 1\nname = \"own\"\nfeature = \"cards\"\n[[step]]\nid = \"a\"\nphase = \"contain\"\n\
                kind = \"manual\"\ntitle = \"First\"\n";
    std::fs::write(&path, text).unwrap();
    let request = || OpenRequest {
        title: "x".into(),
        runbook: Some(path.display().to_string()),
        ..OpenRequest::default()
    };
    let view = open(&world.ctx, request()).unwrap();
    assert_eq!((view.head.phase, view.head.feature.clone()), (Phase::Contain, Some("cards".into())));
    std::fs::write(&path, text.replace("First", "Second").replace("manual", "nanual")).unwrap();
    let view = show(&world.ctx, "1").unwrap();
    assert_eq!(view.phases[2].steps[0].title.raw(), "First");
    let error = open(&world.ctx, request()).unwrap_err();
    assert!(error.what.contains("own.toml, line 7: ") && error.hints[0].contains("manual"), "{error:?}");
    assert_eq!(list(&world.ctx).unwrap().len(), 1, "nothing was opened");
    // But an incident does not wait for the team's usual file.
    let books = Books { usual: Some(path.clone()), ..Books::default() };
    let request = OpenRequest { title: "x".into(), books, ..OpenRequest::default() };
    let view = open(&world.ctx, request).unwrap();
    assert_eq!(view.runbook.name.raw(), "default");
    let said = view.timeline[1].text.raw();
    assert!(said.contains("own.toml, line 7: ") && said.contains("“default” is used"), "{said}");
}

#[test]
fn a_step_done_before_now_says_so() {
    let world = World::new();
    world.open("x");
    let earlier = world.ctx.clock.now();
    world.later(30);
    let done = || Act::Done { step: "fresh".into(), note: None };
    let view = act(&world.ctx, "1", done(), Some(earlier)).unwrap();
    assert_eq!(view.phases[0].steps[1].ended_at, Some(earlier));
    assert!(world.markdown().contains("done (recorded 2025-03-04 03:25 +00:00) |"), "{}", world.markdown());
    let future = earlier + jiff::SignedDuration::from_hours(9);
    assert_eq!(act(&world.ctx, "1", done(), Some(future)).unwrap_err().kind, ErrorKind::Usage);
}

#[test]
fn a_false_alarm_says_so_and_asks_for_little() {
    let world = World::new();
    world.open("x");
    let close = Act::Close { outcome: Outcome::FalseAlarm, note: Some("the judge was changed".into()) };
    let view = act(&world.ctx, "1", close, None).unwrap();
    assert_eq!(view.missing, []);
    assert!(world.markdown().contains("## False alarm\n\nthe judge was changed\n"));
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_asked() {
    let world = World::new();
    world.open("x");
    let path = world.folder.path().join("pm/inc-1.md");
    let save = |replace: bool| {
        let to = Place { path: &path, form: Form::Markdown, replace };
        save_postmortem(&world.ctx, &Configured::default(), "1", (&TimeZone::UTC, to), &Cancel::default())
    };
    save(false).unwrap();
    std::fs::write(&path, "edited").unwrap();
    let error = save(false).unwrap_err();
    assert!(error.hints[0].contains("--force"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "edited");
    save(true).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("# Post-mortem INC-1"));
}

#[test]
fn unknown_traces_and_incidents_are_named() {
    let world = World::new();
    world.trace("t-100", "a", "b");
    world.open("x");
    let error = attach(&world.ctx, "1", &["t-100".into(), "t-101".into()]).unwrap_err();
    assert!(error.what.contains("t-101") && error.hints[0].contains("t-100"), "{error:?}");
    assert_eq!(show(&world.ctx, "1").unwrap().evidence, [], "all or nothing");
    assert_eq!(show(&world.ctx, "INC-9").unwrap_err().kind, ErrorKind::NotSo);
    attach_to_open(&world.ctx, &["t-100".into()]).unwrap();
    assert_eq!(of_trace(&world.ctx, &"t-100".into()).unwrap(), ["INC-1"]);
    close(&world.ctx, "1", Outcome::Resolved, None).unwrap();
    let error = attach_to_open(&world.ctx, &["t-100".into()]).unwrap_err();
    assert!(error.what.contains("No incident is open"), "{}", error.what);
}

#[test]
fn figures_count_the_feature_that_the_incident_is_about() {
    let world = World::new();
    world.trace("t", "a", "b");
    world.open("x");
    let feature = |name: &str| Act::Feature { feature: Some(name.into()) };
    let view = act(&world.ctx, "1", feature("cards"), None).unwrap();
    assert_eq!(view.head.feature, Some("cards".into()));
    let cancel = Cancel::default();
    let now = figures_now(&world.ctx, "1", &FiguresRequest::default(), &cancel).unwrap().figures;
    assert_eq!((now.all.requests, now.query.raw()), (0, "feature:cards"));
    act(&world.ctx, "1", feature(" "), None).unwrap();
    let now = figures_now(&world.ctx, "1", &FiguresRequest::default(), &cancel).unwrap().figures;
    assert_eq!((now.all.requests, now.query.raw()), (1, ""));
}

/// Every string of the list of naughty strings, as title, note and trace: the post-mortem keeps its
/// headings, and nothing in it moves a terminal's cursor.
#[test]
#[allow(clippy::print_stdout)]
fn naughty_strings_do_not_change_the_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/blns.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is not there");
        return;
    };
    let strings: Vec<String> = serde_json::from_str(&text).unwrap();
    let headings = |text: &str| {
        use pulldown_cmark::{Event, Options, Parser, Tag};
        let parser = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM);
        let starts = parser.filter_map(|event| match event {
            Event::Start(Tag::Heading { level, .. }) => Some(format!("{level:?}")),
            Event::Start(Tag::Table(columns)) => Some(format!("table of {}", columns.len())),
            Event::Start(tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock)) => {
                Some(format!("{tag:?}"))
            }
            Event::Html(_) | Event::InlineHtml(_) => Some("html".to_owned()),
            _ => None,
        });
        starts.collect::<Vec<_>>()
    };
    let world = World::new();
    let told = |name: &str, words: &[&str]| {
        let acts_of = words
            .iter()
            .flat_map(|words| {
                [
                    Act::Note { text: format!("x{words}").into(), step: None },
                    Act::Note { text: format!("{words} x").into(), step: Some("off".into()) },
                    Act::Write { section: Section::Why, text: format!("{words}\n\n{words} x").into() },
                    Act::Write { section: Section::Prevention, text: format!("a\n{words}").into() },
                ]
            })
            .collect();
        acts(&world.ctx, name, acts_of, None).unwrap();
        let ids: Vec<Untrusted> = words.iter().map(|words| format!("{name}-{words}").into()).collect();
        for (id, words) in ids.iter().zip(words) {
            world.trace(id.raw(), words, words);
        }
        attach(&world.ctx, name, &ids).unwrap();
        told_of(&world.ctx, name).unwrap().markdown
    };
    let open = |title: &str| {
        let request = OpenRequest { title: title.into(), ..OpenRequest::default() };
        open(&world.ctx, request).unwrap().head.id
    };
    let plain = headings(&told(&open("x"), &["x"]));
    let strings: Vec<&str> = strings.iter().map(String::as_str).filter(|s| !s.trim().is_empty()).collect();
    // Several to an incident: opening one for each of five hundred strings takes long.
    for words in strings.chunks(12) {
        let markdown = told(&open(&format!("{} x", words[0])), words);
        assert_eq!(headings(&markdown), plain, "{words:?}\n{markdown}");
        let unsafe_char = markdown.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(unsafe_char, None, "{words:?}");
    }
}

#[test]
fn closing_takes_the_figures_and_a_draft_shows_them_as_they_stand() {
    let world = World::new();
    let began = "2025-03-04T01:10:00Z".parse::<Timestamp>().unwrap().as_second();
    for n in 0..60 {
        let trace = serde_json::json!({
            "id": format!("t{n}"), "input": "a", "output": "b", "user": format!("u{}", n % 6), "feature": "support",
            "prompt": "support", "prompt_version": if n < 20 { "v3" } else { "v4" },
            "status": if n >= 40 { "error" } else { "ok" },
            "time": Timestamp::from_second(began - 1200 + n * 60).unwrap(),
        });
        let mut loader = world.ctx.store.loader(1).unwrap();
        let mut preparer = Preparer::new(None).unwrap();
        let ready = preparer.prepare(serde_json::from_value(trace).unwrap(), world.ctx.clock.now()).unwrap();
        loader.write(&mut [ready]).unwrap();
    }
    let view = world.open("x");
    assert!(world.markdown().contains("| all | 40 | 20 (50.0 %"), "{}", world.markdown());
    let only = Some(crate::domain::Query::parse("status:error").unwrap());
    let request = FiguresRequest { only, since: None };
    let taken = figures_now(&world.ctx, "1", &request, &Cancel::default()).unwrap().figures;
    assert_eq!((taken.all.requests, taken.query.raw()), (20, "status:error"));
    assert_eq!(view.figures, None);
    // Of as long before, nothing failed: all that failed since is beyond the usual.
    let told = told_of(&world.ctx, "1").unwrap();
    let excess = told.facts.excess.unwrap();
    assert_eq!((excess.errors, excess.thumbs_down, excess.users_hit), (20.0, 0.0, Some(6.0)));
    assert!(told.markdown.contains("| Failed requests beyond the usual | about 20 |"), "{}", told.markdown);
    let page =
        postmortem_page(&world.ctx, &Configured::default(), "1", &TimeZone::UTC, &Cancel::default()).unwrap();
    assert_eq!(page.matches("<figure>").count(), 2, "before and during, and what failed: {page}");
    for word in ["began", "noticed", "users hit", "Draft"] {
        assert!(page.contains(word), "{word}");
    }
    let view = close(&world.ctx, "1", Outcome::Resolved, None).unwrap();
    let kept = view.figures.unwrap();
    assert_eq!((kept.all.requests, kept.all.errors, kept.before.unwrap().requests), (40, 20, 20));
    assert_eq!((kept.all.users, kept.all.users_hit), (Some(6), Some(6)));
    assert_eq!(view.suggested_severity, Some(Severity::Sev1), "everybody was hit");
    let words: Vec<String> = view.timeline.iter().map(|line| line.text.raw().to_owned()).collect();
    assert_eq!(words[1..], ["figures taken: 40 requests, 20 errors, 0 thumbs down", "closed, resolved"]);
}

#[test]
fn a_second_reader_signs_and_the_one_who_led_cannot() {
    let world = World::new();
    world.open("x");
    let lacks = |what: &str| {
        let told = told_of(&world.ctx, "1").unwrap();
        told.missing.iter().any(|missing| missing.what.contains(what))
    };
    assert!(lacks("second reader") && lacks("in an eval set"));
    let error = act(&world.ctx, "1", Act::SignRead, None).unwrap_err();
    assert!(error.what.contains("mira led INC-1"), "{error:?}");
    let jo = Ctx { reviewer: "jo".into(), ..world.ctx.clone() };
    act(&jo, "1", Act::SignRead, None).unwrap();
    assert!(act(&jo, "1", Act::SignRead, None).unwrap_err().what.contains("signed it already"));
    let reason =
        Act::Write { section: Section::EvalSet, text: "Nothing was answered, so there is no case.".into() };
    act(&world.ctx, "1", reason, None).unwrap();
    assert!(!lacks("second reader") && !lacks("in an eval set"));
    assert!(world.markdown().contains("## Read by\n\njo\n"), "{}", world.markdown());
}

#[test]
fn those_who_wait_are_told_in_time() {
    let world = World::new();
    let view = world.open("x");
    let minutes =
        |due: Option<Timestamp>| (due.unwrap().as_second() - world.ctx.clock.now().as_second()) / 60;
    assert_eq!(minutes(view.standing.update_due), 30, "SEV2 wants to hear something every half hour");
    world.later(40);
    world.done("acknowledge", "it is mine");
    assert_eq!(minutes(show(&world.ctx, "1").unwrap().standing.update_due), -10);
    let draft = draft_update(&world.ctx, "1", &Cancel::default()).unwrap();
    for words in ["Conditions: SEV2, Detect", "done: Acknowledge, and say who leads", "Next update in 30m."] {
        assert!(draft.contains(words), "{words}: {draft}");
    }
    assert!(update(&world.ctx, "1", " ".into()).unwrap_err().what.contains("empty"));
    let view = update(&world.ctx, "1", draft.into()).unwrap();
    assert_eq!((minutes(view.standing.update_due), view.updates.len()), (30, 1));
    let view = act(&world.ctx, "1", Act::Severity { severity: Severity::Sev4, note: None }, None).unwrap();
    assert_eq!(view.standing.update_due, None, "nobody waits for news of a SEV4");
    let scribe = |who: &str| act(&world.ctx, "1", Act::Scribe { who: Some(who.into()) }, None);
    assert_eq!(scribe("jo").unwrap().standing.scribe, Some("jo".into()));
    assert!(scribe("jo").is_err());
    assert_eq!(scribe("").unwrap().standing.scribe, None);
}
