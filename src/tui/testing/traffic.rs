//! A store of traffic for the tests of screens that show traces.

use serde_json::{Value, json};

use crate::domain::Trace;
use crate::ops::testing::{World, of_json};

/// When the clock of [`traffic`] stands: a Tuesday.
pub const NOW: &str = "2026-11-24T09:35:00Z";

const SAID: [(&str, &str); 6] = [
    (
        "I was charged a €35 overdraft fee but my salary arrived the same day. Can you take it back?",
        "I understand, that is annoying! You can just transfer your balance from savings to resolve the overdraft fee.",
    ),
    ("Where is my card?", "Your card was sent on Monday and should arrive within 3 working days."),
    (
        "Quiero cancelar mi suscripción",
        "¡Claro! Para cancelar su suscripción necesito que confirme su correo.",
    ),
    ("How much may I spend abroad?", "**Up to €2,000 a day.**\n\n- in shops\n- at cash machines: €500"),
    ("残高を教えてください", "残高は口座ページで確認できます。"),
    ("asdf qwer", "I did not quite get that. What would you like to do?"),
];

/// A support bot's last nine days: one trace every so many minutes, the last a minute ago.
pub fn traffic(count: usize, every_minutes: usize) -> World {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let world = World::at(now);
    let traces = (0..count).map(|n| {
        let at = now.as_second() - 60 * ((count - 1 - n) * every_minutes + 1) as i64;
        let (asked, said) = SAID[n % SAID.len()];
        let new = n * 3 > count * 2;
        let failed = n % 23 == 5;
        let mut trace = json!({
            "id": format!("t-{n:05}"), "session": format!("s-{}", n / 3), "user": format!("u-{}", n % 97),
            "time": jiff::Timestamp::from_second(at).unwrap(), "feature": "customer_support",
            "prompt": "customer_support", "prompt_version": if new { "v4" } else { "v3" },
            "model": if n % 4 == 0 { "gpt-4o-mini" } else { "gpt-4o" },
            "input": asked, "output": said, "latency_ms": 700 + (n * 37) % 2_400,
            "cost_usd": if new { 0.0031 } else { 0.0024 },
        });
        if failed {
            trace["status"] = json!("error");
            trace["error_kind"] = json!(["timeout", "rate_limit", "content_policy"][n % 3]);
            trace["output"] = json!("");
        } else if n % 5 == 1 || new && n % 6 == 0 {
            trace["feedback"] = json!([{"kind": "thumbs", "value": if n % 6 == 0 { "down" } else { "up" }}]);
        }
        trace
    });
    world.add(of_json(traces.collect()));
    world
}

/// Traces that try to break a screen.
pub fn hostile(world: &World) {
    let evil =
        "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}evil\u{2066} \u{200b}漢字 e\u{301}\u{301}\u{301} \u{9b}31m";
    let now = world.clock.now();
    let trace = json!({
        "id": format!("{evil}-id"), "session": evil, "user": evil, "time": now, "feature": evil, "model": evil,
        "prompt": evil, "prompt_version": evil, "input": evil, "output": format!("{evil}\n\n```\n{evil}\n```"),
        "feedback": [{"kind": "report", "comment": evil}], "tags": [evil], "score": {evil: 1.5},
        "metadata": {evil: [evil]}, "spans": [{"name": evil, "kind": evil, "duration_ms": 12.0}],
        "experiment": evil, "arm": evil,
    });
    world.add(of_json(vec![trace]));
}

/// A conversation with tools, the first turn of a session of two.
pub fn with_tools(world: &World) -> Vec<Trace> {
    let now = world.clock.now().as_second();
    let time = |before: i64| jiff::Timestamp::from_second(now - before).unwrap();
    let call = json!({"id": "c1", "type": "function", "function": {
        "name": "find_booking", "arguments": "{\"user_id\": \"mia_li_3668\", \"open\": true}"}});
    let messages: Value = json!([
        {"role": "system", "content": "You are the support agent of an airline. Be brief and kind."},
        {"role": "user", "content": "Please cancel my flight to **Seattle**."},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "name": "find_booking",
         "content": "{\"booking\": \"4WQ150\", \"flights\": [\"HAT021\", \"HAT046\"], \"refundable\": false}"},
    ]);
    let traces = of_json(vec![
        json!({"id": "tool-1", "session": "talk-7", "user": "mia_li_3668", "time": time(240),
            "feature": "customer_support", "prompt": "airline", "prompt_version": "v2", "model": "gpt-4o",
            "input": messages, "output": "I found your booking 4WQ150. It cannot be refunded; shall I cancel it anyway?",
            "latency_ms": 2840.0, "ttft_ms": 420.0, "tokens_in": 1204, "tokens_out": 61, "cost_usd": 0.0087,
            "feedback": [{"kind": "thumbs", "value": "down", "comment": "It should know that I have insurance.", "time": time(200)}],
            "score": {"judge accuracy": 4, "tone": 0.82}, "tags": ["beta", "web"],
            "metadata": {"region": "eu-west-1", "client": {"app": "web", "build": 5512}},
            "spans": [
                {"name": "retrieve", "kind": "retrieval", "offset_ms": 0.0, "duration_ms": 180.0},
                {"name": "gpt-4o", "kind": "llm", "offset_ms": 180.0, "duration_ms": 1400.0},
                {"name": "find_booking", "kind": "tool", "offset_ms": 1600.0, "duration_ms": 240.0},
                {"name": "gpt-4o", "kind": "llm", "offset_ms": 1840.0, "duration_ms": 1000.0}]}),
        json!({"id": "tool-2", "session": "talk-7", "user": "mia_li_3668", "time": time(120),
            "feature": "customer_support", "prompt": "airline", "prompt_version": "v2", "model": "gpt-4o",
            "input": "Yes, cancel it.", "output": "", "status": "error", "error_kind": "timeout", "latency_ms": 30000.0}),
    ]);
    world.add(traces.clone());
    traces
}
