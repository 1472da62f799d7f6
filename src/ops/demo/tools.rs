//! The bank's own systems behind the bot: what a tool is asked and what it gives back, from the facts
//! of the conversation.

use serde_json::{Value, json};

use super::book::{Bank, Topic};
use super::case::Case;
use super::dice::Dice;
use super::user::User;

/// A call and its result.
pub struct Call {
    pub id: String,
    pub name: String,
    pub arguments: Value,
    pub result: Value,
    pub took_ms: f64,
}

/// A search in the bank's rules, and what it found.
pub struct Retrieval {
    pub query: String,
    pub found: Value,
    pub took_ms: f64,
    /// Tokens that it adds to the request.
    pub tokens: u64,
}

/// Calls one of the topic's tools.
pub fn call(name: &str, topic: &Topic, case: &Case, user: &User, bank: &Bank, dice: &mut Dice) -> Call {
    let euros = |cents: i64| cents as f64 / 100.0;
    let (date, due) = (case.date.to_string(), case.due.to_string());
    let (arguments, result) = match name {
        "get_account" => (
            json!({"user_id": user.id}),
            json!({
                "iban_last4": user.iban, "plan": user.plan, "currency": "EUR",
                "balance": euros(case.balance), "available": euros(case.balance), "arranged_overdraft": 0,
                "nest_balance": euros(case.savings), "opened": format!("{}-0{}-1{}", user.since, dice.between(1, 9), dice.between(0, 9)),
                "courtesy_refund_used": dice.chance(0.2), "status": "active", "daily_limit": if user.plan == "Student" { 2500 } else { 10000 },
                "pending_card_payments": dice.between(0, 2), "salary_payer": user.employer, "language": user.locale,
            }),
        ),
        "list_transactions" => (
            json!({"user_id": user.id, "from": date, "limit": 4}),
            json!({"items": [
                {"date": date, "text": case.text("merchant"), "amount": -euros(dice.between(350, 9_400)), "status": "booked"},
                {"date": date, "text": booking_text(topic, case), "amount": -euros(case.amount), "status": "booked"},
                {"date": date, "time": case.time, "text": format!("{} SALARY", user.employer.to_uppercase()), "amount": euros(case.salary), "status": "booked"},
                {"date": date, "text": case.text("shop"), "amount": -euros(dice.between(150, 6_900)), "status": "pending"},
            ]}),
        ),
        "get_fee_policy" => {
            let code = topic.docs.first().map_or("POL-114", String::as_str);
            let policy = bank.policy.iter().find(|p| p.id == code).unwrap_or(&bank.policy[0]);
            (
                json!({"code": code}),
                json!({"code": code, "title": policy.title, "text": policy.text, "valid_from": "2025-01-01"}),
            )
        }
        "request_fee_waiver" => (
            json!({"user_id": user.id, "date": date, "rule": "same_day"}),
            json!({"reference": case.text("ref"), "amount": euros(case.amount), "credited_by": due, "status": "accepted"}),
        ),
        "get_card" => (
            json!({"user_id": user.id, "last4": user.card}),
            json!({"last4": user.card, "state": "active", "contactless": true, "pin_tries_left": dice.between(0, 3), "expires": format!("20{}-{:02}", dice.between(27, 30), dice.between(1, 12)), "ordered": date, "expected": due}),
        ),
        "block_card" => (
            json!({"last4": user.card, "reason": if topic.id.contains("stolen") { "stolen" } else { "lost" }}),
            json!({"last4": user.card, "state": "blocked", "at": format!("{}T{}:00Z", case.date, case.time), "replacement": {"ordered": true, "delivery": "5-7 working days"}}),
        ),
        "get_transfer" => (
            json!({"user_id": user.id, "amount": euros(case.amount), "date": date}),
            json!({"id": case.text("ref"), "type": "sepa_standard", "amount": euros(case.amount), "to": case.text("person"), "sent": date, "arrives": due, "state": "executed"}),
        ),
        "open_dispute" => (
            json!({"user_id": user.id, "amount": euros(case.amount), "merchant": case.text("merchant")}),
            json!({"reference": case.text("ref"), "state": "open", "answer_by": due}),
        ),
        "get_loan" => (
            json!({"user_id": user.id}),
            json!({"product": "Flex", "outstanding": euros(case.left), "rate": case.text("rate"), "instalment": case.text("instalment"), "next_due": due, "arrears": 0}),
        ),
        "get_login_events" => (
            json!({"user_id": user.id, "limit": 3}),
            json!({"events": [
                {"at": format!("{date}T{}:10Z", case.time), "device": user.device, "result": "wrong_passcode"},
                {"at": format!("{date}T{}:31Z", case.time), "device": user.device, "result": "wrong_passcode"},
                {"at": format!("{date}T{}:58Z", case.time), "device": user.device, "result": *dice.pick(&["locked", "code_sent", "ok"])},
            ]}),
        ),
        _ => (json!({"query": topic.id.replace('_', " "), "top_k": 3}), json!({"hits": topic.docs})),
    };
    Call {
        id: format!("call_{:08x}", dice.between(0, u32::MAX.into())),
        name: name.to_owned(),
        arguments,
        result,
        took_ms: dice.log_normal(130.0, 0.5).round(),
    }
}

fn booking_text(topic: &Topic, case: &Case) -> String {
    match topic.id.as_str() {
        "overdraft_fee" => "OVERDRAFT FEE".to_owned(),
        "cash_fee" => "CASH WITHDRAWAL FEE".to_owned(),
        "foreign_fee" => "FOREIGN CURRENCY MARK-UP 1.75 %".to_owned(),
        "returned_debit" => format!("RETURNED DIRECT DEBIT {}", case.text("sub").to_uppercase()),
        _ => case.text("merchant").to_uppercase(),
    }
}

/// Searches the bank's rules for the topic: the right pages and one that only looks like it.
pub fn retrieve(topic: &Topic, bank: &Bank, dice: &mut Dice) -> Retrieval {
    let mut pages: Vec<&super::book::Policy> =
        topic.docs.iter().filter_map(|id| bank.policy.iter().find(|p| p.id == *id)).collect();
    let stray = dice.pick(&bank.policy);
    if !pages.iter().any(|p| p.id == stray.id) {
        pages.push(stray);
    }
    let mut score = 0.93;
    let found: Vec<Value> = pages
        .iter()
        .map(|page| {
            score -= dice.between(2, 14) as f64 / 100.0;
            json!({"doc": page.id, "title": page.title, "score": (score * 100.0).round() / 100.0, "text": page.text})
        })
        .collect();
    let tokens = pages.iter().map(|p| super::words::tokens(&p.text)).sum();
    let query = topic.id.replace('_', " ");
    Retrieval { query, found: Value::Array(found), took_ms: dice.log_normal(60.0, 0.4).round(), tokens }
}
