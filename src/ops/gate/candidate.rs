//! What is being looked at: the prompt, the settings of its gate, its run, and what was kept before.

use std::path::PathBuf;

use jiff::Timestamp;

use super::GateOf;
use crate::domain::gate::{Evidence, EvidenceRow, GateSpec, Item, Proof, Verdict};
use crate::domain::{CaseResult, Error, ErrorKind, EvalConfig, Result, Run, SetName, Untrusted};
use crate::ops::Ctx;
use crate::task::Cancel;
use crate::text::figures;
use crate::wire::prompts_dir::{PromptFile, read_prompt};
use crate::wire::read::gate::gate_of;

/// A candidate with all that its items look at.
pub(super) struct Candidate<'a> {
    pub ctx: &'a Ctx,
    pub config: &'a EvalConfig,
    pub cancel: &'a Cancel,
    pub feature: String,
    /// `v5`.
    pub version: String,
    /// The prompt's folder.
    pub prompt_name: String,
    pub prompt: PromptFile,
    /// Whether its file says that it is the current version.
    pub is_current: bool,
    pub spec: GateSpec,
    /// The gate file.
    pub file: Option<PathBuf>,
    /// What was kept of it, oldest first.
    pub rows: Vec<EvidenceRow>,
    pub now: Timestamp,
}

/// The run that speaks for the candidate.
pub(super) struct Found {
    pub run: Run,
    pub results: Vec<CaseResult>,
}

/// Why no run speaks for it.
#[derive(Debug, Clone)]
pub(super) struct Missing {
    pub verdict: Verdict,
    pub figure: String,
    pub words: String,
    pub next: String,
}

impl<'a> Candidate<'a> {
    /// Reads the prompt, the gate file and what was kept.
    pub fn find(ctx: &'a Ctx, config: &'a EvalConfig, of: &GateOf, cancel: &'a Cancel) -> Result<Self> {
        let feature = &of.feature;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if feature.is_empty() || feature.starts_with('.') || !feature.chars().all(plain) {
            return Err(Error::usage(format!("\"{feature}\" cannot be the name of a feature's gate."))
                .hint("Use letters, digits, `.`, `_` and `-`: the name is also a file name."));
        }
        // `current` is known by its number only once the prompt is found, and its folder may be named in the gate.
        let first = match gate_of(&config.gates_dir, feature, &of.version) {
            // A file that is about one version says nothing of the current one yet.
            Err(error) if of.version == "current" && error.kind == ErrorKind::Usage => GateSpec::default(),
            other => other?.0,
        };
        let name = first.prompt_name.unwrap_or_else(|| feature.clone());
        let prompt = read_prompt(&config.prompts_dir, &format!("{name}@{}", of.version))?;
        let version = prompt.label.rsplit('@').next().unwrap_or_default().to_owned();
        let (spec, file) = gate_of(&config.gates_dir, feature, &version)?;
        let stem = prompt.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_current = stem.split(['_', '-', '.']).any(|word| word == "current");
        let rows = ctx.store.gate_evidence(feature, &version)?;
        Ok(Self {
            ctx,
            config,
            cancel,
            feature: feature.clone(),
            version,
            prompt_name: name,
            prompt,
            is_current,
            spec,
            file,
            rows,
            now: ctx.clock.now(),
        })
    }

    /// What a command is called with: `customer_support v5`.
    pub fn words(&self) -> String {
        format!("{} {}", self.feature, self.version)
    }

    /// The gate file to write a setting into.
    pub fn gate_file(&self) -> String {
        let path = self.file.clone();
        path.unwrap_or_else(|| self.config.gates_dir.join(format!("{}.toml", self.feature)))
            .display()
            .to_string()
    }

    /// How long ago something was, in milliseconds; what lies ahead was now.
    pub fn age_ms(&self, at: Timestamp) -> u64 {
        u64::try_from(self.now.as_millisecond() - at.as_millisecond()).unwrap_or(0)
    }

    /// The newest evidence of an item that is of such a kind.
    pub fn newest(&self, item: Item, kind: fn(&Proof) -> bool) -> Option<&EvidenceRow> {
        self.rows.iter().rev().find(|row| row.item == Some(item) && kind(&row.evidence.proof))
    }

    /// Whether this is evidence of the text as it is now.
    pub fn is_of_this_text(&self, row: &EvidenceRow) -> bool {
        row.evidence.prompt_sha256 == self.prompt.sha256
    }

    /// Keeps evidence of the text as it is now.
    pub fn keep(&self, item: Option<Item>, proof: Proof) -> Result<EvidenceRow> {
        let by = Untrusted::new(self.ctx.reviewer.clone());
        let evidence = Evidence { prompt_sha256: self.prompt.sha256.clone(), by, proof };
        let of = (self.feature.as_str(), self.version.as_str());
        let id = self.ctx.store.keep_gate_evidence(of, item, &evidence, self.now)?;
        let (feature, version) = (self.feature.clone(), self.version.clone());
        Ok(EvidenceRow { id, feature, version, item, evidence, at: self.now })
    }

