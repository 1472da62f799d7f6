//! `switch` of `[features.NAME]`: how a feature is switched off and on.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::file::{Reader, kind};
use super::settings::Settings;
use crate::domain::Result;
use crate::domain::switch::{
    FlagFile, FlagFormat, Flagd, LangfuseLabel, LaunchDarkly, OfrepSpec, SwitchCommand, SwitchHttp,
    SwitchKind, SwitchSpec, Unleash,
};

/// Settings of every kind.
const COMMON: &[&str] = &["kind", "ofrep", "timeout", "settle"];

/// Each kind with its own settings.
const KINDS: &[(&str, &[&str])] = &[
    ("flag_file", &["path", "format", "pointer", "on", "off", "fallback_pointer"]),
    ("command", &["run", "read", "dry_run", "env"]),
    ("http", &["method", "url", "headers", "body", "expect", "read", "on"]),
    ("unleash", &["url", "project", "flag", "environment", "token_env"]),
    ("flagd", &["path", "flag", "on", "off", "fallbacks"]),
    ("launchdarkly", &["url", "project", "flag", "environment", "token_env"]),
    ("langfuse_label", &["url", "prompt", "label", "on", "off", "public_key_env", "secret_key_env"]),
];

const METHODS: &[&str] = &["POST", "PUT", "PATCH", "DELETE", "GET"];
const FALLBACKS: &[&str] = &["rules", "human"];
/// LaunchDarkly's own address.
const LAUNCHDARKLY: &str = "https://app.launchdarkly.com";
/// How long a request or a program may take where it is not said.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long is waited for a switch to be read back: SDKs of Unleash ask every 15 s by default.
const SETTLE: Duration = Duration::from_secs(20);

impl Reader<'_> {
    /// The switch of a feature.
    pub(super) fn switch(&self, feature: &str, value: &Spanned<DeValue<'_>>) -> Result<SwitchSpec> {
        let table = self.table(value)?;
        let kinds = || KINDS.iter().map(|(kind, _)| *kind);
        let Some((_, said)) = table.iter().find(|(key, _)| key.get_ref() == "kind") else {
            return Err(self
                .wrong(value.span(), format!("the switch of `{feature}` has no `kind`."))
                .hint(format!("There are: {}.", kinds().collect::<Vec<_>>().join(", "))));
        };
        let word = self.text(said)?;
        let Some((name, own)) = KINDS.iter().find(|(kind, _)| *kind == word) else {
            return Err(self.unknown(said.span(), &word, "kind of switch", kinds()));
        };
        let what = format!("the switch of `{feature}` of kind {name}");
        let known: Vec<&str> = COMMON.iter().chain(*own).copied().collect();
        let settings =
            Settings::new(self, what, &format!("setting of a switch of kind {name}"), &known, value)?;
        let kind = match *name {
            "flag_file" => SwitchKind::FlagFile(settings.flag_file()?),
            "command" => SwitchKind::Command(settings.switch_command()?),
            "http" => SwitchKind::Http(settings.switch_http()?),
            "unleash" => SwitchKind::Unleash(Unleash {
                url: settings.address("url")?,
                project: settings.word("project")?.unwrap_or_else(|| "default".to_owned()),
                flag: settings.needed_word("flag")?,
                environment: settings.needed_word("environment")?,
                token_env: settings.variable("token_env")?,
            }),
            "flagd" => SwitchKind::Flagd(settings.flagd()?),
            "launchdarkly" => SwitchKind::LaunchDarkly(LaunchDarkly {
                url: match settings.of.get("url") {
                    Some(_) => settings.address("url")?,
                    None => LAUNCHDARKLY.to_owned(),
                },
                project: settings.needed_word("project")?,
                flag: settings.needed_word("flag")?,
                environment: settings.needed_word("environment")?,
                token_env: settings.variable("token_env")?,
            }),
            _ => SwitchKind::LangfuseLabel(LangfuseLabel {
                url: settings.address("url")?,
                prompt: settings.needed_word("prompt")?,
                label: settings.word("label")?.unwrap_or_else(|| "production".to_owned()),
                on: settings.version("on")?,
                off: settings.version("off")?,
                public_key_env: settings.variable("public_key_env")?,
                secret_key_env: settings.variable("secret_key_env")?,
            }),
        };
        let ofrep = settings.of.get("ofrep").map(|value| self.ofrep(&settings, value)).transpose()?;
        Ok(SwitchSpec {
            kind,
            ofrep,
            timeout: settings.time("timeout")?.unwrap_or(TIMEOUT),
            settle: settings.time("settle")?.unwrap_or(SETTLE),
        })
    }

    fn ofrep(&self, of: &Settings<'_, '_, '_>, value: &Spanned<DeValue<'_>>) -> Result<OfrepSpec> {
        let known = ["url", "flag", "token_env", "on"];
        let settings = Settings::new(self, "`ofrep`".to_owned(), "setting of ofrep", &known, value)?;
        Ok(OfrepSpec {
            url: settings.address("url")?,
            flag: match (settings.word("flag")?, of.of.contains_key("flag")) {
                (Some(flag), _) => flag,
                (None, true) => of.needed_word("flag")?,
                (None, false) => settings.needed_word("flag")?,
            },
            token_env: match settings.of.contains_key("token_env") {
                true => Some(settings.variable("token_env")?),
                false => None,
            },
            on: settings.value("on")?.unwrap_or(serde_json::Value::Bool(true)),
        })
    }
}

