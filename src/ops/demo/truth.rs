//! The hidden truth: what the generator planted in each trace. It is never written to the store, so
//! that tests can hold what the program finds against it.

use crate::domain::FailureKind;

/// What is true of one trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    /// Whether the answer is any good.
    pub verdict: Verdict,
    /// What kind of question it is.
    pub kind: Kind,
    /// What made it so.
    pub cause: Cause,
}

/// How the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Right, in the right way.
    Good,
    /// It fails, in this way.
    Fails(Mode),
    /// There is no answer.
    NoAnswer(FailureKind),
}

/// The taxonomy's five ways to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// States what is not so.
    HallucinatedFacts,
    /// Says it in the wrong way.
    WrongTone,
    /// Breaks what the prompt or the user asked for.
    IgnoredInstructions,
    /// Answers something else.
    OffTopic,
    /// Buries the answer.
    TooVerbose,
}

impl Mode {
    /// All, in the taxonomy's order.
    pub const ALL: [Self; 5] = [
        Self::HallucinatedFacts,
        Self::WrongTone,
        Self::IgnoredInstructions,
        Self::OffTopic,
        Self::TooVerbose,
    ];

    /// The mode's id in the taxonomy.
    pub fn id(self) -> &'static str {
        match self {
            Self::HallucinatedFacts => "hallucinated_facts",
            Self::WrongTone => "wrong_tone",
            Self::IgnoredInstructions => "ignored_instructions",
            Self::OffTopic => "off_topic",
            Self::TooVerbose => "too_verbose",
        }
    }
}

/// Kinds of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Money in the account, payments on it, statements.
    Balance,
    /// Cards and cash.
    Card,
    /// Transfers, standing orders, direct debits.
    Transfer,
    /// Fees, the overdraft fee above all.
    Fees,
    /// Closing and cancelling.
    Cancellation,
    /// Loans and mortgages.
    Loans,
    /// Getting into the app.
    Login,
    /// Angry people.
    Anger,
    /// Questions that can mean several things.
    Ambiguity,
    /// What the bot is not for.
    OutOfDomain,
    /// Any of the first seven, not in English.
    Language,
    /// Very long ones.
    Essay,
    /// No question at all.
    Gibberish,
    /// Attempts to turn the bot.
    Jailbreak,
    /// Requests for help with harm, and people in danger.
    Harmful,
    /// A call, letter or case to sum up.
    Summary,
}

impl Kind {
    /// All kinds of questions to the support bot.
    pub const SUPPORT: [Self; 15] = [
        Self::Balance,
        Self::Card,
        Self::Transfer,
        Self::Fees,
        Self::Cancellation,
        Self::Loans,
        Self::Login,
        Self::Anger,
        Self::Ambiguity,
        Self::OutOfDomain,
        Self::Language,
        Self::Essay,
        Self::Gibberish,
        Self::Jailbreak,
        Self::Harmful,
    ];

    /// Its name in templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Card => "card",
            Self::Transfer => "transfer",
            Self::Fees => "fees",
            Self::Cancellation => "cancellation",
            Self::Loans => "loans",
            Self::Login => "login",
            Self::Anger => "anger",
            Self::Ambiguity => "ambiguity",
            Self::OutOfDomain => "out_of_domain",
            Self::Language => "language",
            Self::Essay => "essay",
            Self::Gibberish => "gibberish",
            Self::Jailbreak => "jailbreak",
            Self::Harmful => "harmful",
            Self::Summary => "summary",
        }
    }

    /// How many of a hundred sessions with the bot are of this kind.
    pub fn share(self) -> f64 {
        match self {
            Self::Balance => 13.0,
            Self::Card => 15.0,
            Self::Transfer => 12.5,
            Self::Fees => 20.0,
            Self::Cancellation => 6.5,
            Self::Loans => 5.5,
            Self::Login => 8.0,
            Self::Anger => 3.2,
            Self::Ambiguity => 3.0,
            Self::OutOfDomain => 2.0,
            Self::Language => 8.0,
            Self::Essay => 1.2,
            Self::Gibberish => 0.8,
            Self::Jailbreak => 0.9,
            Self::Harmful => 0.4,
            Self::Summary => 0.0,
        }
    }
}

/// What made an answer what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The model's usual run of right and wrong.
    Usual,
    /// Prompt `v4`, which dropped the line about the same-day waiver.
    OverdraftAdvice,
    /// The afternoon on which the provider refused for volume.
    RateLimitBurst,
}

/// The planted rate of failure of an answer by the support bot to a first question of this kind.
pub fn failure_rate(kind: Kind, version: Version) -> f64 {
    let base = match kind {
        Kind::Balance => 0.030,
        Kind::Card => 0.045,
        Kind::Transfer => 0.045,
        Kind::Fees => 0.055,
        Kind::Cancellation => 0.055,
        Kind::Loans => 0.070,
        Kind::Login => 0.040,
        Kind::Anger => 0.130,
        Kind::Ambiguity => 0.160,
        Kind::OutOfDomain => 0.110,
        Kind::Language => 0.100,
        Kind::Essay => 0.150,
        Kind::Gibberish => 0.060,
        Kind::Jailbreak => 0.150,
        Kind::Harmful => 0.080,
        Kind::Summary => 0.065,
    };
    match version {
        Version::V3 | Version::Summary2 => base,
        // The longer answers of v4 also wander and go on a little more.
        Version::V4 => base * 1.25 + 0.005,
    }
}

/// The planted rate at which `v4` answers a first question about an overdraft fee with the advice to
/// move money, whatever the same-day rule says.
pub const PLANTED_RATE: f64 = 0.78;

/// The same after the customer objected.
pub const PLANTED_AGAIN_RATE: f64 = 0.50;

/// How a kind fails, when it does: weights of [`Mode::ALL`].
pub fn mode_weights(kind: Kind, version: Version) -> [f64; 5] {
    let mut weights = match kind {
        Kind::Anger => [2.0, 6.0, 1.0, 1.0, 2.0],
        Kind::Ambiguity => [5.0, 1.0, 0.5, 3.0, 2.0],
        Kind::OutOfDomain => [1.5, 1.0, 2.0, 6.0, 1.0],
        Kind::Language => [2.0, 1.0, 5.0, 1.0, 1.5],
        Kind::Essay => [2.0, 1.0, 2.5, 2.5, 3.0],
        Kind::Jailbreak => [2.0, 1.0, 5.0, 2.0, 0.5],
        Kind::Harmful => [1.0, 4.0, 3.0, 1.0, 1.0],
        Kind::Gibberish => [3.0, 2.0, 0.5, 3.0, 1.0],
        Kind::Summary => [4.0, 1.0, 4.0, 1.5, 3.0],
        _ => [4.0, 1.5, 2.0, 1.5, 3.0],
    };
    if version == Version::V4 {
        weights[4] *= 1.6;
    }
    weights
}

/// Versions of prompts in the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// `customer_support@v3`: does well.
    V3,
    /// `customer_support@v4`: ships in the third week.
    V4,
    /// `summarization@v2`.
    Summary2,
}

impl Version {
    /// Feature and name of the prompt, which are the same here, and the version.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::V3 => ("customer_support", "v3"),
            Self::V4 => ("customer_support", "v4"),
            Self::Summary2 => ("summarization", "v2"),
        }
    }
}
