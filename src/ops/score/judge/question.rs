//! What a judge is asked: the template, filled with what is judged, and the schema of the answer.

use minijinja::{Environment, UndefinedBehavior, Value as Given, context};
use serde_json::{Value, json};

use super::{BEHAVIOUR, Criterion, Judge};
use crate::domain::{Content, Error, ExpectedKind, Result, Untrusted, nearest};
use crate::ops::score::look::Look;

/// The default template.
pub(super) const TEMPLATE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/judge.txt"));

/// What a template may name.
const VARIABLES: &[&str] = &["input", "answer", "expected", "behaviour", "criteria", "fence"];

/// Compiles a template, and refuses one that names what there is not or leaves the answer out.
pub(super) fn template(name: &str, source: String) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template_owned("judge", source).map_err(|e| {
        let line = e.line().map_or_else(String::new, |line| format!(":{line}"));
        Error::usage(format!("{name}{line} is not a template: {e}"))
    })?;
    let named =
        environment.get_template("judge").map(|it| it.undeclared_variables(false)).unwrap_or_default();
    let mut strangers: Vec<&String> = named.iter().filter(|it| !VARIABLES.contains(&it.as_str())).collect();
    strangers.sort();
    if let Some(stranger) = strangers.first() {
        let error = Error::usage(format!("{name} names `{stranger}`, which a judge is not given."));
        return Err(match nearest(stranger, VARIABLES.iter().copied()) {
            Some(near) => error.hint(format!("Did you mean `{near}`?")),
            None => error.hint(format!("There are: {}.", VARIABLES.join(", "))),
        });
    }
    if !named.contains("answer") {
        return Err(Error::usage(format!("{name} does not show the answer: it has no {{{{ answer }}}}.")));
    }
    Ok(environment)
}

/// What is asked about one answer.
pub(super) struct Question {
    pub(super) criteria: Vec<Criterion>,
    fence: String,
    input: String,
    answer: String,
    expected: Option<String>,
    behaviour: Option<String>,
}

impl Question {
    pub(super) fn new(judge: &Judge, look: &Look<'_>) -> Self {
        let expected = look.subject.expected.map(Untrusted::raw);
        let is_behaviour = look.subject.expected_kind == ExpectedKind::Behaviour;
        let of_case = expected.filter(|_| is_behaviour);
        let behaviour = match (judge.behaviour.as_deref(), of_case) {
            (Some(one), Some(other)) => Some(format!("{one}\n{other}")),
            (one, other) => one.or(other).map(str::to_owned),
        };
        let mut criteria = judge.criteria.clone();
        if behaviour.is_some() && !criteria.iter().any(|one| one.name.eq_ignore_ascii_case(BEHAVIOUR.0)) {
            criteria.push(Criterion::known(BEHAVIOUR));
        }
        let input = talk(look.subject.input);
        let mut answer = look.text.to_owned();
        for call in look.subject.output.tool_calls() {
            answer += &format!("\n[calls {} with {}]", call.function.name.raw(), call.function.arguments);
        }
        let expected = expected.filter(|_| !is_behaviour).map(str::to_owned);
        let texts = [Some(&input), Some(&answer), expected.as_ref(), behaviour.as_ref()];
        let fence = fence(texts.into_iter().flatten().map(String::as_str));
        Self { criteria, fence, input, answer, expected, behaviour }
    }

    pub(super) fn prompt(&self, template: &Environment<'_>) -> std::result::Result<String, minijinja::Error> {
        let fenced = |what: &str, text: &str| {
            let fence = &self.fence;
            format!("<data-{fence} {what}>\n{text}\n</data-{fence} {what}>")
        };
        let maybe = |what: &str, text: &Option<String>| {
            text.as_ref().map_or_else(|| Given::from(()), |text| Given::from(fenced(what, text)))
        };
        template.get_template("judge")?.render(context! {
            input => fenced("request", &self.input),
            answer => fenced("answer", &self.answer),
            expected => maybe("expected", &self.expected),
            behaviour => maybe("behaviour", &self.behaviour),
            criteria => self.criteria.iter().map(Criterion::given).collect::<Vec<_>>(),
            fence => &self.fence,
        })
    }

    /// The JSON Schema of a reply.
    pub(super) fn schema(&self) -> Value {
        let mut properties = serde_json::Map::new();
        properties.insert("explanation".into(), json!({"type": "string"}));
        for one in &self.criteria {
            properties.insert(one.name.clone(), json!({"type": "integer", "minimum": 1, "maximum": 10}));
        }
        let required: Vec<&String> = properties.keys().collect();
        json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
    }
}

/// A word that none of the texts holds and that nobody could have written into them: a hash of them all.
pub(super) fn fence<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts.clone() {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    loop {
        let fence: String = hasher.finalize().to_hex().chars().take(32).collect();
        if !texts.clone().any(|text| text.contains(&fence)) {
            return fence;
        }
        hasher.update(&[0]);
    }
}

/// A conversation as a judge reads it: who says what. The standing instructions are left out.
fn talk(content: &Content) -> String {
    let Content::Messages(messages) = content else { return content.plain_text().into_raw() };
    let lines = messages.iter().filter(|message| !message.is_instruction()).map(|message| {
        let mut line = format!("{}:", message.role.raw());
        message.each_text(&mut |text| {
            line.push(' ');
            line.push_str(text);
        });
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}
