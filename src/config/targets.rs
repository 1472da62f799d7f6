//! `[targets.NAME]`, `[prices."MODEL"]` and `judge`.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::file::{Reader, kind};
use crate::domain::{HttpSpec, ModelSpec, Price, Result, TargetKind, TargetLimits, TargetSpec};

/// Settings that a target of any kind but `recorded` has.
const LIMITS: &[&str] =
    &["prompt", "concurrency", "requests_per_minute", "tokens_per_minute", "timeout", "attempts"];
const MODEL: &[&str] = &["base_url", "model", "temperature", "max_tokens", "api_key_env"];
const HTTP: &[&str] = &["url", "headers", "body", "answer", "api_key_env"];

/// Each kind with its own settings.
const KINDS: &[(&str, &[&str])] =
    &[("openai", MODEL), ("anthropic", MODEL), ("http", HTTP), ("command", &["command"]), ("recorded", &[])];

/// The longest time limit, in seconds: a day.
const LONGEST: u64 = 24 * 60 * 60;

/// One target while it is read.
struct Table<'r, 'v, 't> {
    reader: &'r Reader<'r>,
    name: &'v str,
    /// Where its name stands.
    span: Range<usize>,
    kind: &'static str,
    settings: BTreeMap<&'v str, &'v Spanned<DeValue<'t>>>,
}

impl Reader<'_> {
    /// `[targets.NAME]`, by name.
    pub(super) fn targets(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<TargetSpec>> {
        self.table(value)?
            .iter()
            .map(|(name, value)| self.target(name.get_ref(), name.span(), value))
            .collect()
    }

    /// The line of each `[targets.NAME]`, from 1.
    pub(super) fn target_lines(&self, value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, usize>> {
        let lines = self.table(value)?.iter();
        Ok(lines.map(|(name, _)| (name.get_ref().to_string(), self.place(&name.span()).0)).collect())
    }

    fn target(&self, name: &str, span: Range<usize>, value: &Spanned<DeValue<'_>>) -> Result<TargetSpec> {
        let table = self.table(value)?;
        let Some((_, said)) = table.iter().find(|(key, _)| key.get_ref() == "kind") else {
            let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
            return Err(self
                .wrong(span, format!("the target `{name}` has no `kind`."))
                .hint(format!("There are: {}.", kinds.join(", "))));
        };
        let word = self.text(said)?;
        let Some((kind, own)) = KINDS.iter().find(|(kind, _)| *kind == word) else {
            let kinds = KINDS.iter().map(|(kind, _)| *kind);
            return Err(self.unknown(said.span(), &word, "kind of target", kinds));
        };
        let limits = if *kind == "recorded" { &[][..] } else { LIMITS };
        let mut settings = BTreeMap::new();
        for (key, value) in table {
            let known = ["kind"].iter().chain(own.iter()).chain(limits).copied();
            if !known.clone().any(|known| known == key.get_ref()) {
                let what = format!("setting of a target of kind {kind}");
                return Err(self.unknown(key.span(), key.get_ref(), &what, known));
            }
            settings.insert(key.get_ref().as_ref(), value);
        }
        Table { reader: self, name, span, kind, settings }.read()
    }

    /// `[prices."MODEL"]`.
    pub(super) fn prices(&self, value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, Price>> {
        let mut prices = BTreeMap::new();
        for (model, value) in self.table(value)? {
            let (mut input, mut output) = (None, None);
            for (key, value) in self.table(value)? {
                let slot = match key.get_ref().as_ref() {
                    "input" => &mut input,
                    "output" => &mut output,
                    other => {
                        let known = ["input", "output"].into_iter();
                        return Err(self.unknown(key.span(), other, "part of a price", known));
                    }
                };
                *slot = Some(self.number_within(value, 0.0..=1e6)?);
            }
            let (Some(input), Some(output)) = (input, output) else {
                let missing = if input.is_none() { "input" } else { "output" };
                return Err(self
                    .wrong(model.span(), format!("the price of `{}` has no `{missing}`.", model.get_ref()))
                    .hint("Prices are in US dollars for a million tokens."));
            };
            prices.insert(model.get_ref().to_string(), Price { input, output });
        }
        Ok(prices)
    }

    /// `judge`, which names one of the targets.
    pub(super) fn judge(&self, value: &Spanned<DeValue<'_>>, targets: &[TargetSpec]) -> Result<String> {
        let name = self.text(value)?;
        match targets.iter().find(|target| target.name == name) {
            Some(target) if target.kind == TargetKind::Recorded => {
                Err(self.wrong(value.span(), format!("the target `{name}` is recorded: it cannot judge.")))
            }
            Some(_) => Ok(name),
            None => {
                let known = targets.iter().map(|target| target.name.as_str());
                let error = self.unknown(value.span(), &name, "target", known);
                Err(if targets.is_empty() {
                    self.wrong(value.span(), format!("there is no target `{name}`."))
                        .hint(format!("Describe it: [targets.{name}]."))
                } else {
                    error
                })
            }
        }
    }

    fn number_within(&self, value: &Spanned<DeValue<'_>>, range: RangeInclusive<f64>) -> Result<f64> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64)
            }
            DeValue::Float(number) => number.as_str().parse().ok(),
            other => {
                return Err(self.wrong(value.span(), format!("a number belongs here, not {}.", kind(other))));
            }
        };
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let what = format!("a number from {} to {} belongs here.", range.start(), range.end());
            self.wrong(value.span(), what)
        })
    }

    fn whole_within(&self, value: &Spanned<DeValue<'_>>, range: RangeInclusive<u32>) -> Result<u32> {
        let DeValue::Integer(number) = value.get_ref() else {
            let what = format!("a whole number belongs here, not {}.", kind(value.get_ref()));
            return Err(self.wrong(value.span(), what));
        };
        let number = u32::from_str_radix(number.as_str(), number.radix()).ok();
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let what = format!("a whole number from {} to {} belongs here.", range.start(), range.end());
            self.wrong(value.span(), what)
        })
    }
}

