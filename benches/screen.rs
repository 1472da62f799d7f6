//! What a person at the screen waits for, and what the program takes: the release program in a real
//! pseudo-terminal of 80×24 over a large store.
//!
//! ```text
//! cargo bench --bench screen
//! ```
//!
//! `TUESDAY_BENCH_TRACES` says how many traces (1,000,000), `TUESDAY_BENCH_DIR` where their store is
//! (`target/bench`); it is made by `tuesday bench` when it is not there, which takes a while, and stays.
//! Each figure is held against a limit; a ratio below 1 is beyond it, and the exit code says so. Beside
//! it stands the same path without the program, in the same run: `cat` giving a key back through a
//! pseudo-terminal, and `less` paging through as many lines where it is installed. What the machine's noise
//! adds to one it adds to the other.

#![allow(clippy::print_stdout)]

// Each of the two that use it leaves out something of it.
#[path = "support/figures.rs"]
mod figures;
#[allow(dead_code)]
#[path = "../tests/e2e/pty.rs"]
mod pty;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use portable_pty::CommandBuilder;

use figures::{Figure, show};
use pty::Terminal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tuesday");
const COLS: u16 = 80;
const ROWS: u16 = 24;

/// Milliseconds from the start of the process to a frame with what the store says.
const FIRST_FRAME_MS: f64 = 50.0;
/// Milliseconds from a key to the last frame that answers it: half of a frame at 60 Hz.
const KEY_MS: f64 = 8.0;
/// Megabytes of memory, at most, ever.
const MEMORY_MB: f64 = 64.0;

/// How often the program is started.
const STARTS: usize = 20;
/// Pages that are turned at each depth.
const PAGES: usize = 200;
/// An answer is finished when nothing more has come for this long. Longer than a frame that waits for
/// its turn, shorter than the look at the store.
const QUIET: Duration = Duration::from_millis(60);

const PAGE_DOWN: &str = "\x06";
const PAGE_UP: &str = "\x02";

fn main() -> ExitCode {
    let traces: u64 = match std::env::var("TUESDAY_BENCH_TRACES") {
        Ok(text) => text.replace(['_', ','], "").parse().expect("TUESDAY_BENCH_TRACES is a number"),
        Err(_) => 1_000_000,
    };
    let folder = std::env::var_os("TUESDAY_BENCH_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench"), PathBuf::from);
    let store = filled(&folder, traces);
    let started = yard_start();
    let echo = yard_echo();
    let mut figures = first_frames(&store, started);
    figures.extend(pages(&store, echo, yard_less(&folder, traces)));
    figures.extend(memory(&store));
    show(&format!("{traces} traces, {COLS}×{ROWS}"), &figures)
}

/// The store of this many traces with its search index, made when it is not there.
fn filled(folder: &Path, traces: u64) -> PathBuf {
    let made = Command::new(PROGRAM)
        .args(["bench", "search", "--rounds", "9", "--traces", &traces.to_string(), "--dir"])
        .arg(folder)
        .stdout(std::process::Stdio::null())
        .status()
        .expect("the program starts");
    // 1: a figure of its own was missed, which is not ours to judge.
    assert!(matches!(made.code(), Some(0 | 1)), "no store was made: {made}");
    let store = folder.join(format!("bench-store-{traces}.db"));
    assert!(store.exists(), "{} was not made", store.display());
    store.canonicalize().expect("it is there")
}

/// Opens the program and waits until Health shows what the store says.
fn open(store: &Path) -> Terminal {
    let terminal = Terminal::start(store, &[], COLS, ROWS);
    terminal.wait_until("the figures", is_real);
    // Until the end of that frame has come too.
    terminal.settle();
    terminal
}

/// Whether a frame of Health says what the store says, its recent responses included.
fn is_real(screen: &str) -> bool {
    screen.contains("requests") && screen.contains("recent") && screen.contains("2026-01-30")
}

fn first_frames(store: &Path, started: f64) -> Vec<Figure> {
    let (mut first, mut real) = (Vec::new(), Vec::new());
    for _ in 0..=STARTS {
        let terminal = open(store);
        let begun = terminal.started();
        let frames = terminal.frames();
        let at = |found: Option<&(std::time::Instant, String)>| ms(found.expect("a frame").0 - begun);
        first.push(at(frames.first()));
        real.push(at(frames.iter().find(|(_, screen)| is_real(screen))));
    }
    // The first start reads the program from the disk.
    let (first, real) = (&first[1..], &real[1..]);
    let figure = |what: &str, value: f64| Figure {
        what: what.to_owned(),
        value,
        unit: "ms",
        limit: FIRST_FRAME_MS,
        without: vec![("sh prints a word", started)],
    };
    vec![
        figure("start to a first frame, median", quantile(first, 0.5)),
        figure("start to the figures of Health, median", quantile(real, 0.5)),
        figure("start to the figures of Health, 95 of 100", quantile(real, 0.95)),
    ]
}

