//! The templates of the demo, read from `fixtures/demo` (embedded) and checked as they are read.
//! To add a question kind's topic, add it to the file of the kind; to add a language, add a file to
//! [`VOICES`].

use std::sync::OnceLock;

use serde::Deserialize;

use super::phrase::Phrase;

/// Everything that is written down about the fictional bank and its customers.
pub struct Book {
    /// What does not depend on the language.
    pub bank: Bank,
    /// English first, then the others.
    pub voices: Vec<Voice>,
    /// What long letters are made of.
    pub essay: Essay,
    /// What people send that is no question.
    pub gibberish: Gibberish,
    /// What the second feature sums up.
    pub summaries: Vec<Scenario>,
}

/// The bank.
#[derive(Deserialize)]
pub struct Bank {
    pub merchants: Vec<String>,
    pub subscriptions: Vec<String>,
    pub employers: Vec<String>,
    pub abroad: Vec<String>,
    pub colleagues: Vec<String>,
    pub devices: Vec<String>,
    pub phone: String,
    pub model: Vec<Model>,
    pub policy: Vec<Policy>,
}

/// A model, its prices and how fast it is.
#[derive(Deserialize)]
pub struct Model {
    pub name: String,
    /// US dollars for a million tokens read.
    #[serde(rename = "in")]
    pub price_in: f64,
    /// US dollars for a million tokens written.
    #[serde(rename = "out")]
    pub price_out: f64,
    /// Median milliseconds to the first token.
    pub first_ms: f64,
    /// Median milliseconds for each further token.
    pub token_ms: f64,
    /// Its share of the sessions with the support bot.
    pub share: f64,
}

/// A page of the bank's rules.
#[derive(Deserialize)]
pub struct Policy {
    pub id: String,
    pub title: String,
    pub text: String,
}

/// A language: how it writes figures, its people, and what is said in it.
#[derive(Deserialize)]
pub struct Voice {
    pub code: String,
    pub locales: Vec<String>,
    /// Weight among the languages other than English.
    pub share: f64,
    pub format: Format,
    pub names: Names,
    pub common: Common,
    #[serde(default)]
    pub topic: Vec<Topic>,
}

/// How a language writes money and dates.
#[derive(Deserialize)]
pub struct Format {
    /// `%n` is the number.
    pub money: String,
    pub decimal: String,
    pub thousands: String,
    /// `%d` is the day, `%m` the month.
    pub date: String,
    pub months: Vec<String>,
    pub weekdays: Vec<String>,
}

/// Names of people and places.
#[derive(Deserialize)]
pub struct Names {
    pub first: Vec<String>,
    pub last: Vec<String>,
    pub cities: Vec<String>,
}

/// What is said whatever the topic.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    #[serde(default)]
    pub greet: Vec<Phrase>,
    #[serde(default)]
    pub opener: Vec<Phrase>,
    #[serde(default)]
    pub closer: Vec<Phrase>,
    #[serde(default)]
    pub v4_open: Vec<Phrase>,
    #[serde(default)]
    pub v4_close: Vec<Phrase>,
    #[serde(default)]
    pub tone_open: Vec<Phrase>,
    #[serde(default)]
    pub tone_close: Vec<Phrase>,
    #[serde(default)]
    pub padding: Vec<Phrase>,
    #[serde(default)]
    pub short_please: Vec<Phrase>,
    #[serde(default)]
    pub no_phone: Vec<Phrase>,
    #[serde(default)]
    pub ignored_phone: Vec<Phrase>,
    pub protest: Vec<Phrase>,
    pub recover: Vec<Phrase>,
    #[serde(default)]
    pub another: Vec<Phrase>,
    #[serde(default)]
    pub clarified: Vec<Phrase>,
    #[serde(default)]
    pub retry: Vec<Phrase>,
    pub thanks: Vec<Phrase>,
    pub thanks_reply: Vec<Phrase>,
    pub human: Vec<Phrase>,
    pub handover: Vec<Phrase>,
    pub comment_up: Vec<Phrase>,
    pub comment_down: Vec<Phrase>,
    pub comment_planted: Vec<Phrase>,
    pub report: Vec<Phrase>,
    #[serde(default)]
    pub promo: Vec<Phrase>,
}

