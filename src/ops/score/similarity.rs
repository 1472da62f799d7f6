//! `similarity`: the answer means what is expected, by the cosine of embeddings.

use std::sync::Arc;

use super::look::{Finding, Look, Settings};
use super::services::{Embed, Services};
use crate::domain::Result;
use crate::text::detect_language;
use crate::text::embedding::cosine;

/// Compares with a text of the check's own, or with what the case expects.
pub(super) struct Similarity {
    value: Option<String>,
    threshold: f64,
    embedder: Arc<dyn Embed>,
}

impl Similarity {
    pub fn new(settings: Settings<'_>, services: &Services) -> Result<Self> {
        let embedder = services.embedder(settings.text("embedder"))?;
        Ok(Self {
            value: settings.text("value").map(str::to_owned),
            threshold: settings.number("threshold").unwrap_or_else(|| embedder.threshold()),
            embedder,
        })
    }

    /// What decides besides the settings.
    pub fn decider(&self) -> String {
        format!("{} {}", self.embedder.by(), self.threshold)
    }

    pub async fn decide(&self, look: &Look<'_>) -> Finding {
        let Some(expected) = self.value.as_deref().or(look.expected_output()) else {
            return Finding::error("There is no expected answer to compare with.");
        };
        let by = self.embedder.by();
        let mut finding = match self.embedder.embed(vec![look.text, expected]).await {
            Err(why) => Finding::error(format!("{by} gave no word: {}", why.raw())),
            Ok(vectors) => match vectors.as_slice() {
                [Some(answer), Some(expected)] => match cosine(answer, expected) {
                    Some(alike) => self.word(look, alike, &by),
                    None => Finding::error(format!("The vectors of {by} cannot be compared.")),
                },
                [None, _] if !look.text.trim().is_empty() => {
                    Finding::error(format!("The answer has no word that {by} knows."))
                }
                [None, _] => Finding::of(false, "The answer has no text.").scored(0.0, -1.0, 1.0),
                _ => Finding::error(format!("The expected answer has no word that {by} knows.")),
            },
        };
        finding.by = Some(by);
        finding
    }

    fn word(&self, look: &Look<'_>, alike: f64, by: &str) -> Finding {
        let pass = alike >= self.threshold;
        let word = if pass { "at least" } else { "below" };
        let mut why = format!("Likeness {alike:.3} by {by}: {word} {}.", self.threshold);
        if self.embedder.english_only()
            && let Some(language) = detect_language(look.text)
            && language.code != "en"
        {
            why += &format!(
                " It knows English only, and this text is in {}: name another embedder.",
                language.name
            );
        }
        Finding::of(pass, why).scored(alike, -1.0, 1.0)
    }
}
