//! `[features.NAME]`: where a feature's prompt lies, and how it is switched.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::file::Reader;
use crate::domain::Result;
use crate::domain::prompt::FeatureSpec;

const KEYS: &[&str] = &["prompts", "switch"];

impl Reader<'_> {
    /// The features, by name.
    pub(super) fn features(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<FeatureSpec>> {
        let read = |(name, value)| self.feature(name, value);
        self.table(value)?
            .iter()
            .map(|(name, value)| ((name.get_ref().to_string(), name.span()), value))
            .map(read)
            .collect()
    }

    fn feature(
        &self,
        (name, span): (String, Range<usize>),
        value: &Spanned<DeValue<'_>>,
    ) -> Result<FeatureSpec> {
        let mut feature = FeatureSpec { line: self.place(&span).0, name, prompts: None, switch: None };
        for (key, value) in self.table(value)? {
            match key.get_ref().as_ref() {
                "prompts" => feature.prompts = Some(self.text(value)?.into()),
                "switch" => feature.switch = Some(self.switch(&feature.name, value)?),
                other => {
                    return Err(self.unknown(
                        key.span(),
                        other,
                        "setting of a feature",
                        KEYS.iter().copied(),
                    ));
                }
            }
        }
        Ok(feature)
    }
}
