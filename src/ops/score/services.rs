//! What evaluators ask: embedders and judges, behind traits, so that tests answer for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::unknown;
use crate::domain::{Answer, Ask, AskError, EmbedderSpec, Error, EvalConfig, Result, Untrusted};
use crate::store::Store;
use crate::text::embedding::StaticEmbedder;
use crate::wire::embed::EmbedEndpoint;

/// The name of the embedder that is carried with the program.
pub(super) const EMBEDDED: &str = "embedded";
/// What it is, for people.
const EMBEDDED_BY: &str = "minilm-static-256 (embedded)";
/// The cosine from which the embedded one takes texts for the same: the best Youden's J over 2,002 pairs of
/// BANKING77's test set, same intent or not (finds 69 % of the same, mistakes 21 % of the different).
/// `tuesday eval calibrate` finds a team's own; long answers want a higher one.
pub(super) const EMBEDDED_THRESHOLD: f64 = 0.68;
/// That of large embedding models, where none is said.
const NAMED_THRESHOLD: f64 = 0.85;

/// Why a text has no embedding: a sentence. May quote a server; never holds a key.
pub type EmbedFailure = Untrusted;

/// Turns texts into vectors.
pub trait Embed: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &str;
    /// What it is, for people: its model, and its name behind it.
    fn by(&self) -> String;
    /// The cosine from which texts count as the same.
    fn threshold(&self) -> f64;
    /// Whether it can be asked: an error when its address or key is missing.
    fn ready(&self) -> Result<()>;
    /// Whether it knows English only.
    fn english_only(&self) -> bool;
    /// The vectors of texts, in their order; `None` for a text that has nothing it knows.
    fn embed<'a>(
        &'a self,
        texts: Vec<&'a str>,
    ) -> BoxFuture<'a, std::result::Result<Vec<Option<Vec<f32>>>, EmbedFailure>>;
}

/// Whether a question may be sent once more, after an attempt that gave no answer and may have been paid for.
pub type MayAskAgain<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// Asks a model.
pub trait AskModel: Send + Sync {
    /// What it is, for people: target and model.
    fn by(&self) -> String;
    /// Asks once; retrying for what passes is its own affair.
    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
        again: MayAskAgain<'a>,
    ) -> BoxFuture<'a, std::result::Result<Answer, AskError>>;
    /// The most that asking this costs, in US dollars; nothing where its price is not known.
    fn most_usd(&self, ask: &Ask) -> f64;
}

/// What evaluators may ask.
#[derive(Clone, Default)]
pub struct Services {
    /// Embedders; the first is the default.
    pub embedders: Vec<Arc<dyn Embed>>,
    /// Models that can judge, by the name of their target.
    pub judges: BTreeMap<String, Arc<dyn AskModel>>,
}

impl Services {
    /// The embedders of the configuration beside the embedded one, their vectors kept in the store. Judges
    /// are added by whoever knows targets.
    pub fn new(config: &EvalConfig, store: &Store) -> Self {
        let embedded: Arc<dyn Embed> =
            Arc::new(Embedded { threshold: config.similarity_threshold.unwrap_or(EMBEDDED_THRESHOLD) });
        let named = config.embedders.iter().map(|spec| {
            let asked: Arc<dyn Embed> = Arc::new(Endpoint::new(spec, store));
            asked
        });
        Self { embedders: std::iter::once(embedded).chain(named).collect(), judges: BTreeMap::new() }
    }

    /// Errors when two embedders have one name.
    pub(super) fn check(&self) -> Result<()> {
        for (at, one) in self.embedders.iter().enumerate() {
            if self.embedders[..at].iter().any(|other| other.name() == one.name()) {
                return Err(Error::usage(format!("There are two embedders `{}`.", one.name())));
            }
        }
        Ok(())
    }

