//! Hostile text: whatever prompts, responses, ids and names hold, the bytes that reach the terminal
//! hold no control sequence that is not ours, and the layout does not shift.

use serde_json::json;

use crate::pty::Terminal;
use crate::support::{run_to, shared};

/// The control sequences that the program itself may write. Anything else is somebody else's.
fn ours(sequence: &str) -> bool {
    let Some(body) = sequence.strip_prefix("\x1b[") else {
        return ["\x1b]11;?\x1b\\", "\x1b]10;?\x1b\\", "\x1b]11;?\x07", "\x1b]10;?\x07"].contains(&sequence);
    };
    let (params, last) = body.split_at(body.len() - 1);
    match last {
        "m" | "H" | "J" | "K" | "A" | "B" | "C" | "D" | "G" | "d" => {
            params.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':')
        }
        "h" | "l" => {
            ["?25", "?1049", "?2004", "?2026", "?1000", "?1002", "?1003", "?1006", "?1015", "?1004", "?7"]
                .contains(&params)
        }
        "c" => params.is_empty(),
        "q" => params.trim_end().chars().all(|c| c.is_ascii_digit()),
        "u" => params.starts_with(['>', '<', '?', '=']),
        _ => false,
    }
}

/// Fails on the first thing in these bytes that could steer a terminal and is not ours.
fn assert_tame(bytes: &[u8], of: &str) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|e| panic!("{of}: not UTF-8 ({e})"));
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut used = c.len_utf8();
        if c == '\x1b' {
            let tail = &rest[1..];
            used = match tail.chars().next() {
                Some('[') => 2 + tail[1..].find(|c: char| ('@'..='~').contains(&c)).map_or(0, |at| at + 1),
                Some(']') => {
                    let end =
                        tail.find("\x1b\\").map(|at| at + 2).or_else(|| tail.find('\x07').map(|at| at + 1));
                    1 + end.unwrap_or(1)
                }
                _ => 2.min(rest.len()),
            };
            let sequence = &rest[..used];
            assert!(ours(sequence), "{of}: wrote {sequence:?}, which is not ours");
        } else {
            let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' | '\u{e0000}'..='\u{e007f}');
            assert!(!hidden && (!c.is_control() || matches!(c, '\r' | '\n')), "{of}: wrote {c:?}");
        }
        rest = &rest[used..];
    }
}

