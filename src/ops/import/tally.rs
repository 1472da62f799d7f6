//! What became of every item: counts, the reject files, and the lines that conflicts point to.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{FileView, ImportView, NotesView, RejectView, cannot_report};
use crate::domain::Result;
use crate::store::Outcome;

/// Rejects that are shown; the files hold all of them.
const SHOWN: usize = 20;
/// Runs of lines that are remembered for naming the other line of a conflict.
const MOST_RUNS: usize = 1_000_000;

/// Where an item was.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) line: u64,
    pub(super) offset: u64,
    /// Whether its file is one item a line.
    pub(super) by_line: bool,
}

/// Traces that were added one after the other from lines one after the other.
struct Run {
    seq: i64,
    at: At,
}

/// Counts while an import runs.
pub(super) struct Tally {
    view: ImportView,
    paths: Vec<PathBuf>,
    shared: bool,
    writers: Vec<Option<BufWriter<File>>>,
    runs: Vec<Run>,
    /// The `seq` that would go on the last run, and its line.
    next: (i64, u64),
}

/// A line of a reject file.
#[derive(Serialize)]
struct RejectLine<'a> {
    file: &'a str,
    line: u64,
    offset: u64,
    reason: &'a str,
    text: &'a str,
}

impl Tally {
    /// For these files, name and format; rejects go beside each or into the one file given.
    pub(super) fn new(files: Vec<(String, &'static str)>, rejects: Option<&Path>) -> Self {
        let beside = |name: &str| {
            let name = if name == "-" { "stdin" } else { name };
            PathBuf::from(format!("{name}.rejects.jsonl"))
        };
        let paths = match rejects {
            Some(path) => vec![path.to_owned()],
            None => files.iter().map(|(name, _)| beside(name)).collect(),
        };
        let views = files
            .into_iter()
            .map(|(file, format)| FileView { file, format, ..FileView::default() })
            .collect();
        Self {
            view: ImportView { files: views, ..ImportView::default() },
            writers: paths.iter().map(|_| None).collect(),
            shared: rejects.is_some(),
            paths,
            runs: Vec::new(),
            next: (0, 0),
        }
    }

    /// Counts what became of a trace. Gives the reason when it was refused.
    pub(super) fn outcome(&mut self, at: At, outcome: Outcome) -> Option<String> {
        let file = &mut self.view.files[at.file];
        match outcome {
            Outcome::Added(seq) => {
                file.added += 1;
                let goes_on =
                    self.next == (seq, at.line) && self.runs.last().is_some_and(|run| run.at.file == at.file);
                if !goes_on && self.runs.len() < MOST_RUNS {
                    self.runs.push(Run { seq, at });
                }
                self.next = (seq + 1, at.line + 1);
            }
            Outcome::Unchanged => file.unchanged += 1,
            Outcome::Updated => file.updated += 1,
            Outcome::Rewritten { refused } => {
                file.updated += 1;
                return (refused > 0).then(crate::wire::otlp::too_many);
            }
            Outcome::Conflict(seq) => return Some(self.conflict(at, seq)),
        }
        None
    }

    fn conflict(&self, at: At, seq: i64) -> String {
        let run = self.runs.partition_point(|run| run.seq <= seq).checked_sub(1).map(|n| &self.runs[n]);
        let other = match run {
            None => "the trace in the store".to_owned(),
            Some(run) => {
                let line = run.at.line + (seq - run.seq).unsigned_abs();
                let place = if at.by_line { format!("line {line}") } else { "an earlier item".to_owned() };
                if run.at.file == at.file {
                    place
                } else {
                    format!("{place} of {}", self.view.files[run.at.file].file)
                }
            }
        };
        format!("id: {other} has the same id and other content")
    }

    /// Counts and writes down an item that was not taken.
    pub(super) fn reject(&mut self, at: At, reason: String, text: &[u8]) -> Result<()> {
        let slot = if self.shared { 0 } else { at.file };
        let path = &self.paths[slot];
        let file = &mut self.view.files[at.file];
        file.rejected += 1;
        file.rejects_file = Some(path.display().to_string());
        let line = RejectLine {
            file: &file.file,
            line: at.line,
            offset: at.offset,
            reason: &reason,
            text: &String::from_utf8_lossy(text),
        };
        let failed = |e| cannot_report(path, e);
        let mut json = serde_json::to_vec(&line).map_err(|e| failed(e.into()))?;
        json.push(b'\n');
        let writer = match &mut self.writers[slot] {
            Some(writer) => writer,
            empty => empty.insert(BufWriter::new(File::create(path).map_err(failed)?)),
        };
        writer.write_all(&json).map_err(failed)?;
        if self.view.rejects.len() < SHOWN {
            let (line, offset, by_line) = (at.line, at.offset, at.by_line);
            self.view.rejects.push(RejectView { file: file.file.clone(), line, offset, reason, by_line });
        }
        Ok(())
    }

    /// Counts oddities.
    pub(super) fn notes(&mut self, notes: NotesView) {
        self.view.notes.add(notes);
    }

    /// The sums, once all reject files are whole.
    pub(super) fn finish(mut self, stopped: bool) -> Result<ImportView> {
        for (writer, path) in self.writers.iter_mut().zip(&self.paths) {
            if let Some(writer) = writer {
                writer.flush().map_err(|e| cannot_report(path, e))?;
            }
        }
        let sum = |each: fn(&FileView) -> u64| self.view.files.iter().map(each).sum();
        Ok(ImportView {
            added: sum(|f| f.added),
            unchanged: sum(|f| f.unchanged),
            updated: sum(|f| f.updated),
            rejected: sum(|f| f.rejected),
            stopped,
            ..self.view
        })
    }
}
