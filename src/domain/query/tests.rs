//! What the language reads, how it prints, and what it says of mistakes.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::{ErrorKind, FailureKind, Status};

fn parse(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|e| panic!("{}", e.render()))
}

fn canonical(text: &str) -> String {
    parse(text).to_string()
}

fn mistake(text: &str) -> String {
    Query::parse(text).expect_err(text).render()
}

fn term(text: &str) -> Term {
    match parse(text).root() {
        Node::Term(term) => term.clone(),
        other => panic!("{text} is {other:?}"),
    }
}

#[test]
fn the_documented_query_reads_as_it_says() {
    let query = parse(
        r#"feedback:down model:gpt-4o latency>3s prompt:customer_support@v4 -status:error "overdraft fee""#,
    );
    let Node::And(parts) = query.root() else { panic!() };
    assert_eq!(
        parts.as_slice(),
        [
            Node::Term(Term::Feedback(vec![FeedbackWord::Down])),
            Node::Term(Term::Name { field: NameField::Model, any: vec![Word::exact("gpt-4o")] }),
            Node::Term(Term::Number { field: NumberField::Latency, test: NumberTest::Gt(3_000_000) }),
            Node::Term(Term::Prompt(vec![PromptRef {
                name: Some(Word::exact("customer_support")),
                version: Some(Word::exact("v4"))
            }])),
            Node::Not(Box::new(Node::Term(Term::Status(vec![Status::Error])))),
            Node::Term(Term::Text { side: Side::Any, any: vec![Word::exact("overdraft fee")] }),
        ]
    );
}

#[test]
fn figures_carry_units() {
    let test = |text| match term(text) {
        Term::Number { test, .. } => test,
        other => panic!("{other:?}"),
    };
    assert_eq!(test("latency>=1.5s"), NumberTest::Ge(1_500_000));
    assert_eq!(test("latency:1s..3s"), NumberTest::Between(1_000_000, 3_000_000));
    assert_eq!(test("latency:..2m"), NumberTest::Le(120_000_000));
    assert_eq!(test("latency:>3s"), NumberTest::Gt(3_000_000));
    assert_eq!(test("ttft<250"), NumberTest::Lt(250_000));
    assert_eq!(test("cost>$0.02"), NumberTest::Gt(20_000_000));
    assert_eq!(test("cost<=0.003"), NumberTest::Le(3_000_000));
    assert_eq!(test("tokens_in=2k"), NumberTest::Eq(2_000));
    assert_eq!(term("score.helpful>0.5"), Term::Score { name: "helpful".into(), test: NumberTest::Gt(0.5) });
    assert_eq!(term("score.drift<-1"), Term::Score { name: "drift".into(), test: NumberTest::Lt(-1.0) });
}

#[test]
fn operators_group_as_written() {
    assert_eq!(canonical("a b or c d"), "a b or c d");
    assert_eq!(parse("a b or c d"), parse("(a b) | (c and d)"));
    assert_ne!(parse("a b or c d"), parse("a (b or c) d"));
    assert_eq!(canonical("a (b or (c or d))"), "a (b or c or d)");
    assert_eq!(canonical("--a -(b c) -(-d)"), "a -(b c) d");
    assert_eq!(canonical("  ((a))  "), "a");
    assert!(parse("").is_all() && parse(" \t\n").is_all());
    assert_eq!(Query::all().to_string(), "");
}

