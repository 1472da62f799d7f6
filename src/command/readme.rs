//! The README's table of keys: the ones to know, made of the table of commands. The test below holds the
//! README to it; `RENEW=1 cargo test readme` writes it anew.

use super::table::{self, app, evals, gate, incidents, prompts, review, runs, talk, traces};
use super::{Id, Keymap};

/// What a newcomer should know, a line of the README each; the commands of a line share their places.
const TO_KNOW: &[&[Id]] = &[
    &[
        app::NEXT_TAB,
        app::GO_HEALTH,
        app::GO_TRACES,
        app::GO_REVIEW,
        app::GO_EVALS,
        app::GO_RUNS,
        app::GO_GATE,
        app::GO_PROMPTS,
        app::GO_INCIDENTS,
        app::GO_MONITORS,
    ],
    &[app::DOWN, app::UP, app::HALF_DOWN, app::HALF_UP, app::TOP, app::BOTTOM],
    &[app::LEFT, app::RIGHT, app::OPEN, app::BACK, app::FIND],
    &[app::PALETTE, app::HELP, app::QUIT],
    &[incidents::DECLARE],
    &[traces::PROMOTE, traces::ATTACH],
    &[traces::MARK, traces::REVIEW, traces::SAMPLE],
    &[talk::FOLD, talk::NEXT_FOLD, talk::PREVIOUS_FOLD, talk::NEXT_MATCH, talk::PREVIOUS_MATCH],
    &[review::PASS, review::FAIL, review::SKIP, review::UNDO],
    &[review::NOTE, review::CORRECT, review::PROMOTE],
    &[evals::RUN],
    &[runs::START, runs::BASELINE],
    &[runs::GO_ON, runs::STOP, runs::COMPARE, runs::TRUST, runs::GATE],
    &[gate::SIGN, gate::EDGE_CASES, gate::DRILL, gate::EXERCISE],
    &[gate::PASS, gate::FAIL, gate::UNSURE],
    &[runs::TRACE],
    &[prompts::DIFF, prompts::MARK, prompts::USE],
    &[talk::FOLD, talk::NEXT_FOLD, talk::FOLD_ALL, talk::NEXT_MATCH, talk::PREVIOUS_MATCH],
];

const BEGIN: &str = "<!-- keys: made of src/command/table by `RENEW=1 cargo test readme` -->\n";
const END: &str = "<!-- end of keys -->\n";

fn table() -> String {
    let keymap = Keymap::default();
    let mut out = String::from("| where | keys |\n|---|---|\n");
    for line in TO_KNOW {
        let rows: Vec<_> = line.iter().map(|id| table::all().find(|row| row.id == *id).unwrap()).collect();
        let places = rows[0].places;
        assert!(rows.iter().all(|row| row.places[0] == places[0]), "{line:?} have no place in common");
        let places: Vec<&str> = places.iter().map(|place| place.title()).collect();
        let keys: Vec<String> = rows
            .iter()
            .map(|row| format!("`{}` {}", keymap.key_text(row.id).unwrap(), lower_first(row.title)))
            .collect();
        out.push_str(&format!("| {} | {} |\n", places.join(", "), keys.join(" · ")));
    }
    out
}

fn lower_first(title: &str) -> String {
    let first = title.chars().next().map(char::to_lowercase);
    first.into_iter().flatten().chain(title.chars().skip(1)).collect()
}

#[test]
fn the_readme_shows_the_keys_in_force() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has a mark where its keys begin");
    let (shown, after) = rest.split_once(END).expect("the README has a mark where its keys end");
    let table = table();
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert!(
        shown == table,
        "README.md has other keys:\n{shown}\nRenew it with `RENEW=1 cargo test readme`:\n{table}"
    );
}