/// One thing that people ask about, and how it is answered, well and badly.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    pub id: String,
    /// The kind, set from the head of the file.
    #[serde(default)]
    pub kind: String,
    #[serde(default = "one")]
    pub weight: f64,
    /// The amounts in euros that it can be about.
    #[serde(default)]
    pub amounts: Vec<f64>,
    #[serde(default)]
    pub tools: Vec<String>,
    #[serde(default)]
    pub docs: Vec<String>,
    /// The tool that a right answer has used.
    pub act: Option<String>,
    /// First questions.
    pub ask: Vec<Phrase>,
    /// Right answers in one sentence.
    #[serde(default)]
    pub short: Vec<Phrase>,
    /// Right answers.
    pub answer: Vec<Phrase>,
    /// Answers that state what is not so.
    #[serde(default)]
    pub made_up: Vec<Phrase>,
    /// Answers that break the bank's rules or the user's wish.
    #[serde(default)]
    pub ignored: Vec<Phrase>,
    /// Answers to something else; where there are none, other topics are used.
    #[serde(default)]
    pub off_topic: Vec<Phrase>,
    /// Answers in the wrong tone; where there are none, they are composed.
    #[serde(default)]
    pub tone: Vec<Phrase>,
    /// What `v4` says since it lost the waiver rule.
    #[serde(default)]
    pub planted: Vec<Phrase>,
    /// What users say to that.
    #[serde(default)]
    pub protest: Vec<Phrase>,
    /// What they ask next.
    #[serde(default)]
    pub next: Vec<Next>,
}

impl Topic {
    /// Which mark remarks on `v4`'s advice have here: an overdraft fee would be waived, other debts
    /// would not; moving savings settles neither.
    pub fn advice_mark(&self) -> &'static str {
        if self.id.starts_with("overdraft") || self.id == "charged_again" { "waiver" } else { "savings" }
    }

    /// Whether answers can be composed of common parts; other topics have all their words themselves.
    pub fn answers_freely(&self) -> bool {
        let own_words = ["ambiguity", "out_of_domain", "gibberish", "jailbreak", "harmful"];
        !own_words.contains(&self.kind.as_str())
    }
}

/// A topic, and which of its first questions was asked.
#[derive(Clone, Copy)]
pub struct About {
    pub topic: &'static Topic,
    pub ask: usize,
}

impl About {
    /// The question.
    pub fn asked(self) -> &'static Phrase {
        &self.topic.ask[self.ask]
    }

    /// Those of the phrases that answer just this question. Where a topic has all its words itself,
    /// what is said in general answers every question.
    pub fn exact(self, from: &[Phrase]) -> Vec<&Phrase> {
        let general = !self.topic.answers_freely();
        from.iter().filter(|phrase| phrase.fits(self.asked()) || general && phrase.is_general()).collect()
    }

    /// Those that answer this question, or failing that the topic in general: for answers that are
    /// wrong anyway.
    pub fn near(self, from: &[Phrase]) -> Vec<&Phrase> {
        let exact = self.exact(from);
        if exact.is_empty() { from.iter().filter(|phrase| phrase.is_general()).collect() } else { exact }
    }
}

/// A further question about a topic: which, and which of its wordings.
#[derive(Clone, Copy)]
pub struct Further {
    pub topic: &'static Topic,
    pub at: usize,
    pub ask: usize,
}

impl Further {
    /// The question and its answers.
    pub fn next(self) -> &'static Next {
        &self.topic.next[self.at]
    }

    /// The wording.
    pub fn asked(self) -> &'static Phrase {
        &self.next().ask[self.ask]
    }

    /// The right answers to this wording.
    pub fn answers(self) -> Vec<&'static Phrase> {
        self.next().answer.iter().filter(|phrase| phrase.fits(self.asked())).collect()
    }
}

/// A further question in the same conversation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Next {
    pub ask: Vec<Phrase>,
    pub answer: Vec<Phrase>,
    #[serde(default)]
    pub made_up: Vec<Phrase>,
    #[serde(default)]
    pub planted: Vec<Phrase>,
}

