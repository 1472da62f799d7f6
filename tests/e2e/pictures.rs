//! The README's pictures: the real program on the demo store, drawn from its pseudo-terminal.
//! Run by name: `cargo test --test e2e pictures -- --ignored`.

use std::path::Path;

use crate::picture::svg;
use crate::pty::Terminal;
use crate::support::run_to;

fn keep(terminal: &Terminal, name: &str, title: &str) {
    terminal.settle();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pictures");
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join(format!("{name}.svg")), svg(&terminal.look(), title)).expect("written");
}

#[test]
#[ignore = "writes the pictures of the README"]
fn pictures_of_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("demo.db");
    run_to(0, &store, &["demo", "--no-open"]);
    let samples = run_to(0, &store, &["sample", "list", "--json"]);
    let samples: serde_json::Value = serde_json::from_str(&samples).expect("JSON");
    let list = samples.as_array().or_else(|| samples["samples"].as_array()).expect("a list of samples");
    let week = list
        .iter()
        .filter_map(|s| s["name"].as_str())
        .find(|n| n.starts_with("week-"))
        .expect("the week's sample");

    let terminal = Terminal::start(&store, &["review", week], 130, 34);
    terminal.wait_for("pass");
    keep(&terminal, "review", "tuesday: reviewing a sample");
    drop(terminal);

    let terminal = Terminal::start(&store, &[], 130, 30);
    terminal.wait_for("satisfied");
    keep(&terminal, "health", "tuesday: health");
    terminal.keys("gt");
    terminal.settle();
    keep(&terminal, "traces", "tuesday: traces");
    terminal.keys("ge");
    terminal.settle();
    keep(&terminal, "evals", "tuesday: eval sets");
    terminal.keys("gi");
    terminal.settle();
    keep(&terminal, "incidents", "tuesday: incidents");
}