/// All C0 and C1 codes, sequences that steer terminals, and text that breaks widths.
fn corpus() -> Vec<String> {
    let mut strings: Vec<String> =
        (0u32..0x20).chain(0x7f..0xa0).filter_map(char::from_u32).map(|c| format!("a{c}b")).collect();
    for s in [
        "\x1b]0;owned\x07title",
        "\x1b]52;c;ZXZpbA==\x07clip",
        "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
        "\x1bP+q544e\x1b\\dcs",
        "\x1b_Gf=100;AAAA\x1b\\apc",
        "\x1b^pm\x1b\\",
        "\x1b[2J\x1b[Hcleared",
        "\x1b[?1049lgone",
        "\x1b[6n\x1b[cask",
        "\u{9b}31mred",
        "\u{9d}0;t\u{9c}",
        "\u{202e}gnp.exe\u{202c}",
        "\u{2066}iso\u{2069}",
        "zero\u{200b}width\u{feff}joined\u{2060}",
        "wide 漢字テスト ｆｕｌｌ",
        "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}zalgo",
        "👨‍👩‍👧‍👦 family 🏳️‍🌈 flag 🇩🇪 ❤️",
        "tag\u{e0041}\u{e0042}s",
        "line\u{2028}sep\u{2029}para\u{85}next",
        "tab\tand\rreturn\x0bvt\x0cff",
        "مرحبا بالعالم שלום",
        "\u{301}leading mark",
        "$(touch /pwned) `id` ; rm -rf ~ '\"\\",
        "' OR 1=1; DROP TABLE trace;--",
    ] {
        strings.push(s.to_owned());
    }
    if let Some(path) = shared("blns.json") {
        let naughty: Vec<String> =
            serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("JSON");
        strings.extend(naughty);
    }
    strings
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("t.db");
    let file = folder.path().join("hostile\u{1b}[31m\u{202e}.jsonl");
    let strings = corpus();
    let mut lines = String::new();
    let start = jiff::Timestamp::now().as_second() - 60 * strings.len() as i64;
    for (i, s) in strings.iter().enumerate() {
        let at = jiff::Timestamp::from_second(start + 60 * i as i64).expect("in range").to_string();
        let trace = json!({
            "id": format!("{i}-{s}"), "session": s, "user": s, "time": at, "feature": s, "model": s, "prompt": s, "prompt_version": s,
            "input": [{"role": "user", "content": s}, {"role": "assistant", "content": null, "tool_calls": [{"id": s, "type": "function", "function": {"name": s, "arguments": json!({s: s}).to_string()}}]}, {"role": "tool", "tool_call_id": s, "name": s, "content": s}],
            "output": format!("{s}\n\n```json\n{}\n```\n| {s} | b |\n|---|---|\n| {s} | {s} |", json!({s: s})),
            "feedback": [{"kind": "thumbs", "value": "down", "comment": s}], "tags": [s], "metadata": {s: s}, "latency_ms": 10,
        });
        lines.push_str(&trace.to_string());
        lines.push('\n');
    }
    lines.push_str("{\"input\": \"\u{9b}31m\", \"latency_ms\": \"\u{9b}31m\"}\n");
    std::fs::write(&file, lines).expect("written");

    // Every command, into a terminal.
    let path = file.to_str().expect("UTF-8");
    let ids: Vec<String> = strings.iter().enumerate().map(|(i, s)| format!("{i}-{s}")).collect();
    let on_terminal = |args: &[&str]| {
        let mut terminal = Terminal::start(&store, args, 80, 24);
        terminal.exit_code();
        terminal.wait_for_end();
        assert_tame(&terminal.bytes(), &format!("{args:?}"));
    };
    on_terminal(&["import", path]);
    for args in [
        &["trace", "list", "--limit", "1000"][..],
        &["sample", "draw", "all", "--rate", "100%"],
        &["sample", "show", "all"],
        &["sample", "show", "all", "--json"],
        &["sample", "list"],
        &["health"],
        &["incident", "open", "\u{1b}]0;owned\u{7}\u{202e}title"],
        &["incident", "note", "1", "\u{1b}[2Jnote \u{202e}"],
        &["incident", "show", "1"],
        &["incident", "show", "1", "--json"],
        &["incident", "list"],
        &["incident", "postmortem", "1"],
        &["trace", "list", "\u{1b}]0;x\u{7}nosuch:\u{202e}"],
    ] {
        on_terminal(args);
    }
    for (i, id) in ids.iter().enumerate().filter(|(_, id)| !id.contains('\0')) {
        if i % 7 == 0 {
            on_terminal(&["trace", "show", id]);
            on_terminal(&["trace", "show", id, "--json"]);
            on_terminal(&["label", id, "fail", "--mode", "1", "--note", "\u{9b}31m note \u{202e}"]);
        }
        if i % 29 == 0 {
            on_terminal(&["evals", "promote", id, "--set", "s", "--expected", "\u{1b}[2Jx"]);
        }
    }
    on_terminal(&["labels", "export", "--format", "jsonl"]);
    on_terminal(&["evals", "show", "s"]);
    on_terminal(&["evals", "export", "--set", "s"]);
    run_to(0, &store, &["doctor"]);

    // The program, paging through all of them.
    let known = hints(&store);
    for (cols, rows) in [(80, 24), (200, 50)] {
        let mut terminal = Terminal::start(&store, &["review", "all"], cols, rows);
        terminal.wait_until("the first sample", |screen| screen.contains("pass"));
        // The header is the same for all. The hint line tells what the sample allows: our own words, whole, at
        // the place where the first has them.
        let parts = |screen: &str| {
            let lines: Vec<&str> = screen.lines().collect();
            let bottom = lines.get(usize::from(rows) - 1)?;
            let (hints, last) = bottom.rsplit_once("  ")?;
            let mut told = hints.split("  ").map(str::trim).filter(|hint| !hint.is_empty());
            let tame = told.all(|hint| known.contains(hint));
            let width = bottom.chars().count();
            tame.then(|| (lines[0].to_owned(), hints.starts_with(" p pass  f fail…"), last.to_owned(), width))
        };
        // Half a frame may be on its way: what is not ours would stay.
        let frame = |terminal: &Terminal| {
            parts(&terminal.wait_until("hints of ours alone", |screen| parts(screen).is_some()))
                .expect("waited for")
        };
        // The open incident comes into the header when the incidents have been read.
        terminal.wait_for("INC-1 SEV");
        terminal.settle();
        let first = frame(&terminal);
        for n in 1..=strings.len() {
            terminal.keys("s");
            if n % 10 == 0 {
                terminal.settle();
                let now = frame(&terminal);
                assert_eq!(now, first, "the layout shifted by sample {n}:\n{}", terminal.screen());
            }
        }
        terminal.settle();
        terminal.keys("q");
        terminal.exit_code();
        terminal.wait_for_end();
        assert_tame(&terminal.bytes(), &format!("the program at {cols}×{rows}"));
    }
}

/// Every hint that can stand in the bottom line: a key and the title of its command.
fn hints(store: &std::path::Path) -> std::collections::BTreeSet<String> {
    let table = crate::support::run_json(store, &["keys", "--json"]);
    let commands = table["commands"].as_array().expect("commands");
    let hint = |command: &serde_json::Value| {
        let (title, key) = (command["title"].as_str()?, command["keys"][0].as_str()?);
        let mut letters = title.chars();
        let first = letters.next()?.to_lowercase();
        Some(format!("{key} {first}{}", letters.as_str()))
    };
    commands.iter().filter_map(hint).collect()
}
