//! Files of every bad kind: what is kept, what is rejected, and how it is named.
#![allow(clippy::print_stdout)]

use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::Content;
use crate::ops::Access;
use crate::task::Clock;

struct World {
    folder: tempfile::TempDir,
    ctx: Ctx,
}

/// A line of a reject file.
#[derive(Debug, PartialEq, serde::Deserialize)]
struct Reject {
    file: String,
    line: u64,
    offset: u64,
    reason: String,
    text: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed("2026-03-01T12:00:00Z".parse().unwrap());
        let ctx = Ctx::open(&folder.path().join("t.db"), Access::Create, "ann", clock).unwrap();
        Self { folder, ctx }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn import(&self, files: &[&Path]) -> ImportView {
        self.import_as(ImportSpec {
            files: files.iter().map(|path| path.display().to_string()).collect(),
            ..ImportSpec::default()
        })
    }

    fn import_as(&self, spec: ImportSpec) -> ImportView {
        files(&self.ctx, &spec, &Cancel::default(), &Progress::default()).unwrap()
    }

    fn rejects(&self, of: &Path) -> Vec<Reject> {
        let text = std::fs::read_to_string(format!("{}.rejects.jsonl", of.display())).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn line(n: usize) -> String {
    format!(r#"{{"id":"t{n}","time":"2026-02-28T10:00:00Z","input":"question {n}","output":"answer {n}"}}"#)
}

fn counts(view: &ImportView) -> (u64, u64, u64, u64) {
    (view.added, view.unchanged, view.updated, view.rejected)
}

#[test]
fn bad_lines_are_named_and_the_rest_is_kept() {
    let world = World::new();
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    let mut put = |line: &[u8]| {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    };
    put(line(1).as_bytes());
    put(b"");
    put(b"{\"input\":\"caf\xff\",\"output\":\"\"}");
    put(b"[1,2]");
    put(br#"{"id":"x","input":"q","output":"a","time":"2026-03-02T12:00:01Z"}"#);
    put(br#"{"id":"y","input":"q","output":"a","time":"2026-03-02T11:59:59Z","colour":"red"}"#);
    put(br#"{"input":"q","output":"a","cost_usd":-1}"#);
    put(br#"{"input":"q","output":"a","latency_ms":"fast"}"#);
    put(br#"{"input":"q","output":"a"#);
    put(line(2).as_bytes());
    let path = world.file("bad.jsonl", &bytes);
    let view = world.import(&[&path]);
    assert_eq!(counts(&view), (3, 0, 0, 6));
    assert_eq!((view.notes.ahead_of_clock, view.notes.unknown_fields), (1, 1));
    let rejects = world.rejects(&path);
    let named: Vec<_> = rejects.iter().map(|r| (r.line, r.reason.as_str())).collect();
    assert_eq!(
        named,
        [
            (3, "not UTF-8: byte 14 of the item is wrong"),
            (4, "expected an object, got a list"),
            (5, "time: 2026-03-02T12:00:01Z is more than a day in the future"),
            (7, "cost_usd: -1 is below 0"),
            (8, "latency_ms: expected a number, got a string"),
            (9, "not JSON: it ends too early, at column 24"),
        ]
    );
    for reject in &rejects {
        assert_eq!(reject.file, path.display().to_string());
        let at = usize::try_from(reject.offset).unwrap();
        assert!(String::from_utf8_lossy(&bytes[at..]).starts_with(&reject.text));
    }
    assert_eq!(view.rejects.len(), 6);
    assert_eq!(view.files[0].rejects_file.as_deref().unwrap(), format!("{}.rejects.jsonl", path.display()));
}

#[test]
fn the_reject_file_can_be_mended_and_imported() {
    let world = World::new();
    let path = world.file("a.jsonl", line(1).replace("\"input\"", "\"inptu\"") + "\n");
    assert_eq!(world.import(&[&path]).rejected, 1);
    let mended: String =
        world.rejects(&path).into_iter().map(|r| r.text.replace("inptu", "input") + "\n").collect();
    let path = world.file("mended.jsonl", mended);
    assert_eq!(counts(&world.import(&[&path])), (1, 0, 0, 0));
}

#[test]
fn a_fifty_megabyte_line_is_rejected_and_its_neighbours_kept() {
    let world = World::new();
    let path = world.folder.path().join("long.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    writeln!(file, "{}", line(1)).unwrap();
    write!(file, r#"{{"id":"long","input":""#).unwrap();
    for _ in 0..50 {
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    writeln!(file, r#"","output":""}}"#).unwrap();
    writeln!(file, "{}", line(2)).unwrap();
    drop(file);
    let view = world.import(&[&path]);
    assert_eq!(counts(&view), (2, 0, 0, 1));
    let reject = &world.rejects(&path)[0];
    assert_eq!((reject.line, reject.reason.as_str()), (2, "line longer than 16 MiB"));
    assert!(reject.text.len() <= 4096);
}

#[test]
fn packed_files_are_read_as_they_are() {
    let world = World::new();
    let text: String = (0..1000).map(|n| line(n) + "\n").collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let mut packed = gzip.finish().unwrap();
    // A second member, as `cat a.gz b.gz` makes.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all((line(1000) + "\n").as_bytes()).unwrap();
    packed.extend(gzip.finish().unwrap());
    let gz = world.file("whatever.name", &packed);
    assert_eq!(counts(&world.import(&[&gz])), (1001, 0, 0, 0));
    let zst = world.file("b", zstd::encode_all(text.as_bytes(), 3).unwrap());
    assert_eq!(counts(&world.import(&[&zst])), (0, 1000, 0, 0));
}

#[test]
fn of_a_cut_off_archive_what_decodes_is_kept() {
    let text: String = (0..5000).map(|n| line(n) + "\n").collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zst = zstd::encode_all(text.as_bytes(), 3).unwrap();
    for (packed, says) in [(&gzip, "the gzip data end early: the file was cut off"), (&zst, "the zstd data")]
    {
        let world = World::new();
        let path = world.file("cut", &packed[..packed.len() * 9 / 10]);
        let view = world.import(&[&path]);
        assert!(view.added > 500 && view.added < 5000, "{} kept", view.added);
        assert_eq!(view.rejected, 1);
        let reject = &world.rejects(&path)[0];
        assert!(reject.reason.starts_with(says), "{}", reject.reason);
        assert_eq!(reject.line, view.added + 1);
        let whole: usize = text.lines().take(usize::try_from(view.added).unwrap()).map(|l| l.len() + 1).sum();
        assert_eq!(reject.offset, whole as u64);
        // The rest comes with the whole file.
        let path = world.file("whole", packed);
        assert_eq!(counts(&world.import(&[&path])), (5000 - view.added, view.added, 0, 0));
    }
    let world = World::new();
    let mut damaged = gzip.clone();
    let at = damaged.len() / 2;
    damaged[at..at + 20].fill(0xff);
    let path = world.file("damaged", damaged);
    let view = world.import(&[&path]);
    assert!(view.rejected >= 1 && view.added > 0);
    assert!(world.rejects(&path).last().unwrap().reason.contains("gzip data"));
}

#[test]
fn an_id_twice_is_the_same_trace_or_a_conflict() {
    let world = World::new();
    let other = line(1).replace("answer 1", "another answer");
    let path = world.file("a.jsonl", [line(1), line(2), line(1), other.clone()].join("\n"));
    let view = world.import(&[&path]);
    assert_eq!(counts(&view), (2, 1, 0, 1));
    assert_eq!(world.rejects(&path)[0].reason, "id: line 1 has the same id and other content");
    let b = world.file("b.jsonl", [line(3), line(4)].join("\n"));
    let c = world.file("c.jsonl", [other, line(4).replace("question", "?")].join("\n"));
    let view = world.import(&[&b, &c]);
    assert_eq!(counts(&view), (2, 0, 0, 2));
    let reasons: Vec<_> = world.rejects(&c).into_iter().map(|r| r.reason).collect();
    assert_eq!(reasons[0], "id: the trace in the store has the same id and other content");
    assert_eq!(reasons[1], format!("id: line 2 of {} has the same id and other content", b.display()));
    assert_eq!((view.files[0].rejected, view.files[1].rejected), (0, 2));
}

#[test]
fn new_feedback_and_scores_update_a_trace() {
    let world = World::new();
    let path = world.file("a.jsonl", line(1));
    world.import(&[&path]);
    let more = line(1).replace('}', r#","feedback":[{"kind":"thumbs","value":"down"}],"score":{"s":1}}"#);
    let path = world.file("b.jsonl", more);
    assert_eq!(counts(&world.import(&[&path])), (0, 0, 1, 0));
    assert_eq!(counts(&world.import(&[&path])), (0, 1, 0, 0));
    let path = world.file("a.jsonl", line(1));
    assert_eq!(counts(&world.import(&[&path])), (0, 1, 0, 0));
    let trace = world.ctx.store.trace_by_id("t1").unwrap().unwrap().trace;
    assert_eq!((trace.feedback.len(), trace.score["s"]), (1, 1.0));
}

#[test]
fn a_large_import_without_indexes_finds_what_is_there() {
    let world = World::new();
    let some: String = (0..3000).map(|n| line(n * 7) + "\n").collect();
    world.import(&[&world.file("some.jsonl", some)]);
    let mut all: String = (0..60_000).map(|n| line(n) + "\n").collect();
    all += &(line(59_999) + "\n" + &line(5).replace("answer", "!") + "\n");
    let path = world.file("all.jsonl", all);
    let view = world.import(&[&path]);
    assert_eq!(counts(&view), (57_000, 3001, 0, 1));
    assert_eq!(world.rejects(&path)[0].reason, "id: line 6 has the same id and other content");
    assert_eq!(world.ctx.store.facts().unwrap().missing_indexes, Vec::<&str>::new());
    for n in [0, 7, 8, 59_999] {
        let found = world.ctx.store.trace_by_id(&format!("t{n}")).unwrap().unwrap();
        assert_eq!(found.trace.output, Content::Text(format!("answer {n}").into()));
    }
}

#[test]
fn a_stopped_import_goes_on_with_the_same_command() {
    let world = World::new();
    let all: String = (0..40_000).map(|n| line(n) + "\n").collect();
    let path = world.file("all.jsonl", all);
    let spec = ImportSpec { files: vec![path.display().to_string()], ..ImportSpec::default() };
    let mut added = 0;
    let mut stops = 0;
    loop {
        let (cancel, progress) = (Cancel::default(), Progress::default());
        let view = std::thread::scope(|threads| {
            threads.spawn(|| {
                // As soon as anything new is in the store: somewhere in the middle of the file.
                while world.ctx.store.trace_count().unwrap() <= added && progress.view().phase != "over" {
                    std::thread::yield_now();
                }
                cancel.cancel();
            });
            let view = files(&world.ctx, &spec, &cancel, &progress).unwrap();
            progress.phase("over");
            view
        });
        assert_eq!(view.added as i64 + added, world.ctx.store.trace_count().unwrap());
        added = world.ctx.store.trace_count().unwrap();
        if !view.stopped {
            assert_eq!(view.added + view.unchanged, 40_000);
            break;
        }
        stops += 1;
    }
    assert_eq!(added, 40_000);
    assert!(stops > 0);
    assert_eq!(counts(&world.import(&[&path])), (0, 40_000, 0, 0));
}

#[test]
fn a_second_importer_waits_and_can_be_told_not_to() {
    let world = World::new();
    let path = world.file("a.jsonl", line(1));
    let spec = ImportSpec { files: vec![path.display().to_string()], ..ImportSpec::default() };
    let held = world.ctx.store.lock_import().unwrap().unwrap();
    let (cancel, progress) = (Cancel::default(), Progress::default());
    std::thread::scope(|threads| {
        let second = threads.spawn(|| files(&world.ctx, &spec, &cancel, &progress));
        while progress.view().phase != "waiting for another import" {
            std::thread::yield_now();
        }
        cancel.cancel();
        assert_eq!(second.join().unwrap().unwrap_err().kind, crate::domain::ErrorKind::Cancelled);
    });
    drop(held);
    assert_eq!(world.import_as(spec).added, 1);
}

#[test]
fn a_mistake_in_the_last_name_imports_nothing() {
    let world = World::new();
    let good = world.file("good.jsonl", line(1));
    let error = |files: Vec<String>, map: &[&str], format| {
        let map = map.iter().map(|s| (*s).to_owned()).collect();
        let spec = ImportSpec { files, map, format, ..ImportSpec::default() };
        super::files(&world.ctx, &spec, &Cancel::default(), &Progress::default()).unwrap_err()
    };
    let good_name = || good.display().to_string();
    assert!(error(vec![good_name(), "nowhere.jsonl".into()], &[], None).what.contains("nowhere.jsonl"));
    assert!(
        error(vec![good_name(), world.folder.path().display().to_string()], &[], None)
            .what
            .contains("folder")
    );
    let strange = world.file("strange.jsonl", r#"{"prompt":"q","completion":"a"}"#);
    let told = error(vec![good_name(), strange.display().to_string()], &[], None);
    assert_eq!(told.exit_code(), 2);
    assert!(told.hints[0].contains("--map messages="));
    assert_eq!(error(vec![good_name()], &["messages=/m"], Some(Format::Tuesday)).exit_code(), 2);
    assert_eq!(error(vec!["-".into(), "-".into()], &[], None).exit_code(), 2);
    assert_eq!(world.ctx.store.trace_count().unwrap(), 0);
}

#[test]
fn empty_files_add_nothing() {
    let world = World::new();
    let files =
        [world.file("a", ""), world.file("b", "\n\n"), world.file("c", "[]"), world.file("d", "\u{feff}")];
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    assert_eq!(counts(&world.import(&paths)), (0, 0, 0, 0));
}

#[test]
fn names_and_texts_of_every_kind_come_back_as_they_were() {
    let Ok(text) = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/blns.json"))
    else {
        println!("skipped: the list of naughty strings is not here");
        return;
    };
    let naughty: Vec<String> = serde_json::from_str(&text).unwrap();
    let world = World::new();
    let lines: String = naughty
        .iter()
        .enumerate()
        .map(|(n, s)| {
            let value = serde_json::json!({
                "id": format!("{n} {s}"), "session": s, "user": s, "model": s, "input": s,
                "output": [{"role": "assistant", "content": s}], "tags": [s], "metadata": {s: s}, "score": {s: 1.0},
            });
            format!("{value}\n")
        })
        .collect();
    let view = world.import(&[&world.file("blns.jsonl", lines)]);
    assert_eq!((view.added, view.rejected), (naughty.len() as u64, 0));
    crate::ops::index::catch_up(&world.ctx, &Cancel::default(), &Progress::default()).unwrap();
    for (n, s) in naughty.iter().enumerate() {
        let t = world.ctx.store.trace_by_id(&format!("{n} {s}")).unwrap().unwrap().trace;
        assert_eq!(t.input, Content::Text(s.as_str().into()));
        assert_eq!(t.session.map(|u| u.into_raw()), Some(s.clone()).filter(|s| !s.is_empty()));
        assert_eq!(t.metadata[s], serde_json::Value::String(s.clone()));
    }
    assert_eq!(
        world.ctx.store.rows(&(1..=naughty.len() as i64).collect::<Vec<_>>()).unwrap().len(),
        naughty.len()
    );
}

#[test]
fn real_conversations_come_in_whole() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/tau_bench_gpt4o_airline.json"));
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return;
    }
    let world = World::new();
    let spec = ImportSpec {
        files: vec![path.display().to_string()],
        map: vec!["messages=/traj".into(), "score.reward=/reward".into(), "feedback.thumbs=/reward".into()],
        feature: Some("airline".into()),
        rejects: Some(world.folder.path().join("rejects")),
        ..ImportSpec::default()
    };
    let view = world.import_as(spec.clone());
    assert_eq!(counts(&view), (200, 0, 0, 0));
    let (mut messages, mut calls, mut solved, mut said) = (0, 0, 0, 0);
    for seq in 1..=200 {
        let trace = world.ctx.store.trace_by_seq(seq).unwrap().unwrap().trace;
        for content in [&trace.input, &trace.output] {
            let Content::Messages(talk) = content else { panic!("not a talk") };
            messages += talk.len();
            calls += talk.iter().map(|m| m.tool_calls.as_ref().map_or(0, Vec::len)).sum::<usize>();
            said += talk.iter().filter(|m| m.content.is_string()).count();
        }
        solved += usize::from(trace.score["reward"] == 1.0);
        assert!(trace.metadata.contains_key("info") && trace.metadata.contains_key("task_id"));
        assert_eq!(trace.feature.unwrap().raw(), "airline");
    }
    assert_eq!((messages, calls, solved), (5308, 1164, 84));
    assert!(said > 4000);
    assert_eq!(world.ctx.store.count_thumbs(), (84, 116));
    world.ctx.clock.advance_ms(86_400_000);
    assert_eq!(counts(&world.import_as(ImportSpec { feature: None, ..spec })), (0, 200, 0, 0));
}
