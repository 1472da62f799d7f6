//! Traces for measurements: deterministic, of realistic size and words, thirty days ascending.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::{Error, Result};
use crate::task::Progress;

/// Words in the vocabulary.
const VOCABULARY: usize = 50_000;
/// Entries of the table that words are drawn from: by Zipf's law the first word has a tenth of them.
const TABLE: usize = 1 << 20;
/// Sessions open at a time.
const OPEN: usize = 500;
/// The first trace's time: 2026-01-01, in milliseconds.
const BEGIN_MS: i64 = 1_767_225_600_000;
/// Thirty days.
const SPAN_MS: i64 = 30 * 86_400_000;

/// A file of traces.
#[derive(Debug, Clone)]
pub struct BenchData {
    /// The JSONL.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// How many traces it holds.
    pub traces: u64,
}

/// Makes a file of this many traces in this folder, or takes the one that is there.
pub fn make_data(folder: &Path, traces: u64, progress: &Progress) -> Result<BenchData> {
    let path = folder.join(format!("bench-{traces}.jsonl"));
    let failed = |e: std::io::Error| Error::failed(format!("Cannot write {}.", path.display())).because(e);
    if !path.exists() {
        progress.phase("making traces");
        progress.set_total(traces);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let half = path.with_extension("part");
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&half).map_err(failed)?);
        let mut maker = Maker::new();
        let mut line = String::new();
        for n in 0..traces {
            line.clear();
            maker.line(n, traces, &mut line);
            out.write_all(line.as_bytes()).map_err(failed)?;
            progress.set_done(n);
        }
        out.into_inner().map_err(|e| failed(e.into_error()))?;
        std::fs::rename(&half, &path).map_err(failed)?;
    }
    let bytes = std::fs::metadata(&path).map_err(failed)?.len();
    Ok(BenchData { path, bytes, traces })
}

struct Maker {
    rng: ChaCha8Rng,
    words: Vec<String>,
    table: Vec<u32>,
    sessions: Vec<(String, u32)>,
}

impl Maker {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let words = (0..VOCABULARY).map(|rank| word(rank, &mut rng)).collect();
        let mut table = Vec::with_capacity(TABLE);
        let weight = |rank: usize| 1.0 / (rank as f64 + 2.7);
        let sum: f64 = (0..VOCABULARY).map(weight).sum();
        let mut reached = 0.0;
        for rank in 0..VOCABULARY {
            reached += weight(rank) / sum * TABLE as f64;
            while (table.len() as f64) < reached && table.len() < TABLE {
                table.push(rank as u32);
            }
        }
        table.resize(TABLE, 0);
        let sessions = (0..OPEN).map(|_| (uuid_of(&mut rng), 0)).collect();
        Self { rng, words, table, sessions }
    }

    fn line(&mut self, n: u64, of: u64, line: &mut String) {
        use std::fmt::Write;
        let ms = BEGIN_MS + (SPAN_MS as f64 * n as f64 / of as f64) as i64;
        let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let id = uuid_of(&mut self.rng);
        let at = self.rng.random_range(0..OPEN);
        if self.rng.random_range(0..4) == 0 {
            self.sessions[at] = (uuid_of(&mut self.rng), self.rng.random_range(0..200_000));
        }
        let (session, user) = self.sessions[at].clone();
        let late = n * 4 > of * 3;
        let version = if late && self.rng.random_range(0..10) > 0 { "v4" } else { "v3" };
        let model = ["gpt-4o", "gpt-4o", "gpt-4o-mini", "claude-sonnet"][self.rng.random_range(0..4)];
        let feature = if self.rng.random_range(0..8) == 0 { "summarization" } else { "customer_support" };
        let latency = 300.0 + 600.0 * (-(1.0 - self.rng.random::<f64>()).ln()).powf(1.2);
        let (asked, answered) = (self.rng.random_range(20..80), self.rng.random_range(130..290));
        let fate = self.rng.random_range(0..1000);
        let _ = write!(
            line,
            r#"{{"id":"{id}","session":"{session}","user":"u{user}","time":"{time}","feature":"{feature}","model":"{model}","prompt":"{feature}","prompt_version":"{version}","input":""#,
        );
        self.prose(asked, line);
        line.push_str(r#"","output":""#);
        if fate >= 45 {
            self.prose(answered, line);
        }
        let _ = write!(
            line,
            r#"","latency_ms":{latency:.1},"ttft_ms":{:.1},"tokens_in":{},"tokens_out":{},"cost_usd":{:.6}"#,
            latency / 4.0,
            asked * 2 + 300,
            answered * 4 / 3,
            f64::from(answered) * 1.3e-5
        );
        if fate < 45 {
            let kind = ["timeout", "rate_limit", "content_policy"][fate % 3];
            let _ = write!(line, r#","status":"error","error_kind":"{kind}""#);
        } else if fate < 65 {
            line.push_str(r#","fallback":true"#);
        } else if fate < 112 {
            line.push_str(r#","feedback":[{"kind":"thumbs","value":"up"}]"#);
        } else if fate < 155 {
            line.push_str(r#","feedback":[{"kind":"thumbs","value":"down"}]"#);
        }
        line.push_str("}\n");
    }

    fn prose(&mut self, words: i32, line: &mut String) {
        let mut first = true;
        for n in 0..words {
            let word = &self.words[self.table[self.rng.random_range(0..TABLE)] as usize];
            if n > 0 {
                line.push(' ');
            }
            let (head, tail) = word.split_at(1);
            if first {
                line.push_str(&head.to_uppercase());
            } else {
                line.push_str(head);
            }
            line.push_str(tail);
            first = false;
            match self.rng.random_range(0..16) {
                0 => {
                    line.push('.');
                    first = true;
                }
                1 => line.push(','),
                2 if n % 40 == 7 => line.push_str("\\n\\n"),
                _ => {}
            }
        }
        line.push('.');
    }
}

/// A word of this rank: frequent ones are short, as in any language.
fn word(rank: usize, rng: &mut impl Rng) -> String {
    const ONSETS: [&str; 16] =
        ["b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "ch"];
    const RHYMES: [&str; 12] = ["a", "e", "i", "o", "u", "an", "er", "in", "on", "al", "es", "ou"];
    let syllables = match rank {
        0..60 => 1,
        60..2_000 => 2,
        2_000..15_000 => 3,
        _ => 4,
    };
    (0..syllables)
        .map(|_| [ONSETS[rng.random_range(0..16)], RHYMES[rng.random_range(0..12)]].concat())
        .collect()
}

fn uuid_of(rng: &mut impl Rng) -> String {
    uuid::Builder::from_random_bytes(rng.random()).into_uuid().to_string()
}
