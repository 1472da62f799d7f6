//! The bank's customers: who each one is follows from the seed and a number alone.

use super::book::Book;
use super::dice::{Dice, scramble};

const PURPOSE: u64 = 0x05e4;

/// Where a user writes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Ios,
    Android,
    Web,
    Whatsapp,
    Email,
}

impl Channel {
    /// Its name in the metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Android => "android",
            Self::Web => "web",
            Self::Whatsapp => "whatsapp",
            Self::Email => "email",
        }
    }

    /// Whether the whole conversation is kept with each request, as messages; otherwise plain text.
    pub fn keeps_messages(self) -> bool {
        matches!(self, Self::Ios | Self::Android | Self::Web)
    }
}

/// How somebody types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// As the template has it.
    Proper,
    /// All in lower case, hardly any stops.
    Lower,
    /// Letters swapped and apostrophes lost.
    Hasty,
}

/// A customer.
#[derive(Clone)]
pub struct User {
    pub id: String,
    /// Place of the language among the book's voices.
    pub voice: usize,
    pub locale: String,
    pub first: String,
    pub last: String,
    /// The last four digits of the card.
    pub card: String,
    /// The last four digits of the account number.
    pub iban: String,
    pub plan: &'static str,
    pub channel: Channel,
    pub app: String,
    pub device: String,
    pub employer: String,
    /// Monthly pay in cents.
    pub salary: i64,
    pub hand: Hand,
    /// The year in which the account was opened.
    pub since: i16,
}

impl User {
    /// The user with this number. Every tenth or so has another first language than English.
    pub fn at(seed: u64, number: u64, book: &Book) -> Self {
        let mut dice = Dice::new(seed, PURPOSE, number);
        let voice = voice_of(seed, number, book);
        let speaks = &book.voices[voice];
        let channel = [Channel::Ios, Channel::Android, Channel::Web, Channel::Whatsapp, Channel::Email]
            [dice.weighted([31.0, 29.0, 20.0, 15.0, 5.0].into_iter())];
        let device = match channel {
            Channel::Ios => dice.pick(&book.bank.devices[..3]).clone(),
            _ => dice.pick(&book.bank.devices[3..]).clone(),
        };
        Self {
            id: format!("u-{:010x}", scramble(number, seed ^ PURPOSE)),
            voice,
            locale: dice.pick(&speaks.locales).clone(),
            first: dice.pick(&speaks.names.first).clone(),
            last: dice.pick(&speaks.names.last).clone(),
            card: format!("{:04}", dice.between(1, 9_999)),
            iban: format!("{:04}", dice.between(1, 9_999)),
            plan: ["Everyday", "Plus", "Student"][dice.weighted([62.0, 22.0, 16.0].into_iter())],
            channel,
            app: format!("9.{}.{}", dice.between(11, 16), dice.between(0, 4)),
            device,
            employer: dice.pick(&book.bank.employers).clone(),
            salary: dice.between(1_350, 4_800) * 100 + dice.between(0, 99),
            hand: [Hand::Proper, Hand::Lower, Hand::Hasty][dice.weighted([66.0, 22.0, 12.0].into_iter())],
            since: dice.between(2014, 2025) as i16,
        }
    }
}

/// The share of users whose language is not English.
const OTHER_LANGUAGES: f64 = 0.10;

fn voice_of(seed: u64, number: u64, book: &Book) -> usize {
    let mut dice = Dice::new(seed, PURPOSE + 1, number);
    if dice.chance(OTHER_LANGUAGES) { 1 + dice.weighted(book.voices[1..].iter().map(|v| v.share)) } else { 0 }
}

/// A user of this population who writes in English, or in another language.
pub fn number_of(seed: u64, population: u64, english: bool, book: &Book, dice: &mut Dice) -> u64 {
    loop {
        // Some write often and most seldom.
        let number = (population as f64 * dice.unit().powf(1.35)) as u64;
        if (voice_of(seed, number, book) == 0) == english {
            return number;
        }
    }
}
