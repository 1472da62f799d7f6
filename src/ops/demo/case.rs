//! The facts of one conversation: who asks, and every amount, date and name that its texts can hold.
//! Drawn once a session, so that the answer speaks of what the question spoke of.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::book::{Bank, Voice};
use super::dice::Dice;
use super::user::User;

/// The slots that phrases can name.
pub const SLOTS: &[&str] = &[
    "name",
    "full",
    "person",
    "friend",
    "other",
    "agent",
    "city",
    "abroad",
    "employer",
    "merchant",
    "shop",
    "sub",
    "amount",
    "fee",
    "balance",
    "short",
    "savings",
    "salary",
    "date",
    "due",
    "weekday",
    "time",
    "days",
    "card",
    "iban",
    "ref",
    "plan",
    "device",
    "loan",
    "months",
    "rate",
    "instalment",
    "left",
    "limit",
    "fx",
    "phone",
    "year",
    "month",
    "age",
    "number",
];

/// The facts.
pub struct Case {
    slots: Vec<String>,
    /// The amount it is about, in cents.
    pub amount: i64,
    /// What is on the account, in cents.
    pub balance: i64,
    /// What is on the savings account, in cents.
    pub savings: i64,
    /// Monthly pay, in cents.
    pub salary: i64,
    /// What is left of the loan, in cents.
    pub left: i64,
    /// The day it happened.
    pub date: Date,
    /// A day soon to come.
    pub due: Date,
    /// A time of day, such as `14:05`.
    pub time: String,
}

impl Case {
    /// Draws the facts of a conversation at this time between this user and the bank, about one of
    /// these amounts (euros).
    pub fn draw(
        bank: &Bank,
        voice: &Voice,
        user: &User,
        amounts: &[f64],
        at: Timestamp,
        dice: &mut Dice,
    ) -> Self {
        let today = TimeZone::UTC.to_datetime(at).date();
        let amount = if amounts.is_empty() {
            (dice.log_normal(4_500.0, 0.8) as i64).clamp(300, 90_000)
        } else {
            (dice.pick(amounts) * 100.0).round() as i64
        };
        let date = today.saturating_sub(dice.between(1, 9).days());
        let due = today.saturating_add(dice.between(2, 5).days());
        // What was meant to be paid can be paid, unless it is a large sum that has to be planned.
        let usual = if amount <= 100_000 { amount } else { 0 };
        let balance = (dice.log_normal(64_000.0, 0.9) as i64).clamp(1_900, 900_000) + usual;
        let savings =
            round_to((dice.log_normal(260_000.0, 0.8) as i64).clamp(20_000, 4_000_000) + usual, 1_000);
        let short = dice.between(180, 8_900);
        let loan = round_to(dice.between(200_000, 2_400_000), 50_000);
        let months = *dice.pick(&[24i64, 36, 48, 60, 72, 84]);
        let rate = dice.between(64, 99) as f64 / 10.0;
        let monthly = rate / 1200.0;
        let instalment =
            (loan as f64 * monthly / (1.0 - (1.0 + monthly).powi(-(months as i32)))).round() as i64;
        let left = loan * dice.between(25, 85) / 100;
        let time = format!("{:02}:{:02}", dice.between(9, 20), dice.between(0, 59));
        let merchant = dice.below(bank.merchants.len());
        let shop = (merchant + 1 + dice.below(bank.merchants.len() - 1)) % bank.merchants.len();
        let money = |cents: i64| voice.format.money(cents);
        let month_before = today.first_of_month().saturating_sub(1.days());
        let first = dice.below(voice.names.first.len());
        let person_first = &voice.names.first[first];
        let mut case = Self {
            slots: vec![String::new(); SLOTS.len()],
            amount,
            balance,
            savings,
            salary: user.salary,
            left,
            date,
            due,
            time: time.clone(),
        };
        let fx = format!(
            "{}{}.{:02}",
            dice.pick(&["US$", "£", "CHF ", "CA$", "NOK "]),
            dice.between(9, 640),
            dice.between(0, 99)
        );
        let days = dice.between(3, 9);
        let number = dice.between(2, 5);
        let reference =
            format!("TW-{}{:04}", dice.pick(&["A", "C", "K", "M", "R", "V"]), dice.between(1_000, 9_999));
        let values: Vec<(&str, String)> = vec![
            ("name", user.first.clone()),
            ("full", format!("{} {}", user.first, user.last)),
            ("person", format!("{} {}", person_first, dice.pick(&voice.names.last))),
            ("friend", person_first.clone()),
            (
                "other",
                voice.names.first
                    [(first + 1 + dice.below(voice.names.first.len() - 1)) % voice.names.first.len()]
                .clone(),
            ),
            ("agent", dice.pick(&bank.colleagues).clone()),
            ("city", dice.pick(&voice.names.cities).clone()),
            ("abroad", dice.pick(&bank.abroad).clone()),
            ("employer", user.employer.clone()),
            ("merchant", bank.merchants[merchant].clone()),
            ("shop", bank.merchants[shop].clone()),
            ("sub", dice.pick(&bank.subscriptions).clone()),
            ("amount", money(amount)),
            ("fee", money(3_500)),
            ("balance", money(balance)),
            ("short", money(short)),
            ("savings", money(savings)),
            ("salary", money(user.salary)),
            ("date", voice.format.date(date)),
            ("due", voice.format.date(due)),
            ("weekday", voice.format.weekday(date)),
            ("time", time),
            ("days", days.to_string()),
            ("card", user.card.clone()),
            ("iban", user.iban.clone()),
            ("ref", reference),
            ("plan", user.plan.to_owned()),
            ("device", user.device.clone()),
            ("loan", money(loan)),
            ("months", months.to_string()),
            ("rate", format!("{} %", format!("{rate:.1}").replace('.', &voice.format.decimal))),
            ("instalment", money(instalment)),
            ("left", money(round_to(left, 100))),
            ("limit", money(if user.plan == "Student" { 250_000 } else { 1_000_000 })),
            ("fx", fx),
            ("phone", bank.phone.clone()),
            ("year", (today.year() - 1).to_string()),
            ("month", voice.format.months[usize::from(month_before.month().unsigned_abs()) - 1].clone()),
            ("age", dice.between(19, 74).to_string()),
            ("number", number.to_string()),
        ];
        for (name, value) in values {
            let at = SLOTS.iter().position(|s| *s == name).expect("every value has a slot");
            case.slots[at] = value;
        }
        case
    }

