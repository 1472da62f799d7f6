//! `[fallback]`: by what an answer is found to be one, where the application does not say so.

use toml::Spanned;
use toml::de::DeValue;

use super::file::{Reader, kind};
use crate::domain::Result;
use crate::text::Fallback;

impl Reader<'_> {
    pub(super) fn fallback(&self, value: &Spanned<DeValue<'_>>) -> Result<Fallback> {
        let mut fallback = Fallback::default();
        for (key, value) in self.table(value)? {
            if key.get_ref() != "patterns" {
                let known = ["patterns"].into_iter();
                return Err(self.unknown(key.span(), key.get_ref(), "setting of fallback", known));
            }
            let DeValue::Array(list) = value.get_ref() else {
                let what = format!("a list of patterns belongs here, not {}.", kind(value.get_ref()));
                return Err(self.wrong(value.span(), what));
            };
            let mut patterns = Vec::new();
            for one in list {
                let pattern = self.text(one)?;
                // Each for itself, so that the one that is wrong is named.
                Fallback::new(&[&pattern]).map_err(|e| {
                    let wrong = self.wrong(one.span(), "this is no regular expression, or a very large one.");
                    crate::domain::Error { why: e.why, ..wrong }
                })?;
                patterns.push(pattern);
            }
            fallback = Fallback::new(&patterns)
                .map_err(|_| self.wrong(value.span(), "these patterns are too large together."))?;
        }
        Ok(fallback)
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;
    use crate::domain::Content;

    #[test]
    fn own_patterns_take_the_place_of_the_usual_ones_and_a_wrong_one_is_named() {
        let reads = |toml: &str, text: &str| {
            parse("c.toml", toml).unwrap().fallback.reads_like(&Content::Text(text.into()))
        };
        assert!(reads("", "I don't know."));
        let own = "[fallback]\npatterns = ['a colleague will', 'keine Ahnung']\n";
        assert!(reads(own, "A colleague will call you.") && reads(own, "KEINE AHNUNG"));
        assert!(!reads(own, "I don't know."));
        assert!(!reads("[fallback]\npatterns = []\n", "I don't know."), "none: by the flag alone");
        for (text, what) in [
            ("[fallback]\npatterns = ['ok', '(']\n", "c.toml:2:19: this is no regular expression"),
            ("[fallback]\npattern = ['x']\n", "c.toml:2:1: there is no setting of fallback `pattern`"),
        ] {
            let error = parse("c.toml", text).unwrap_err();
            assert!(error.what.starts_with(what), "{}", error.what);
        }
    }
}
