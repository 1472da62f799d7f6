use super::*;
use crate::command::table::app;

fn talk(json: serde_json::Value, cols: usize) -> Talk {
    Talk::new(&serde_json::from_value(json).unwrap(), cols)
}

fn text(talk: &Talk) -> Vec<String> {
    talk.lines.iter().map(Line::text).collect()
}

fn bank() -> serde_json::Value {
    serde_json::json!({
        "input": [
            {"role": "system", "content": "Never promise a refund."},
            {"role": "user", "content": "Why the fee?"},
            {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "get", "arguments": "{\"id\": 7}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "{\"fee\": 35}"},
        ],
        "output": "It was **€35**.",
    })
}

#[test]
fn tool_calls_fold_and_the_place_stays() {
    let mut talk = talk(bank(), 80);
    assert_eq!(
        text(&talk),
        [
            " system      ▸ 23 characters",
            "",
            " user        Why the fee?",
            "",
            "             ▸ tool get(id) → 1 field",
            "",
            " assistant   It was €35.",
        ]
    );
    assert!(talk.command(rows::FOLD, 20));
    let open = text(&talk).join("\n");
    assert!(
        open.contains("▾ tool get(id)") && open.contains("\"fee\": 35") && open.contains("▸ 23 char"),
        "{open}"
    );
    talk.command(rows::FOLD, 20);
    assert_eq!(talk.lines.len(), 7);
    talk.command(rows::FOLD_ALL, 20);
    assert!(text(&talk).join("\n").contains("Never promise a refund."));
    talk.command(app::BOTTOM, 3);
    let before = text(&talk)[talk.position().0].clone();
    talk.lay(60);
    assert_eq!(text(&talk)[talk.position().0], before);
}

#[test]
fn what_is_found_is_unfolded_and_gone_through() {
    let mut talk = talk(bank(), 80);
    assert_eq!(talk.find("fee", 3), 2);
    assert_eq!(talk.search_words().unwrap().text(), "1 of 2 \"fee\"");
    assert!(text(&talk).join("\n").contains("\"fee\": 35"), "the call is open");
    assert!(text(&talk)[0].contains('▸'), "the instructions are not");
    talk.command(rows::NEXT_MATCH, 3);
    assert_eq!(talk.search_words().unwrap().text(), "2 of 2 \"fee\"");
    talk.command(rows::NEXT_MATCH, 3);
    assert_eq!(talk.search_words().unwrap().text(), "1 of 2 \"fee\"");
    talk.command(rows::PREVIOUS_MATCH, 3);
    assert_eq!(talk.search_words().unwrap().text(), "2 of 2 \"fee\"");
    assert_eq!(talk.find("nowhere", 3), 0);
    assert!(!talk.has_matches() && talk.search_words().is_some());
    talk.find(" ", 3);
    assert!(talk.search_words().is_none());
}

#[test]
fn a_very_long_answer_is_clipped_until_it_is_unfolded() {
    let long = "word ".repeat(60_000);
    let mut talk = talk(serde_json::json!({"input": "q", "output": long}), 80);
    assert!(talk.lines.len() < CLIP_LINES + 10);
    assert!(text(&talk).last().unwrap().contains("more"));
    talk.command(app::BOTTOM, 20);
    talk.command(rows::FOLD, 20);
    assert!(talk.lines.len() > 4_000);
}

#[test]
fn narrow_panes_have_the_role_above() {
    let talk = talk(bank(), 40);
    assert_eq!(text(&talk)[2..5], ["", " user", "  Why the fee?"][..], "{:?}", text(&talk));
}