    /// The value of the slot at this place of [`SLOTS`].
    pub fn slot(&self, at: usize) -> &str {
        &self.slots[at]
    }

    /// The value of a slot by name; empty for a name that is none.
    pub fn text(&self, name: &str) -> &str {
        SLOTS.iter().position(|s| *s == name).map_or("", |at| &self.slots[at])
    }
}

#[cfg(test)]
impl Case {
    /// Some case, for tests of phrases.
    pub fn sample() -> Self {
        let book = super::book::book();
        let user = User::at(7, 1, book);
        Self::draw(
            &book.bank,
            &book.voices[0],
            &user,
            &[35.0],
            Timestamp::UNIX_EPOCH,
            &mut Dice::new(1, 1, 1),
        )
    }
}

fn round_to(cents: i64, step: i64) -> i64 {
    (cents / step).max(1) * step
}

impl super::book::Format {
    /// An amount of cents as this language writes it; whole euros without cents.
    pub fn money(&self, cents: i64) -> String {
        let (euros, rest) = (cents / 100, cents % 100);
        let digits = euros.to_string();
        let mut number = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                number.push_str(&self.thousands);
            }
            number.push(digit);
        }
        if rest != 0 {
            number.push_str(&format!("{}{rest:02}", self.decimal));
        }
        self.money.replace("%n", &number)
    }

    /// A day without the year.
    pub fn date(&self, date: Date) -> String {
        let month = &self.months[usize::from(date.month().unsigned_abs()) - 1];
        self.date.replace("%d", &date.day().to_string()).replace("%m", month)
    }

    /// The day of the week.
    pub fn weekday(&self, date: Date) -> String {
        self.weekdays[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())].clone()
    }
}