impl Table<'_, '_, '_> {
    fn read(&self) -> Result<TargetSpec> {
        let kind = match self.kind {
            "openai" => TargetKind::OpenAi(self.model()?),
            "anthropic" => TargetKind::Anthropic(self.model()?),
            "http" => TargetKind::Http(self.http()?),
            "command" => TargetKind::Command(self.command()?),
            _ => TargetKind::Recorded,
        };
        Ok(TargetSpec {
            name: self.name.to_owned(),
            kind,
            prompt: self.text("prompt")?,
            limits: self.limits()?,
        })
    }

    fn model(&self) -> Result<ModelSpec> {
        Ok(ModelSpec {
            base_url: self.address("base_url")?,
            model: self.needed_text("model")?,
            api_key_env: self.variable("api_key_env")?,
            temperature: match self.settings.get("temperature") {
                Some(value) => Some(self.reader.number_within(value, 0.0..=2.0)?),
                None => None,
            },
            max_tokens: self.whole("max_tokens", 1..=10_000_000)?.map(u64::from),
        })
    }

    fn http(&self) -> Result<HttpSpec> {
        let mut headers = BTreeMap::new();
        if let Some(value) = self.settings.get("headers") {
            for (name, value) in self.reader.table(value)? {
                if name.get_ref().eq_ignore_ascii_case("authorization") {
                    let wrong = self.reader.wrong(name.span(), "a key does not belong in this file.");
                    return Err(wrong.hint("Name the variable that holds it: `api_key_env = \"…\"`."));
                }
                headers.insert(name.get_ref().to_string(), self.reader.text(value)?);
            }
        }
        let (body, at) = (self.needed_text("body")?, self.needed("body")?);
        // What it makes of a case is tried when the target is connected; a slip of the pen is told here.
        if let Err(e) = minijinja::Environment::new().add_template("body", &body) {
            let wrong = self.reader.wrong(at.span(), "this is not a template that can be used.").because(e);
            return Err(wrong
                .hint("It may use `input`, `messages`, `prompt`, `id`: `{\"q\": {{ input | tojson }}}`."));
        }
        let at = self.needed("answer")?;
        // An empty pointer is the whole answer.
        let answer = match at.get_ref() {
            DeValue::String(text) if text.is_empty() => String::new(),
            _ => self.reader.text(at)?,
        };
        if !answer.is_empty() && !answer.starts_with('/') {
            let wrong = self.reader.wrong(at.span(), format!("`{answer}` is not a JSON Pointer."));
            return Err(wrong.hint("A JSON Pointer begins with `/`, as in \"/result/text\"."));
        }
        Ok(HttpSpec {
            url: self.address("url")?,
            headers,
            api_key_env: self.variable("api_key_env")?,
            body,
            answer,
        })
    }

    fn command(&self) -> Result<Vec<String>> {
        let value = self.needed("command")?;
        match value.get_ref() {
            DeValue::Array(words) if !words.is_empty() => {
                let mut argv = vec![self.reader.text(&words[0])?];
                for word in words.iter().skip(1) {
                    argv.push(match word.get_ref() {
                        DeValue::String(text) => text.to_string(),
                        _ => self.reader.text(word)?,
                    });
                }
                Ok(argv)
            }
            _ => Err(self
                .reader
                .wrong(value.span(), "the program and its arguments belong here, as a list.")
                .hint("No shell reads it: `command = [\"./answer.py\", \"--fast\"]`.")),
        }
    }

    fn limits(&self) -> Result<TargetLimits> {
        let default = TargetLimits::default();
        Ok(TargetLimits {
            concurrency: match self.whole("concurrency", 1..=1024)? {
                Some(most) => most as usize,
                None => default.concurrency,
            },
            requests_per_minute: self.whole("requests_per_minute", 1..=10_000_000)?,
            tokens_per_minute: self.whole("tokens_per_minute", 1..=u32::MAX)?,
            timeout: match self.settings.get("timeout") {
                Some(value) => self.time(value)?,
                None => default.timeout,
            },
            attempts: self.whole("attempts", 1..=100)?.unwrap_or(default.attempts),
        })
    }

    fn time(&self, value: &Spanned<DeValue<'_>>) -> Result<Duration> {
        let text = self.reader.text(value)?;
        let time = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
        time.filter(|time| !time.is_zero() && *time <= Duration::from_secs(LONGEST)).ok_or_else(|| {
            self.reader
                .wrong(value.span(), format!("`{text}` is not a time from 1ms to 24h."))
                .hint("Times are written like these: \"60s\", \"1m 30s\", \"500ms\".")
        })
    }

    fn needed(&self, key: &str) -> Result<&Spanned<DeValue<'_>>> {
        self.settings.get(key).copied().ok_or_else(|| {
            let what = format!("the target `{}` of kind {} has no `{key}`.", self.name, self.kind);
            self.reader.wrong(self.span.clone(), what)
        })
    }

    fn needed_text(&self, key: &str) -> Result<String> {
        self.reader.text(self.needed(key)?)
    }

    fn text(&self, key: &str) -> Result<Option<String>> {
        self.settings.get(key).map(|value| self.reader.text(value)).transpose()
    }

    fn whole(&self, key: &str, range: RangeInclusive<u32>) -> Result<Option<u32>> {
        self.settings.get(key).map(|value| self.reader.whole_within(value, range)).transpose()
    }

    fn address(&self, key: &str) -> Result<String> {
        let (text, at) = (self.needed_text(key)?, self.needed(key)?);
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        if host.is_empty() {
            return Err(self
                .reader
                .wrong(at.span(), "this is not an address.")
                .hint("An address looks like this: \"https://api.example.com/v1\"."));
        }
        if host.contains('@') {
            let wrong = self.reader.wrong(at.span(), "a login does not belong in an address.");
            return Err(wrong.hint("Name the variable that holds the key: `api_key_env = \"…\"`."));
        }
        Ok(text)
    }

    /// The name of a variable. A key that was put here by mistake is not shown.
    fn variable(&self, key: &str) -> Result<Option<String>> {
        let Some(name) = self.text(key)? else { return Ok(None) };
        let fine = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if fine {
            return Ok(Some(name));
        }
        Err(self
            .reader
            .wrong(self.needed(key)?.span(), "the name of a variable belongs here, not a key.")
            .hint("A name looks like this: \"CANDIDATE_KEY\"; the key itself stays in the environment."))
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;
    use super::*;

    #[test]
    fn targets_of_every_kind_are_read() {
        let text = r#"
judge = "candidate"
[targets.candidate]
kind = "openai"
base_url = "http://127.0.0.1:8080/v1"
model = "small"
temperature = 0
max_tokens = 1_000
api_key_env = "CANDIDATE_KEY"
prompt = "customer_support@v4"
concurrency = 32
requests_per_minute = 600
tokens_per_minute = 90000
timeout = "1m 30s"
attempts = 2
[targets.claude]
kind = "anthropic"
base_url = "https://api.anthropic.com"
model = "claude"
[targets.ours]
kind = "http"
url = "https://example.com/answer"
headers = { "x-team" = "support" }
body = '{"q": {{ input | tojson }}}'
answer = "/result/text"
[targets.script]
kind = "command"
command = ["./answer.py", ""]
[targets.before]
kind = "recorded"
[prices."small"]
input = 0.15
output = 1
"#;
        let config = parse("c.toml", text).unwrap().evaluation;
        let of = |name: &str| config.targets.iter().find(|target| target.name == name).unwrap();
        let candidate = of("candidate");
        let TargetKind::OpenAi(model) = &candidate.kind else { panic!("{candidate:?}") };
        assert_eq!((model.temperature, model.max_tokens), (Some(0.0), Some(1000)));
        assert_eq!(candidate.prompt.as_deref(), Some("customer_support@v4"));
        assert_eq!(
            candidate.limits,
            TargetLimits {
                concurrency: 32,
                requests_per_minute: Some(600),
                tokens_per_minute: Some(90_000),
                timeout: Duration::from_secs(90),
                attempts: 2,
            }
        );
        assert!(matches!(&of("claude").kind, TargetKind::Anthropic(model) if model.api_key_env.is_none()));
        assert!(matches!(&of("ours").kind, TargetKind::Http(http) if http.headers["x-team"] == "support"));
        assert_eq!(of("script").kind, TargetKind::Command(vec!["./answer.py".into(), String::new()]));
        assert_eq!(
            (&of("before").kind, &of("before").limits),
            (&TargetKind::Recorded, &TargetLimits::default())
        );
        assert_eq!(config.prices["small"], Price { input: 0.15, output: 1.0 });
        assert_eq!(config.judge.as_deref(), Some("candidate"));
    }

    #[test]
    fn what_cannot_be_is_named_by_line_and_column() {
        let openai = "[targets.x]\nkind = 'openai'\nbase_url = 'http://a/v1'\nmodel = 'm'\n";
        let http = "[targets.x]\nkind = 'http'\nurl = 'http://a'\nbody = '{}'\nanswer = ''\n";
        for (text, what, hint) in [
            ("[targets.x]\nmodel = 'm'", "c.toml:1:10: the target `x` has no `kind`.", "openai, anthropic"),
            ("[targets.x]\nkind = 'opnai'", "c.toml:2:8: there is no kind of target `opnai`.", "`openai`"),
            (
                "[targets.x]\nkind = 'openai'\nmodel = 'm'",
                "c.toml:1:10: the target `x` of kind openai has no `base_url`.",
                "",
            ),
            (
                &format!("{openai}modle = 'n'"),
                "c.toml:5:1: there is no setting of a target of kind openai `modle`.",
                "`model`",
            ),
            (
                &format!("{openai}url = 'n'"),
                "c.toml:5:1: there is no setting of a target of kind openai `url`.",
                "",
            ),
            (&format!("{openai}temperature = 'hot'"), "c.toml:5:15: a number belongs here, not a text.", ""),
            (&format!("{openai}temperature = 9"), "c.toml:5:15: a number from 0 to 2 belongs here.", ""),
            (
                &format!("{openai}concurrency = 0"),
                "c.toml:5:15: a whole number from 1 to 1024 belongs here.",
                "",
            ),
            (
                &format!("{openai}attempts = 1.5"),
                "c.toml:5:12: a whole number belongs here, not a number.",
                "",
            ),
            (&format!("{openai}timeout = 'soon'"), "c.toml:5:11: `soon` is not a time", "\"60s\""),
            (&format!("{openai}timeout = '-1s'"), "c.toml:5:11: `-1s` is not a time", ""),
            (&format!("{openai}timeout = 60"), "c.toml:5:11: a text belongs here, not a whole number.", ""),
            (
                &format!("{openai}api_key_env = 'sk-123'"),
                "c.toml:5:15: the name of a variable belongs here, not a key.",
                "",
            ),
            (
                "[targets.x]\nkind = 'openai'\nbase_url = 'a/v1'\nmodel = 'm'",
                "c.toml:3:12: this is not an address.",
                "https://",
            ),
            (
                "[targets.x]\nkind = 'openai'\nbase_url = 'http://a:b@c'\nmodel = 'm'",
                "c.toml:3:12: a login does not",
                "",
            ),
            (
                &http.replace("'{}'", "'{{ input'"),
                "c.toml:4:8: this is not a template that can be used.",
                "tojson",
            ),
            (&http.replace("''", "'a.b'"), "c.toml:5:10: `a.b` is not a JSON Pointer.", "begins with `/`"),
            (
                &format!("{http}headers = {{ Authorization = 'x' }}"),
                "c.toml:6:13: a key does not belong",
                "api_key_env",
            ),
            (
                "[targets.x]\nkind = 'command'\ncommand = './a b'",
                "c.toml:3:11: the program and its arguments",
                "shell",
            ),
            (
                "[targets.x]\nkind = 'recorded'\ntimeout = '1s'",
                "c.toml:3:1: there is no setting of a target of kind recorded",
                "",
            ),
            (&format!("judge = 'y'\n{openai}"), "c.toml:1:9: there is no target `y`.", "x"),
            ("judge = 'y'", "c.toml:1:9: there is no target `y`.", "[targets.y]"),
            ("[prices.m]\ninput = 1", "c.toml:1:9: the price of `m` has no `output`.", "million"),
            ("[prices.m]\ninput = -1", "c.toml:2:9: a number from 0 to 1000000", ""),
            ("[prices.m]\ninptu = 1", "c.toml:2:1: there is no part of a price `inptu`.", "`input`"),
            ("targets = 3", "c.toml:1:11: a table belongs here, not a whole number.", ""),
        ] {
            let error = parse("c.toml", text).err().unwrap_or_else(|| panic!("{text:?} was taken"));
            assert!(error.what.starts_with(what), "{text:?}: {}", error.what);
            assert!(error.hints.join(" ").contains(hint), "{text:?}: {:?}", error.hints);
            assert!(!format!("{error:?}").contains("sk-123"), "{error:?}");
        }
    }
}