/// Paragraphs of long letters, in the order in which they stand.
#[derive(Deserialize)]
pub struct Essay {
    pub opening: Vec<Phrase>,
    pub background: Vec<Phrase>,
    pub event: Vec<Phrase>,
    pub digression: Vec<Phrase>,
    pub tried: Vec<Phrase>,
    pub pasted: Vec<Phrase>,
    pub turn: Vec<Phrase>,
    pub ending: Vec<Phrase>,
    pub reply_open: Vec<Phrase>,
}

/// What is typed by cats, pockets and test scripts.
#[derive(Deserialize)]
pub struct Gibberish {
    pub rows: Vec<String>,
    pub typed: Vec<Phrase>,
    pub topic: Topic,
}

/// Something to sum up, with summaries good and bad.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `call`, `letter` or `dispute`.
    pub form: String,
    #[serde(default = "one")]
    pub weight: f64,
    #[serde(default)]
    pub amounts: Vec<f64>,
    /// Parts of the text, one phrase of each list; an empty choice leaves the part out.
    pub part: Vec<Vec<Phrase>>,
    pub bullets: Vec<Phrase>,
    pub sentence: Vec<Phrase>,
    /// One line of JSON.
    pub json: Vec<Phrase>,
    pub made_up: Vec<Phrase>,
    pub tone: Vec<Phrase>,
    pub off_topic: Vec<Phrase>,
}

fn one() -> f64 {
    1.0
}

#[derive(Deserialize)]
struct KindFile {
    kind: String,
    topic: Vec<Topic>,
}

#[derive(Deserialize)]
struct SummaryFile {
    scenario: Vec<Scenario>,
}

macro_rules! fixture {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../fixtures/demo/", $name)))
    };
}

const KINDS: &[(&str, &str)] = &[
    fixture!("en/balance.toml"),
    fixture!("en/card.toml"),
    fixture!("en/transfer.toml"),
    fixture!("en/fees.toml"),
    fixture!("en/cancellation.toml"),
    fixture!("en/loans.toml"),
    fixture!("en/login.toml"),
    fixture!("en/anger.toml"),
    fixture!("en/ambiguity.toml"),
    fixture!("en/out_of_domain.toml"),
    fixture!("en/jailbreak.toml"),
    fixture!("en/harmful.toml"),
];

const VOICES: &[(&str, &str)] = &[
    fixture!("lang/es.toml"),
    fixture!("lang/de.toml"),
    fixture!("lang/fr.toml"),
    fixture!("lang/pl.toml"),
    fixture!("lang/tr.toml"),
    fixture!("lang/pt.toml"),
    fixture!("lang/it.toml"),
    fixture!("lang/nl.toml"),
    fixture!("lang/ja.toml"),
    fixture!("lang/ar.toml"),
];

/// The templates. They are part of the program, and the tests read them all: a mistake in one is a
/// fault of the build, not of a run.
pub fn book() -> &'static Book {
    static BOOK: OnceLock<Book> = OnceLock::new();
    BOOK.get_or_init(|| {
        let mut english: Voice = read(fixture!("en/common.toml"));
        for file in KINDS {
            let KindFile { kind, topic } = read(*file);
            english.topic.extend(topic.into_iter().map(|t| Topic { kind: kind.clone(), ..t }));
        }
        let mut voices = vec![english];
        voices.extend(VOICES.iter().map(|file| read(*file)));
        let summaries =
            [fixture!("en/calls.toml"), fixture!("en/letters.toml"), fixture!("en/disputes.toml")]
                .into_iter()
                .flat_map(|file| read::<SummaryFile>(file).scenario)
                .collect();
        Book {
            bank: read(fixture!("bank.toml")),
            voices,
            essay: read(fixture!("en/essay.toml")),
            gibberish: read(fixture!("en/gibberish.toml")),
            summaries,
        }
    })
}

fn read<T: for<'de> Deserialize<'de>>((name, text): (&str, &str)) -> T {
    toml::from_str(text).unwrap_or_else(|why| panic!("fixtures/demo/{name}: {why}"))
}