impl Settings<'_, '_, '_> {
    fn flag_file(&self) -> Result<FlagFile> {
        let path = self.needed_text("path")?;
        let format = match self.word("format")?.as_deref() {
            Some("json") => FlagFormat::Json,
            Some("toml") => FlagFormat::Toml,
            Some("env") => FlagFormat::Env,
            Some(other) => {
                let known = ["json", "toml", "env"].into_iter();
                return Err(self.reader.unknown(self.span("format"), other, "format of a flag file", known));
            }
            None => {
                let name = path.rsplit('/').next().unwrap_or_default();
                let is = |end: &str| name.ends_with(end);
                match (is(".json"), is(".toml"), is(".env") || name.starts_with(".env")) {
                    (true, ..) => FlagFormat::Json,
                    (_, true, _) => FlagFormat::Toml,
                    (.., true) => FlagFormat::Env,
                    _ => {
                        return Err(self
                            .reader
                            .wrong(self.span("path"), "the format of this file cannot be told by its name.")
                            .hint("Say it: `format = \"json\"`, \"toml\" or \"env\"."));
                    }
                }
            }
        };
        let pointer = self.pointer("pointer", format)?.ok_or_else(|| self.missing("pointer"))?;
        let defaults = match format {
            FlagFormat::Env => (serde_json::Value::from("true"), serde_json::Value::from("false")),
            _ => (true.into(), false.into()),
        };
        let (on, off) = (self.value("on")?.unwrap_or(defaults.0), self.value("off")?.unwrap_or(defaults.1));
        if on == off {
            return Err(self
                .reader
                .wrong(self.at.clone(), "`on` and `off` are the same: nothing would change."));
        }
        Ok(FlagFile {
            path: path.into(),
            format,
            pointer,
            on,
            off,
            fallback_pointer: self.pointer("fallback_pointer", format)?,
        })
    }

    /// A JSON Pointer, or the name of a variable.
    fn pointer(&self, key: &str, format: FlagFormat) -> Result<Option<String>> {
        let Some(pointer) = self.text(key)? else { return Ok(None) };
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match format {
            FlagFormat::Env if pointer.chars().all(name) => Ok(Some(pointer)),
            FlagFormat::Env => Err(self
                .reader
                .wrong(self.span(key), format!("`{pointer}` is not the name of a variable."))
                .hint("A variable is named like this: \"SUPPORT_AI_ENABLED\".")),
            _ if pointer.starts_with('/') => Ok(Some(pointer)),
            _ => Err(self
                .reader
                .wrong(self.span(key), format!("`{pointer}` is not a JSON Pointer."))
                .hint("A JSON Pointer begins with `/`, as in \"/flags/support-ai/enabled\".")),
        }
    }

    fn switch_command(&self) -> Result<SwitchCommand> {
        let run = self.argv("run")?;
        if run.is_empty() {
            return Err(self.missing("run"));
        }
        if !run.iter().any(|word| word == "{{to}}") {
            return Err(self
                .reader
                .wrong(self.span("run"), "no argument says whether to switch on or off.")
                .hint("`{{to}}` stands for it: `run = [\"./ops/flag\", \"support-ai\", \"{{to}}\"]`."));
        }
        let mut env = Vec::new();
        for (n, name) in self.argv("env")?.into_iter().enumerate() {
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                let what = format!("entry {} is not the name of a variable.", n + 1);
                return Err(self.reader.wrong(self.span("env"), what));
            }
            env.push(name);
        }
        Ok(SwitchCommand { run, read: self.argv("read")?, dry_run: self.argv("dry_run")?, env })
    }

    /// The program and its arguments, as a list.
    fn argv(&self, key: &str) -> Result<Vec<String>> {
        let Some(value) = self.of.get(key) else { return Ok(Vec::new()) };
        let DeValue::Array(words) = value.get_ref() else {
            return Err(self
                .reader
                .wrong(value.span(), format!("a list belongs here, not {}.", kind(value.get_ref())))
                .hint(format!("No shell reads it: `{key} = [\"./ops/flag\", \"{{{{to}}}}\"]`.")));
        };
        let mut argv = Vec::new();
        for word in words {
            let text = self.reader.text(word)?;
            let stands = ["{{to}}", "{{feature}}", "{{fallback}}"];
            if text.contains("{{") && !stands.contains(&text.as_str()) {
                return Err(self
                    .reader
                    .wrong(word.span(), format!("`{text}` stands for nothing."))
                    .hint(format!("{} stand for whole arguments.", stands.join(", "))));
            }
            argv.push(text);
        }
        Ok(argv)
    }

    fn switch_http(&self) -> Result<SwitchHttp> {
        let method = self.word("method")?.unwrap_or_else(|| "POST".to_owned()).to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            return Err(self.reader.unknown(self.span("method"), &method, "method", METHODS.iter().copied()));
        }
        let mut headers = BTreeMap::new();
        if let Some(value) = self.of.get("headers") {
            for (name, value) in self.reader.table(value)? {
                let text = self.reader.text(value)?;
                let lower = name.get_ref().to_ascii_lowercase();
                let secret = ["authorization", "token", "key", "secret", "cookie"];
                if secret.iter().any(|word| lower.contains(word)) && !text.starts_with("env:") {
                    // The value is not shown: it may be the key.
                    let wrong = self.reader.wrong(value.span(), "a key does not belong in this file.");
                    return Err(
                        wrong.hint(format!("Name the variable that holds it: {lower} = \"env:NAME\"."))
                    );
                }
                headers.insert(name.get_ref().to_string(), text);
            }
        }
        let body = self.text("body")?.unwrap_or_default();
        for key in ["url", "body"] {
            let text = self.text(key)?.unwrap_or_default();
            if let Err(e) = minijinja::Environment::new().add_template("it", &text) {
                let wrong = self.reader.wrong(self.span(key), "this is not a template that can be used.");
                return Err(wrong.because(e).hint(
                    "It may use `to`, `enabled`, `feature`, `fallback`: `{\"enabled\": {{ enabled }}}`.",
                ));
            }
        }
        let mut expect = Vec::new();
        if let Some(value) = self.of.get("expect") {
            let DeValue::Array(items) = value.get_ref() else {
                return Err(self
                    .reader
                    .wrong(value.span(), "a list of statuses belongs here, as in [200, 204]."));
            };
            for item in items {
                let status = match item.get_ref() {
                    DeValue::Integer(n) => n.as_str().parse::<u16>().ok(),
                    _ => None,
                };
                expect.push(
                    status
                        .filter(|s| (100..600).contains(s))
                        .ok_or_else(|| self.reader.wrong(item.span(), "a status belongs here, as in 200."))?,
                );
            }
        }
        let read = match self.of.get("read") {
            None => None,
            Some(value) => {
                let known = ["url", "pointer"];
                let read = Settings::new(self.reader, "`read`".to_owned(), "setting of read", &known, value)?;
                let pointer =
                    read.pointer("pointer", FlagFormat::Json)?.ok_or_else(|| read.missing("pointer"))?;
                Some((read.address("url")?, pointer))
            }
        };
        Ok(SwitchHttp {
            method,
            url: self.address("url")?,
            headers,
            body,
            expect,
            read,
            on: self.value("on")?.unwrap_or(serde_json::Value::Bool(true)),
        })
    }

    fn flagd(&self) -> Result<Flagd> {
        let mut fallbacks = BTreeMap::new();
        if let Some(value) = self.of.get("fallbacks") {
            for (name, variant) in self.reader.table(value)? {
                if !FALLBACKS.contains(&name.get_ref().as_ref()) {
                    let known = FALLBACKS.iter().copied();
                    return Err(self.reader.unknown(name.span(), name.get_ref(), "fallback", known));
                }
                fallbacks.insert(name.get_ref().to_string(), self.reader.text(variant)?);
            }
        }
        let flagd = Flagd {
            path: self.needed_text("path")?.into(),
            flag: self.needed_text("flag")?,
            on: self.word("on")?.unwrap_or_else(|| "on".to_owned()),
            off: self.word("off")?.unwrap_or_else(|| "off".to_owned()),
            fallbacks,
        };
        if flagd.on == flagd.off || flagd.fallbacks.values().any(|variant| *variant == flagd.on) {
            let what = "the variant for on is also one for off: nothing would change.";
            return Err(self.reader.wrong(self.at.clone(), what));
        }
        Ok(flagd)
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::parse;
    use super::*;

    #[test]
    fn switches_of_every_kind_are_read() {
        let text = r#"
[features.a]
prompts = "prompts/a"
switch = { kind = "flag_file", path = "flags.json", pointer = "/flags/support-ai/enabled" }
[features.b.switch]
kind = "command"
run = ["./ops/flag", "{{feature}}", "{{to}}", "{{fallback}}"]
read = ["./ops/flag", "{{feature}}", "read"]
env = ["OPS_TOKEN"]
timeout = "5s"
[features.c.switch]
kind = "http"
method = "put"
url = "https://flags.example.com/{{ feature }}"
headers = { Authorization = "env:FLAGS_TOKEN", "x-team" = "support" }
body = '{"enabled": {{ enabled }}}'
expect = [200, 204]
read = { url = "https://flags.example.com/c", pointer = "/enabled" }
[features.d.switch]
kind = "unleash"
url = "https://unleash.example.com/"
flag = "support-ai"
environment = "production"
token_env = "UNLEASH_TOKEN"
ofrep = { url = "http://127.0.0.1:8016" }
[features.e.switch]
kind = "flagd"
path = "flags.flagd.json"
flag = "support-ai"
fallbacks = { human = "human" }
[features.f.switch]
kind = "launchdarkly"
project = "support"
flag = "support-ai"
environment = "production"
token_env = "LD_TOKEN"
[features.g.switch]
kind = "langfuse_label"
url = "https://cloud.langfuse.com"
prompt = "support"
on = 4
off = 3
public_key_env = "LANGFUSE_PUBLIC_KEY"
secret_key_env = "LANGFUSE_SECRET_KEY"
[features.h.switch]
kind = "flag_file"
path = ".env.production"
pointer = "SUPPORT_AI"
on = "1"
off = "0"
"#;
        let features = parse("c.toml", text).unwrap().features;
        let kinds: Vec<&str> =
            features.iter().filter_map(|of| of.switch.as_ref()).map(|of| of.kind.name()).collect();
        let all = [
            "flag_file",
            "command",
            "http",
            "unleash",
            "flagd",
            "launchdarkly",
            "langfuse_label",
            "flag_file",
        ];
        assert_eq!(kinds, all);
        assert_eq!((features[0].line, features[0].prompts.clone()), (2, Some("prompts/a".into())));
        let of = |name: &str| features.iter().find(|of| of.name == name).unwrap().switch.clone().unwrap();
        assert_eq!((of("b").timeout, of("c").timeout), (Duration::from_secs(5), TIMEOUT));
        assert_eq!(of("d").ofrep.unwrap().flag, "support-ai");
        let SwitchKind::FlagFile(file) = of("h").kind else { panic!("{:?}", of("h")) };
        assert_eq!((file.format, file.on, file.off), (FlagFormat::Env, "1".into(), "0".into()));
        let SwitchKind::Unleash(unleash) = of("d").kind else { panic!("{:?}", of("d")) };
        assert_eq!(
            (unleash.url.as_str(), unleash.project.as_str()),
            ("https://unleash.example.com", "default")
        );
    }

    #[test]
    fn what_cannot_be_is_named_by_line_and_column() {
        let file = "[features.x.switch]\nkind = 'flag_file'\npath = 'f.json'\npointer = '/a'\n";
        let unleash =
            "[features.x.switch]\nkind = 'unleash'\nurl = 'http://a'\nflag = 'f'\nenvironment = 'p'\n";
        let http = "[features.x.switch]\nkind = 'http'\nurl = 'http://a'\n";
        for (text, what, hint) in [
            (
                "[features.x]\nswtich = 1",
                "c.toml:2:1: there is no setting of a feature `swtich`.",
                "`switch`",
            ),
            ("[features.x]\nswitch = {}", "c.toml:2:10: the switch of `x` has no `kind`.", "flag_file"),
            ("[features.x.switch]\nkind = 'unleahs'", "c.toml:2:8: there is no kind of switch", "`unleash`"),
            (
                &format!("{file}ponter = 1"),
                "c.toml:5:1: there is no setting of a switch of kind flag_file",
                "",
            ),
            (&file.replace("'/a'", "'a.b'"), "c.toml:4:11: `a.b` is not a JSON Pointer.", "begins with `/`"),
            (&file.replace("f.json", "f"), "c.toml:3:8: the format of this file cannot be told", "format"),
            (&format!("{file}off = true"), "c.toml:1:1: `on` and `off` are the same", ""),
            (unleash, "c.toml:1:1: the switch of `x` of kind unleash has no `token_env`.", ""),
            (&format!("{unleash}token_env = '*:p.0123abc'"), "c.toml:6:13: the name of a variable", ""),
            (&format!("{unleash}token_env = 'T'\nsettle = '2h'"), "c.toml:7:10: `2h` is not a time", "10s"),
            (&http.replace("http://a", "a"), "c.toml:3:7: this is not an address.", ""),
            (&http.replace("http://a", "http://u:p@a"), "c.toml:3:7: a login does not belong", ""),
            (
                &format!("{http}headers = {{ Authorization = '*:p.0123abc' }}"),
                "c.toml:4:29: a key does not",
                "env:",
            ),
            (&format!("{http}body = '{{{{ to'"), "c.toml:4:8: this is not a template", ""),
            (
                "[features.x.switch]\nkind = 'command'\nrun = './a b'",
                "c.toml:3:7: a list belongs here",
                "shell",
            ),
            (
                "[features.x.switch]\nkind = 'command'\nrun = ['./a']",
                "c.toml:3:7: no argument says",
                "{{to}}",
            ),
            (
                "[features.x.switch]\nkind = 'command'\nrun = ['./a', '{{to}}', 'x{{trace}}']",
                "c.toml:3:25: `x{{trace}}` stands for nothing.",
                "{{feature}}",
            ),
        ] {
            let error = parse("c.toml", text).err().unwrap_or_else(|| panic!("{text:?} was taken"));
            assert!(error.what.starts_with(what), "{text:?}: {}", error.what);
            assert!(error.hints.join(" ").contains(hint), "{text:?}: {:?}", error.hints);
            assert!(!format!("{error:?}").contains("0123abc"), "{error:?}");
        }
    }
}