    /// The embedder of this name, or the default, ready to be asked.
    pub(super) fn embedder(&self, name: Option<&str>) -> Result<Arc<dyn Embed>> {
        let found = match name {
            Some(name) => self.embedders.iter().find(|one| one.name() == name),
            None => self.embedders.first(),
        };
        let found = found.ok_or_else(|| {
            let known = self.embedders.iter().map(|one| one.name());
            unknown(
                "embedder",
                name.unwrap_or_default(),
                known,
                "Describe it as [embedders.NAME] in tuesday.toml.",
            )
        })?;
        found.ready()?;
        Ok(Arc::clone(found))
    }
}

/// The one that is carried with the program. Quicker than a cache would be, so it has none.
struct Embedded {
    threshold: f64,
}

impl Embed for Embedded {
    fn name(&self) -> &str {
        EMBEDDED
    }

    fn by(&self) -> String {
        EMBEDDED_BY.to_owned()
    }

    fn threshold(&self) -> f64 {
        self.threshold
    }

    fn ready(&self) -> Result<()> {
        StaticEmbedder::get().map(drop)
    }

    fn english_only(&self) -> bool {
        true
    }

    fn embed<'a>(
        &'a self,
        texts: Vec<&'a str>,
    ) -> BoxFuture<'a, std::result::Result<Vec<Option<Vec<f32>>>, EmbedFailure>> {
        Box::pin(async move {
            let embedder = StaticEmbedder::get().map_err(|e| Untrusted::new(e.what))?;
            Ok(texts.into_iter().map(|text| embedder.embed(text)).collect())
        })
    }
}

/// A server of embeddings, with its vectors kept in the store.
struct Endpoint {
    spec: EmbedderSpec,
    /// In the cache: another model or another server is another embedder.
    key: String,
    endpoint: Result<EmbedEndpoint>,
    store: Store,
}

impl Endpoint {
    fn new(spec: &EmbedderSpec, store: &Store) -> Self {
        Self {
            key: format!("{} {} {}", spec.name, spec.model, spec.base_url),
            endpoint: EmbedEndpoint::new(spec, |name| std::env::var(name).ok()),
            spec: spec.clone(),
            store: store.clone(),
        }
    }
}

impl Embed for Endpoint {
    fn name(&self) -> &str {
        &self.spec.name
    }

    fn by(&self) -> String {
        format!("{} ({})", self.spec.model, self.spec.name)
    }

    fn threshold(&self) -> f64 {
        self.spec.threshold.unwrap_or(NAMED_THRESHOLD)
    }

    fn ready(&self) -> Result<()> {
        self.endpoint.as_ref().map(drop).map_err(|e| {
            let error =
                Error::new(e.kind, format!("Embedder `{}` cannot be asked: {}", self.spec.name, e.what));
            e.hints.iter().fold(error, |error, hint| error.hint(hint))
        })
    }

    fn english_only(&self) -> bool {
        false
    }

    fn embed<'a>(
        &'a self,
        texts: Vec<&'a str>,
    ) -> BoxFuture<'a, std::result::Result<Vec<Option<Vec<f32>>>, EmbedFailure>> {
        Box::pin(async move {
            // What the cache cannot do is done without it: it saves money and decides nothing.
            let mut vectors =
                self.store.embeddings(&self.key, &texts).unwrap_or_else(|_| vec![None; texts.len()]);
            let missing: Vec<usize> = (0..texts.len()).filter(|at| vectors[*at].is_none()).collect();
            if missing.is_empty() {
                return Ok(vectors);
            }
            let endpoint = self.endpoint.as_ref().map_err(|e| Untrusted::new(e.what.clone()))?;
            let asked: Vec<&str> = missing.iter().map(|at| texts[*at]).collect();
            let made = endpoint.embed(&asked).await.map_err(|e| e.what)?;
            let kept: Vec<(&str, &[f32])> =
                asked.iter().copied().zip(made.iter().map(Vec::as_slice)).collect();
            let _ = self.store.keep_embeddings(&self.key, &kept);
            for (at, vector) in missing.into_iter().zip(made) {
                vectors[at] = Some(vector);
            }
            Ok(vectors)
        })
    }
}