    /// Keeps it unless the newest of its kind says the same. Nothing where the store cannot be written.
    pub fn keep_new(&self, item: Option<Item>, proof: Proof) -> Result<Option<EvidenceRow>> {
        let kind = std::mem::discriminant(&proof);
        let newest = self
            .rows
            .iter()
            .rev()
            .find(|row| row.item == item && std::mem::discriminant(&row.evidence.proof) == kind);
        if let Some(same) = newest.filter(|row| self.is_of_this_text(row) && row.evidence.proof == proof) {
            return Ok(Some(same.clone()));
        }
        if !self.ctx.writable() {
            return Ok(None);
        }
        self.keep(item, proof).map(Some)
    }

    /// Whether a target or a run means this version by its prompt: `name@v4`, or the current one where it is that.
    fn is_named(&self, prompt: &str) -> bool {
        let current = prompt == self.prompt_name || prompt == format!("{}@current", self.prompt_name);
        prompt == self.prompt.label || self.is_current && current
    }

    /// The run that speaks for the candidate: the newest complete one of this very text, on the set as it is.
    pub fn run(&self) -> Result<std::result::Result<Found, Missing>> {
        let runs = self.ctx.store.runs()?;
        let of_text = |run: &&Run| run.head.prompt_hash.as_deref() == Some(&self.prompt.sha256);
        let names = |run: &&Run| run.head.prompt.as_ref().is_some_and(|name| self.is_named(name));
        let wanted = self.spec.eval.set.as_deref();
        let in_set = |run: &&Run| wanted.is_none_or(|set| run.head.set == set);
        let newest = runs.iter().filter(in_set).find(of_text);
        let set = newest.or_else(|| runs.iter().filter(in_set).find(names)).map(|run| run.head.set.clone());
        let set = set.or_else(|| wanted.map(str::to_owned));
        let set_name = set.as_deref().unwrap_or("SET");
        let target = self
            .config
            .targets
            .iter()
            .find(|target| target.prompt.as_ref().is_some_and(|name| self.is_named(name)));
        let again = match target {
            Some(target) => format!("tuesday eval run --set {set_name} --target {}", target.name),
            None => format!(
                "tuesday eval run --set {set_name} --target TARGET, with a target whose prompt is {}",
                self.prompt.label
            ),
        };
        let missing = |verdict, figure: &str, words: String| {
            Ok(Err(Missing { verdict, figure: figure.to_owned(), words, next: again.clone() }))
        };
        let in_this = |run: &&Run| Some(&run.head.set) == set.as_ref();
        let mut hits = runs.iter().filter(in_this).filter(of_text).peekable();
        let Some(first) = hits.peek().copied() else {
            let before = runs.iter().filter(in_this).find(names);
            let kept = self
                .rows
                .iter()
                .any(|row| matches!(row.evidence.proof, Proof::Measured(_)) && !self.is_of_this_text(row));
            return match before {
                Some(run) => missing(
                    Verdict::Stale,
                    "the prompt has changed",
                    format!("The prompt {} has changed since the run {}.", self.prompt.label, run.head.name),
                ),
                None if kept => missing(
                    Verdict::Stale,
                    "the prompt has changed",
                    format!("The prompt {} has changed since its evidence was kept.", self.prompt.label),
                ),
                None => missing(
                    Verdict::NotEnoughData,
                    "no run of this text",
                    format!("There is no run of {} as its file is now.", self.prompt.label),
                ),
            };
        };
        let Some(run) = hits.find(|run| run.done >= run.head.cases) else {
            let words =
                format!("The run {} has {} of its {} cases.", first.head.name, first.done, first.head.cases);
            return missing(Verdict::NotEnoughData, "the run is not finished", words);
        };
        if let Ok(name) = SetName::parse(&run.head.set) {
            let now = self.ctx.store.eval_set(&name)?.version;
            if now != run.head.set_version {
                let words = format!(
                    "The run {} took version {} of the set {}, which is at {now}.",
                    run.head.name, run.head.set_version, run.head.set
                );
                return missing(Verdict::Stale, "the eval set has changed", words);
            }
        }
        if self.age_ms(run.head.at) > self.spec.eval.max_age_ms {
            let words = format!(
                "The run {} is older than {}.",
                run.head.name,
                figures::duration(self.spec.eval.max_age_ms as f64)
            );
            return missing(Verdict::Stale, "the run is too old", words);
        }
        let results = self.ctx.store.run_results(&run.head.name)?;
        Ok(Ok(Found { run: run.clone(), results }))
    }
}

impl Found {
    /// The run's name.
    pub fn name(&self) -> String {
        self.run.head.name.to_string()
    }

    /// The set and its version.
    pub fn set(&self) -> (String, u64) {
        (self.run.head.set.clone(), self.run.head.set_version)
    }
}