/// Pages through the list of traces at three depths.
fn pages(store: &Path, echo: [f64; 2], less: Option<[f64; 2]>) -> Vec<Figure> {
    let terminal = open(store);
    terminal.type_and_see("gt", "newest first");
    let mut figures = Vec::new();
    let mut measure = |depth: &str, key: &str| {
        terminal.settle();
        let mut took = Vec::new();
        for _ in 0..PAGES {
            took.push(ms(terminal.time_to_frame(key, QUIET)));
        }
        for (n, (name, q)) in [("median", 0.5), ("99 of 100", 0.99)].into_iter().enumerate() {
            let mut without = vec![("cat", echo[n])];
            without.extend(less.map(|less| ("less", less[n])));
            figures.push(Figure {
                what: format!("key to the finished page {depth}, {name}"),
                value: quantile(&took, q),
                unit: "ms",
                limit: KEY_MS,
                without,
            });
        }
    };
    measure("at the top", PAGE_DOWN);
    filter(&terminal, "before:2026-01-16");
    measure("half-way", PAGE_DOWN);
    // Back to all, to the very end, and up from there.
    terminal.keys("A");
    terminal.settle();
    terminal.type_and_see("G", "2026-01-01");
    measure("near the end", PAGE_UP);
    figures
}

fn filter(terminal: &Terminal, query: &str) {
    terminal.type_and_see("/", "filter:");
    // What the last filter was stands there.
    terminal.keys(&format!("\x15{query}\r"));
    terminal.wait_until(&format!("the traces of {query}"), |screen| {
        !screen.contains("filter:") && !screen.contains("looking for traces") && screen.contains(" of ")
    });
    terminal.settle();
}

/// The most memory that the program had after a good while of looking about.
fn memory(store: &Path) -> Vec<Figure> {
    let terminal = open(store);
    terminal.type_and_see("gt", "newest first");
    let page = |keys: &str, times: usize| {
        for _ in 0..times {
            terminal.time_to_bytes(keys, Duration::from_millis(5));
        }
    };
    page(PAGE_DOWN, 300);
    let said = terminal.screen();
    let row = said.lines().nth(6).expect("a row");
    let words: Vec<&str> =
        row.split_whitespace().filter(|w| w.len() > 2 && w.chars().all(char::is_alphabetic)).collect();
    // A word, two beside each other, and a filter on figures.
    filter(&terminal, words[0]);
    page(PAGE_DOWN, 20);
    filter(&terminal, &format!("\"{} {}\"", words[0], words[1]));
    filter(&terminal, "latency>3s feedback:down");
    page(PAGE_DOWN, 100);
    terminal.keys("A");
    terminal.settle();
    terminal.type_and_see("G", "2026-01-01");
    page(PAGE_UP, 100);
    terminal.type_and_see("\r", "assistant");
    terminal.keys("\x1b");
    terminal.settle();
    terminal.type_and_see("gh", "requests");
    terminal.keys("w");
    terminal.settle();
    terminal.keys("b");
    terminal.settle();
    let status = std::fs::read_to_string(format!("/proc/{}/status", terminal.pid()));
    let Ok(status) = status else {
        println!("memory is not measured: this system has no /proc");
        return Vec::new();
    };
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("the kernel says it");
        let kilobytes: f64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
        kilobytes * 1024.0 / 1e6
    };
    vec![Figure {
        what: "memory at most, after paging, searching, Health".to_owned(),
        value: of("VmHWM:"),
        unit: "MB",
        limit: MEMORY_MB,
        without: Vec::new(),
    }]
}

/// Milliseconds until a shell, started in a terminal, has printed a word: the median.
fn yard_start() -> f64 {
    let took: Vec<f64> = (0..=STARTS)
        .map(|_| {
            let terminal = Terminal::run(shell("printf ready; read -r _"), COLS, ROWS);
            terminal.wait_for("ready");
            ms(terminal.last() - terminal.started())
        })
        .collect();
    quantile(&took[1..], 0.5)
}

/// Milliseconds until `cat` has given a key back: median and 99 of 100.
fn yard_echo() -> [f64; 2] {
    let terminal = Terminal::run(shell("stty raw -echo; printf ready; exec cat"), COLS, ROWS);
    terminal.wait_for("ready");
    terminal.settle();
    let took: Vec<f64> = (0..PAGES).map(|_| ms(terminal.time_to_bytes("x", QUIET))).collect();
    [quantile(&took, 0.5), quantile(&took, 0.99)]
}

/// Milliseconds until `less` has turned a page half-way in a file of as many lines: median and 99 of 100.
fn yard_less(folder: &Path, traces: u64) -> Option<[f64; 2]> {
    if !Command::new("less").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return None;
    }
    let path = folder.join("lines.txt");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    for n in 0..traces {
        // No two screens are alike, as in the list.
        let word = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(file, "  2026-01-30  v3  {:5} ms  {word:020} {:020}", n % 5000, word.rotate_left(32))
            .expect("written");
    }
    file.into_inner().expect("written");
    let mut command = CommandBuilder::new("less");
    command.env("TERM", "xterm-256color");
    command.cwd(folder);
    command.arg("lines.txt");
    let terminal = Terminal::run(command, COLS, ROWS);
    terminal.wait_for("lines.txt");
    terminal.keys("50p");
    terminal.settle();
    let took: Vec<f64> = (0..PAGES).map(|_| ms(terminal.time_to_bytes("f", QUIET))).collect();
    drop(terminal);
    std::fs::remove_file(path).expect("removed");
    Some([quantile(&took, 0.5), quantile(&took, 0.99)])
}

fn shell(script: &str) -> CommandBuilder {
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", script]);
    command.env("TERM", "xterm-256color");
    command
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The value that this share of the values does not exceed.
fn quantile(values: &[f64], q: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values[((values.len() as f64 * q).ceil() as usize).max(1) - 1]
}
