use super::*;
use crate::ops::testing::World;
use crate::text::Role;
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;
use crate::tui::theme::Theme;

fn talk(json: serde_json::Value, cols: u16) -> Talk {
    Talk::new(&serde_json::from_value(json).unwrap(), cols)
}

fn text(talk: &Talk) -> Vec<String> {
    (0..talk.height).map(|at| talk.row(at, None).text().trim_end().to_owned()).collect()
}

fn caption(talk: &Talk, page: usize) -> String {
    let story = Story::unstarted(World::new().as_reviewer("ann"), ScreenId::FRONT, Theme::default());
    talk.caption(page, &story.model.env).text()
}

fn bank() -> serde_json::Value {
    serde_json::json!({
        "input": [
            {"role": "system", "content": "Never promise a refund."},
            {"role": "user", "content": "Why the fee?"},
            {"role": "assistant", "tool_calls": [
                {"id": "a", "function": {"name": "get", "arguments": "{\"id\": 7}"}},
                {"id": "b", "function": {"name": "list", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "{\"fee\": 35}"},
            {"role": "tool", "tool_call_id": "b", "content": "[1, 2]"},
        ],
        "output": "It was **€35**.",
    })
}

#[test]
fn tool_calls_unfold_one_by_one() {
    let mut talk = talk(bank(), 80);
    let folded = [
        " system      ▸ 4 words: Never promise a refund.",
        "",
        " user        Why the fee?",
        "",
        "             ▸ tool get(id: 7) → 1 field",
        "             ▸ tool list() → 2 items",
        "",
        " assistant   It was €35.",
    ];
    assert_eq!(text(&talk), folded);
    assert!(talk.holds(rows::FOLDABLE) && talk.command(rows::FOLD, 20));
    let open = text(&talk);
    assert_eq!(open[4], "             ▾ tool get → 1 field");
    assert!(open.contains(&"                 \"fee\": 35".to_owned()), "{open:#?}");
    assert!(open.contains(&folded[5].to_owned()), "the other one stays folded: {open:#?}");
    // The next one, and the instructions before both.
    talk.command(rows::NEXT_FOLD, 40);
    talk.command(rows::FOLD, 40);
    assert!(text(&talk).contains(&"             ▾ tool list → 2 items".to_owned()));
    for _ in 0..9 {
        talk.command(rows::PREVIOUS_FOLD, 40);
    }
    talk.command(app::OPEN, 40);
    assert_eq!(text(&talk)[..2], [" system      ▾ 4 words", "               Never promise a refund."]);
    talk.command(rows::FOLD, 40);
    assert_eq!(text(&talk)[0], folded[0]);
    talk.command(rows::FOLD_ALL, 40);
    assert!(text(&talk).join("\n").contains("▾ 4 words"));
    talk.command(rows::FOLD_ALL, 40);
    assert_eq!(text(&talk), folded);
}

#[test]
fn the_place_stays_when_the_width_changes_and_when_something_folds() {
    let mut talk = talk(bank(), 80);
    talk.command(rows::FOLD_ALL, 3);
    talk.command(app::BOTTOM, 3);
    let before = text(&talk)[talk.scroll.top].clone();
    talk.lay(60, 3);
    assert_eq!(text(&talk)[talk.scroll.top], before);
    // In the midst of a long answer its head is far above: folding goes back to it.
    let mut long = self::talk(
        serde_json::json!({"input": [
            {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "get", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "line\n\n".repeat(100)},
        ], "output": "Done."}),
        80,
    );
    long.command(rows::FOLD, 10);
    long.command(app::HALF_DOWN, 100);
    assert!(long.scroll.top > 10);
    long.command(rows::FOLD, 10);
    assert_eq!((long.scroll.top, long.height), (0, 3));
}

#[test]
fn of_several_turns_the_last_question_is_on_top() {
    let said = |role: &str, text: &str| serde_json::json!({"role": role, "content": text});
    let top = |turns: &[serde_json::Value], page: u16| {
        let mut talk = talk(serde_json::json!({"input": turns, "output": "And so it is.\n\n".repeat(9)}), 80);
        talk.lay(80, page);
        text(&talk)[talk.scroll.top].trim().to_owned()
    };
    let (first, answer, last) =
        (said("user", "Why?"), said("assistant", "Because."), said("user", "Really?"));
    assert_eq!(top(&[first.clone(), answer.clone(), last.clone()], 10), "user        Really?");
    assert_eq!(top(&[first.clone(), answer, last], 40), "user        Why?", "all of it fits");
    assert_eq!(top(&[said("system", "Be kind."), first], 10), "system      ▸ 2 words: Be kind.", "one turn");
}

#[test]
fn what_can_be_unfolded_is_reached_from_pages_without_any() {
    let call = |id: &str| serde_json::json!({"role": "assistant", "tool_calls": [{"id": id, "function": {"name": id, "arguments": "{}"}}]});
    let said = serde_json::json!({"role": "user", "content": "line\n\n".repeat(50)});
    let input = [said.clone(), call("one"), said.clone(), call("two"), said];
    let mut talk = talk(serde_json::json!({"input": input, "output": "Done."}), 80);
    let pointed = |talk: &Talk| {
        let lines: Vec<String> = text(talk).into_iter().skip(talk.scroll.top).take(10).collect();
        lines.into_iter().find(|line| line.contains("tool")).unwrap_or_default().trim().to_owned()
    };
    talk.command(app::TOP, 10);
    talk.command(rows::NEXT_FOLD, 10);
    assert_eq!(pointed(&talk), "▸ tool one() → no answer");
    talk.command(app::BOTTOM, 10);
    talk.command(rows::PREVIOUS_FOLD, 10);
    assert_eq!(pointed(&talk), "▸ tool two() → no answer");
    talk.command(rows::PREVIOUS_FOLD, 10);
    assert_eq!(pointed(&talk), "▸ tool one() → no answer");
}

#[test]
fn what_is_found_is_unfolded_and_gone_through() {
    let mut talk = talk(bank(), 80);
    assert_eq!(talk.find("fee", 3), 2);
    assert!(caption(&talk, 3).starts_with(" 1 of 2  \"fee\""), "{}", caption(&talk, 3));
    let open = text(&talk).join("\n");
    assert!(open.contains("\"fee\": 35") && open.contains("▸ tool list"), "only where it stands: {open}");
    assert!(text(&talk)[0].contains('▸'), "the instructions are not");
    for expected in [" 2 of 2 ", " 1 of 2 "] {
        talk.command(rows::NEXT_MATCH, 3);
        assert!(caption(&talk, 3).starts_with(expected), "{}", caption(&talk, 3));
    }
    talk.command(rows::PREVIOUS_MATCH, 3);
    assert!(caption(&talk, 3).starts_with(" 2 of 2 "));
    // Folding it away leaves the other place.
    talk.command(rows::FOLD, 3);
    assert!(caption(&talk, 3).starts_with(" 1 of 1 "), "{}", caption(&talk, 3));
    assert_eq!(talk.find("nowhere", 3), 0);
    assert!(!talk.holds(rows::HAS_MATCHES) && caption(&talk, 40).starts_with(" not here: \"nowhere\""));
    assert!(talk.command(app::BACK, 3) && !talk.command(app::BACK, 3), "backing out ends the search first");
    assert_eq!(caption(&talk, 40), "");
}

#[test]
fn the_present_match_looks_other_than_the_others() {
    let mut talk = talk(serde_json::json!({"input": "fee fee", "output": "fee"}), 80);
    talk.find("fee", 20);
    talk.command(rows::NEXT_MATCH, 20);
    let roles = |line: usize| -> Vec<Role> {
        let row = talk.row(line, None);
        row.spans.iter().filter(|span| span.text.as_str() == "fee").map(|span| span.style.role).collect()
    };
    assert_eq!(roles(0), [Role::Match, Role::CurrentMatch]);
    assert_eq!(roles(2), [Role::Match]);
}

#[test]
fn a_very_long_answer_is_clipped_until_it_is_unfolded() {
    let long = format!("{}needle", "word ".repeat(60_000));
    let mut talk = talk(serde_json::json!({"input": "q", "output": long}), 80);
    let lines = talk.height;
    assert!(lines < 1_000, "{lines}");
    assert_eq!(text(&talk).last().unwrap().trim(), "… 251 kB more");
    assert!(caption(&talk, 20).starts_with(" 1–20 of "), "{}", caption(&talk, 20));
    talk.command(app::BOTTOM, 20);
    let at = text(&talk)[talk.scroll.top].clone();
    talk.command(rows::FOLD, 20);
    assert!(talk.height > 4_000);
    assert_eq!(text(&talk)[talk.scroll.top], at, "one reads on");
    // Words beyond the clip are found.
    let mut talk = self::talk(serde_json::json!({"input": "q", "output": long}), 80);
    assert_eq!(talk.find("needle", 20), 1);
    assert!(talk.height > 4_000);
    // JSON is clipped by lines, and stays JSON.
    let list: Vec<_> = (0..5_000).map(|n| serde_json::json!({"n": n, "name": "x"})).collect();
    let talk =
        self::talk(serde_json::json!({"input": "q", "output": serde_json::json!(list).to_string()}), 80);
    assert!(talk.height < 1_000 && text(&talk).last().unwrap().ends_with("kB more"), "{}", talk.height);
}

/// The lines that were laid out so far and are kept.
fn laid_out(talk: &Talk) -> usize {
    let pieces = talk.laid.iter().flat_map(|laid| &laid.pieces);
    pieces.filter_map(|piece| piece.lines.as_ref()).map(Vec::len).sum()
}

/// What stands on the page.
fn page_of(talk: &Talk, page: usize) -> String {
    let rows = talk.scroll.top..(talk.scroll.top + page).min(talk.height);
    rows.map(|at| talk.row(at, None).text() + "\n").collect()
}

#[test]
fn of_five_megabytes_only_what_is_seen_is_laid_out() {
    const PAGE: u16 = 40;
    let paragraph = "The fee of the account is charged again and again for no reason at all.\n\n";
    let words = format!("{}the **needle** is here\n\n{}", paragraph.repeat(50_000), paragraph.repeat(20_000));
    let rows: Vec<_> = (0..100_000).map(|n| serde_json::json!({"row": n, "of": ["a", "b"]})).collect();
    let call = serde_json::json!({"id": "a", "function": {"name": "dump", "arguments": "{}"}});
    let trace = |output: &str| {
        serde_json::json!({"input": [
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "tool_calls": [call.clone()]},
            {"role": "tool", "tool_call_id": "a", "content": serde_json::Value::from(rows.clone())},
        ], "output": output})
    };
    let mut talk = talk(trace(&words), 80);
    talk.lay(80, PAGE);
    // What is laid out at once, and the pages that were seen; it does not grow with the text.
    const MOST: usize = 20_000;
    talk.command(rows::FOLD_ALL, 40);
    assert!(talk.height > 300_000, "all of it can be reached: {}", talk.height);
    assert!(laid_out(&talk) < MOST, "{}", laid_out(&talk));
    for id in [app::BOTTOM, app::PAGE_UP, app::HALF_UP, app::TOP, app::BOTTOM] {
        talk.command(id, 40);
        talk.lay(80, PAGE);
        let page = page_of(&talk, 40);
        assert!(page.lines().filter(|line| !line.trim().is_empty()).count() >= 19, "{id:?}: {page}");
    }
    assert!(page_of(&talk, 40).trim_end().ends_with("at all."), "the end is the end");
    talk.lay(100, PAGE);
    assert!(page_of(&talk, 40).trim_end().ends_with("at all."), "and stays it: {}", page_of(&talk, 40));
    assert!(laid_out(&talk) < MOST, "{}", laid_out(&talk));
    // What is found is on the page, however far off.
    talk.command(app::TOP, 40);
    assert_eq!(talk.find("the needle is", 40), 1);
    assert!(page_of(&talk, 40).contains("the needle is here"), "{}", page_of(&talk, 40));
    assert!(talk.find("account", 40) >= 70_000);
    for _ in 0..3 {
        talk.command(rows::PREVIOUS_MATCH, 40);
        assert!(page_of(&talk, 40).contains("account"), "{}", page_of(&talk, 40));
    }
    assert!(laid_out(&talk) < MOST, "{}", laid_out(&talk));
}

#[test]
fn narrow_panes_have_the_role_above() {
    let talk = talk(bank(), 40);
    assert_eq!(
        text(&talk)[..6],
        [" system", "  ▸ 4 words: Never promise a r…", "", " user", "  Why the fee?", ""]
    );
}

#[test]
fn a_gist_gives_way_to_the_result() {
    let fields: serde_json::Map<String, serde_json::Value> =
        (0..30).map(|n| (format!("field_{n}"), "value".into())).collect();
    let call = serde_json::json!({"id": "a", "function": {"name": "get", "arguments": fields}});
    let talk = talk(
        serde_json::json!({"input": [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "{\"x\": 1}"},
        ], "output": ""}),
        80,
    );
    let line = &text(&talk)[0];
    assert!(line.contains("tool get(field_0: value, ") && line.ends_with("… → 1 field"), "{line}");
    assert!(crate::text::width(line) <= 72, "there is room for the key: {line}");
}