#[test]
fn quoting_makes_anything_a_word() {
    assert_eq!(
        canonical(r#""or" "-x" "a:b" "plain" "say \"hi\" \\""#),
        r#""or" "-x" "a:b" plain "say \"hi\" \\""#
    );
    assert_eq!(
        term(r#"model:"my model",other*"#),
        Term::Name {
            field: NameField::Model,
            any: vec![Word::exact("my model"), Word { text: "other".into(), prefix: true }]
        }
    );
    assert_eq!(
        term(r#"metadata."user tier":"very gold""#),
        Term::Metadata { key: "user tier".into(), any: vec![Word::exact("very gold")] }
    );
    assert_eq!(term("10:30"), Term::Text { side: Side::Any, any: vec![Word::exact("10:30")] });
    assert_eq!(
        term("over*"),
        Term::Text { side: Side::Any, any: vec![Word { text: "over".into(), prefix: true }] }
    );
    assert_eq!(
        term(r#"prompt:"a b"@v*,@v4"#),
        Term::Prompt(vec![
            PromptRef {
                name: Some(Word::exact("a b")),
                version: Some(Word { text: "v".into(), prefix: true })
            },
            PromptRef { name: None, version: Some(Word::exact("v4")) },
        ])
    );
}

#[test]
fn names_of_the_trace_format_are_understood() {
    assert_eq!(
        canonical("latency_ms>3000 prompt_version:v4 Error_Kind:RATE-LIMIT"),
        "latency>3s version:v4 error:rate_limit"
    );
    assert_eq!(
        term("error:timeout,other,timeout"),
        Term::Error(vec![FailureKind::Timeout, FailureKind::Other])
    );
}

#[test]
fn times_are_days_of_utc_and_durations_from_now() {
    let now: Timestamp = "2026-11-23T09:30:00Z".parse().unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
    let bounds = |text| match term(text) {
        Term::Time(range) => range.bounds(now),
        other => panic!("{other:?}"),
    };
    assert_eq!(bounds("since:7d"), (Some(at("2026-11-16T09:30:00Z")), None));
    assert_eq!(bounds("since:1h30m"), (Some(at("2026-11-23T08:00:00Z")), None));
    assert_eq!(bounds("before:2026-11-01"), (None, Some(at("2026-11-01T00:00:00Z"))));
    assert_eq!(
        bounds("time:2026-11-20..2026-11-23"),
        (Some(at("2026-11-20T00:00:00Z")), Some(at("2026-11-24T00:00:00Z")))
    );
    assert_eq!(
        bounds("time:yesterday"),
        (Some(at("2026-11-22T00:00:00Z")), Some(at("2026-11-23T00:00:00Z")))
    );
    assert_eq!(
        bounds("time:2026-11-20T10:00+01:00..2h"),
        (Some(at("2026-11-20T09:00:00Z")), Some(at("2026-11-23T07:30:00Z")))
    );
    assert_eq!(
        canonical("since:48h before:90m until:2026-11-20T09:30"),
        "since:2d before:90m before:2026-11-20T09:30:00Z"
    );
}

#[test]
fn a_mistake_is_shown_with_a_caret_and_what_would_have_been_right() {
    let cases = [
        ("model:gpt-4o latncy>3s", "latncy", "latency>3s"),
        ("latency>3x", "3x", "3s, 250ms or 2m"),
        ("status:broken", "broken", "ok, error"),
        ("feedback:dwon", "dwon", "Did you mean down?"),
        ("error:ratelimit", "ratelimit", "Did you mean rate_limit?"),
        ("latency:3s..1s", "3s..1s", "smaller value first"),
        ("model:", "", "model:gpt-4o"),
        ("model:a,,b", "", "For example"),
        ("prompt:a@", "a@", "customer_support@v4"),
        ("(a or b", "(", "Put a )"),
        ("a)", ")", "quotes"),
        ("\"a b", "\"a b", "Put a \""),
        ("a or", "or", "both sides"),
        ("or a", "or", "\"or\""),
        ("- a", "-", "right before"),
        ("model>a", "model", "model:gpt-4o"),
        ("id:abc*", "abc*", "whole one"),
        ("status!=error", "!", "-status:error"),
        ("time:7d", "7d", "since:7d"),
        ("since:2026-13-01", "2026-13-01", "2026-11-20"),
        ("cost>-1", "-1", "$0.02"),
        ("score.>1", "score.", "score.helpfulness"),
        ("https://example.org/x", "https", "\"https://example.org/x\""),
        ("since:99999999999999999999d", "99999999999999999999d", "7d"),
    ];
    for (text, wrong, right) in cases {
        let error = Query::parse(text).expect_err(text);
        assert_eq!(&text[error.span.clone()], wrong, "{text}: {error:?}");
        assert!(error.render().contains(right), "{text}: {}", error.render());
    }
    assert_eq!(
        mistake("model:gpt-4o latncy>3s"),
        "  model:gpt-4o latncy>3s\n               ^^^^^^ `latncy` is not a field\n  → Did you mean latency>3s? To search for the text, write \"latncy>3s\"."
    );
    let error = crate::domain::Error::from(Query::parse("latency>x").unwrap_err());
    assert_eq!((error.kind, error.exit_code()), (ErrorKind::Usage, 2));
}

#[test]
fn the_caret_stands_under_the_wrong_word_whatever_the_widths() {
    for before in ["余额 ", "e\u{301}té ", "a\u{202e}b ", "👍 ", "\u{1b}[31m "] {
        let rendered = mistake(&format!("{before}status:x"));
        let lines: Vec<&str> = rendered.lines().collect();
        let column = |line: &str, mark: &str| {
            use unicode_width::UnicodeWidthStr;
            line[..line.find(mark).unwrap()].width()
        };
        assert_eq!(column(lines[0], "x"), column(lines[1], "^"), "{rendered}");
        assert!(!rendered.contains(['\u{1b}', '\u{202e}']));
    }
}

#[test]
fn every_field_has_a_right_example() {
    for field in FIELDS {
        let query = parse(field.example);
        assert_eq!(query.terms().len(), 1, "{}", field.example);
        assert_eq!(parse(&query.to_string()), query);
        for value in field.values {
            parse(&format!("{}:{value}", field.name));
        }
        for alias in field.aliases {
            assert!(field.example.starts_with(field.name));
            assert_eq!(parse(&field.example.replacen(field.name, alias, 1)), query);
        }
    }
}

#[test]
fn deep_and_long_texts_are_refused_not_overflowed() {
    assert!(mistake(&"(".repeat(5_000)).contains("too deep"));
    assert!(mistake(&"x ".repeat(20_000)).contains("too long"));
    parse(&"-".repeat(5_000).chars().chain("x".chars()).collect::<String>());
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(" ".to_owned()),
        prop::sample::select(vec![
            "(", ")", "-", "\"", ":", ">", "<=", "=", ",", "..", "*", "@", "\\", " or ", " and ", "|", "!",
            ".",
        ])
        .prop_map(str::to_owned),
        prop::sample::select(FIELDS.iter().flat_map(|f| [f.name, f.example]).collect::<Vec<_>>())
            .prop_map(str::to_owned),
        "[a-z0-9äß余]{1,4}",
        "\\PC{0,3}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_panics_and_what_parses_prints_and_parses_back(pieces in prop::collection::vec(piece(), 0..14)) {
        let text = pieces.concat();
        match Query::parse(&text) {
            Ok(query) => {
                let printed = query.to_string();
                let again = Query::parse(&printed);
                prop_assert_eq!(again.as_ref(), Ok(&query), "{} printed as {}", text, printed);
                prop_assert_eq!(again.unwrap().to_string(), printed);
            }
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error);
                prop_assert!(!error.hint.is_empty());
                error.render();
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(text in any::<String>()) {
        let _ = Query::parse(&text).map_err(|e| e.render());
    }

    #[test]
    fn figures_print_exactly(value in 0i64..9_000_000_000_000_000, score in any::<f64>()) {
        for field in [NumberField::Latency, NumberField::Cost, NumberField::TokensIn] {
            let small = value % 100_000_000_000;
            for value in [value, small] {
                let query = Query::all().with(Term::Number { field, test: NumberTest::Gt(value) });
                prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
            }
        }
        if score.is_finite() {
            let query = Query::all().with(Term::Score { name: "s".into(), test: NumberTest::Le(score) });
            prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
        }
    }
}
