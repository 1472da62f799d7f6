//! What may stand before the colon, in one table: the parser, its errors, help and completion use it.

/// A field of the query language.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// The canonical name; with a dot at the end, a family such as `score.NAME`.
    pub name: &'static str,
    /// Other names that are understood: those of the trace format.
    pub aliases: &'static [&'static str],
    /// What it tests, in a few words.
    pub about: &'static str,
    /// The values, where they are few.
    pub values: &'static [&'static str],
    /// One right use.
    pub example: &'static str,
}

const fn field(
    name: &'static str,
    aliases: &'static [&'static str],
    about: &'static str,
    values: &'static [&'static str],
    example: &'static str,
) -> FieldSpec {
    FieldSpec { name, aliases, about, values, example }
}

/// Every field, in the order in which help shows them.
pub const FIELDS: &[FieldSpec] = &[
    field("feature", &[], "the LLM feature", &[], "feature:customer_support"),
    field("model", &[], "the model that answered", &[], "model:gpt-4o,gpt-4o-mini"),
    field("prompt", &[], "prompt, with or without its version", &[], "prompt:customer_support@v4"),
    field("version", &["prompt_version"], "the prompt's version", &[], "version:v4"),
    field("language", &["lang"], "the language, as the source states it", &[], "language:de"),
    field("status", &[], "whether the request worked", &["ok", "error"], "status:error"),
    field(
        "error",
        &["error_kind"],
        "why it failed",
        &["timeout", "rate_limit", "content_policy", "other"],
        "error:timeout,rate_limit",
    ),
    field(
        "feedback",
        &["thumbs"],
        "what the user said",
        &["up", "down", "report", "follow_up", "any", "none"],
        "feedback:down",
    ),
    field("fallback", &[], "whether a fallback answered", &["yes", "no"], "fallback:yes"),
    field("latency", &["latency_ms"], "whole time (ms, s, m)", &[], "latency>3s"),
    field("ttft", &["ttft_ms"], "time to the first token (ms, s, m)", &[], "ttft:200ms..1s"),
    field("cost", &["cost_usd"], "cost in US dollars", &[], "cost>=$0.02"),
    field("tokens_in", &[], "tokens read", &[], "tokens_in>2000"),
    field("tokens_out", &[], "tokens written", &[], "tokens_out<5"),
    field("score.", &[], "a score by name", &[], "score.helpfulness<=3"),
    field("since", &[], "not older than", &[], "since:7d"),
    field("before", &["until"], "older than", &[], "before:2026-11-01"),
    field("time", &[], "a day or a range, both ends in (UTC)", &[], "time:2026-11-20..2026-11-23"),
    field("id", &[], "the trace's id", &[], "id:9f2c"),
    field("session", &[], "the conversation", &[], "session:s-102"),
    field("user", &[], "the end user", &[], "user:u-77"),
    field("experiment", &[], "the experiment it was in", &[], "experiment:shorter-answers"),
    field("arm", &[], "its side of the experiment", &[], "arm:B"),
    field("tag", &["tags"], "a tag", &[], "tag:vip"),
    field("metadata.", &[], "whatever else the source knew; slow", &[], "metadata.tier:gold"),
    field("input", &[], "words in the input", &[], "input:overdraft"),
    field("output", &[], "words in the output", &[], "output:\"transfer your balance\""),
    field("label", &[], "verdict of a label", &["pass", "fail", "unsure", "any", "none"], "label:fail"),
    field("judged", &[], "a person's label, else the judge's word", &["pass", "fail"], "judged:fail"),
    field("mode", &[], "failure mode of a label", &[], "mode:wrong_tone"),
    field("severity", &[], "severity of a label", &[], "severity:high"),
    field("reviewer", &[], "who labelled", &[], "reviewer:ann"),
    field("sample", &[], "a sample by name", &[], "sample:week-47"),
];

/// The field of this name or alias, whatever its case. `score.x` finds `score.`.
pub(super) fn find(name: &str) -> Option<&'static FieldSpec> {
    let lower = name.to_ascii_lowercase();
    FIELDS.iter().find(|field| {
        field.name == lower
            || field.aliases.contains(&lower.as_str())
            || (field.name.ends_with('.') && lower.starts_with(field.name))
    })
}

/// All names that a mistyped field is held against.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.name)
}
