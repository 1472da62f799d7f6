use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::testing::{Fault, LlmServer};
use super::*;
use crate::domain::{AskErrorKind, Content, HttpSpec, ModelSpec, TargetLimits};
use crate::task::Cancel;

const KEY: &str = "sk-very-secret-0123456789";

fn variable(name: &str) -> Option<String> {
    (name == "CANDIDATE_KEY").then(|| KEY.to_owned())
}

fn spec(kind: TargetKind) -> TargetSpec {
    TargetSpec { name: "candidate".into(), kind, prompt: None, limits: TargetLimits::default() }
}

fn model(base_url: String) -> ModelSpec {
    ModelSpec {
        base_url,
        model: "small".into(),
        api_key_env: Some("CANDIDATE_KEY".into()),
        temperature: Some(0.0),
        max_tokens: None,
    }
}

fn connect(kind: TargetKind) -> Target {
    let prices = BTreeMap::from([("small".to_owned(), Price { input: 1.0, output: 10.0 })]);
    Target::connect(&spec(kind), &prices, &variable).unwrap()
}

fn openai(server: &LlmServer) -> Target {
    connect(TargetKind::OpenAi(model(server.url("/v1"))))
}

fn ask(text: &str) -> Ask {
    Ask {
        id: "case-1".into(),
        key: Some("run-1/case-1".into()),
        input: Content::Text(text.into()),
        prompt: None,
        json: None,
        max_tokens: None,
    }
}

fn talk(messages: Value) -> Ask {
    Ask { input: serde_json::from_value(messages).unwrap(), ..ask("") }
}

fn http(server: &LlmServer) -> HttpSpec {
    HttpSpec {
        url: server.url("/ours"),
        headers: BTreeMap::new(),
        api_key_env: Some("CANDIDATE_KEY".into()),
        body: r#"{"q": {{ input | tojson }}, "all": {{ messages }}, "p": {{ prompt }}, "id": {{ id }}}"#
            .into(),
        answer: "/result/text".into(),
    }
}

fn shell(script: &str) -> Target {
    connect(TargetKind::Command(vec!["sh".into(), "-c".into(), script.into()]))
}

fn quick() -> TargetLimits {
    TargetLimits { timeout: Duration::from_secs(10), attempts: 3, ..TargetLimits::default() }
}

/// Runs ask on tasks of their own.
fn can_move<T: Send>(work: T) -> T {
    work
}

async fn patiently(target: &Target, limits: &TargetLimits) -> (std::result::Result<Answer, AskError>, u32) {
    can_move(ask_patiently(target, &ask("hello"), limits, &Cancel::default(), |_, _| true)).await
}

#[tokio::test]
async fn a_target_is_told_more_than_its_configuration_says() {
    let server = LlmServer::start();
    let told = [("fault_url".to_owned(), "http://127.0.0.1:1/v1".to_owned())];
    let body = r#"{"q": {{ input }}, "model_at": {{ fault_url }}}"#;
    let ours = spec(TargetKind::Http(HttpSpec { body: body.into(), ..http(&server) }));
    let target = Target::connect_told(&ours, &BTreeMap::new(), &variable, &told).unwrap();
    target.ask(&ask("hello")).await.unwrap();
    assert_eq!(server.seen()[0].body, json!({"q": "hello", "model_at": "http://127.0.0.1:1/v1"}));
    // A name that it is not told is a mistake, as ever.
    assert!(Target::connect(&ours, &BTreeMap::new(), &variable).is_err());
    let script = ["sh", "-c", "cat >/dev/null; echo $fault_url"].map(str::to_owned).to_vec();
    let ours = spec(TargetKind::Command(script));
    let target = Target::connect_told(&ours, &BTreeMap::new(), &variable, &told).unwrap();
    let answer = target.ask(&ask("hello")).await.unwrap();
    assert_eq!(answer.output, Content::Text("http://127.0.0.1:1/v1".into()));
}

#[tokio::test]
async fn openai_answers_with_tokens_cost_model_and_id() {
    let server = LlmServer::start();
    let asked = Ask { prompt: Some("Be brief.".into()), ..ask("hello") };
    let answer = openai(&server).ask(&asked).await.unwrap();
    assert_eq!(answer.output, Content::Text("You said: hello".into()));
    assert_eq!((answer.tokens_in, answer.tokens_out), (Some(10), Some(5)));
    assert!((answer.cost_usd.unwrap() - 60e-6).abs() < 1e-12);
    assert_eq!((answer.model.as_deref(), answer.request_id.as_deref()), (Some("small-1"), Some("req-1")));
    assert!(answer.latency_ms > 0.0);
    let seen = &server.seen()[0];
    assert_eq!(seen.path, "/v1/chat/completions");
    assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(seen.headers["idempotency-key"], "run-1/case-1");
    assert_eq!(
        seen.body,
        json!({"model": "small", "temperature": 0.0, "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]})
    );
    assert_eq!(server.answered(), BTreeMap::from([("run-1/case-1".to_owned(), 1)]));
}

#[tokio::test]
async fn the_prompt_takes_the_place_of_recorded_instructions_and_tool_calls_are_kept() {
    let server = LlmServer::start();
    let calls =
        json!([{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{\"id\":7}"}}]);
    server.fault_next(Fault::Message(json!({"role": "assistant", "content": null, "tool_calls": calls})));
    let input = json!([
        {"role": "system", "content": "old", "stray": 1},
        {"role": "user", "content": "where is it?"},
        {"role": "assistant", "content": null, "tool_calls": calls},
        {"role": "tool", "content": "lost", "tool_call_id": "c1"},
    ]);
    let asked = Ask { prompt: Some("new".into()), ..talk(input.clone()) };
    let answer = openai(&server).ask(&asked).await.unwrap();
    let called: Vec<_> = answer.output.tool_calls().map(|call| call.function.name.raw()).collect();
    assert_eq!(called, ["look"]);
    let sent = &server.seen()[0].body["messages"];
    assert_eq!(sent[0], json!({"role": "system", "content": "new"}));
    assert_eq!(sent[2]["tool_calls"], calls);
    assert_eq!((sent.as_array().unwrap().len(), &sent[3]), (4, &input[3]));
    let recorded = json!([
        {"role": "user", "content": "hi"}, {"role": "developer", "content": "later"}, {"role": "user", "content": "x"}]);
    openai(&server).ask(&talk(recorded.clone())).await.unwrap();
    assert_eq!(server.seen()[1].body["messages"], recorded);
}

#[tokio::test]
async fn anthropic_takes_instructions_apart_and_gives_tool_use_back() {
    let server = LlmServer::start();
    server.fault_next(Fault::Message(json!({"content": [
        {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {"id": 7}}]})));
    let target = connect(TargetKind::Anthropic(model(server.url(""))));
    let input = json!([
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "where"}]},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "t0", "type": "function", "function": {"name": "look", "arguments": "{\"id\":6}"}}]},
        {"role": "tool", "content": "lost", "tool_call_id": "t0"},
        {"role": "user", "content": "and now?"},
    ]);
    let answer = target.ask(&talk(input)).await.unwrap();
    assert_eq!(answer.output.answer_text(), "Let me look.");
    assert_eq!(answer.output.tool_calls().next().unwrap().function.arguments, json!({"id": 7}));
    assert_eq!((answer.tokens_in, answer.tokens_out), (Some(10), Some(5)));
    let seen = &server.seen()[0];
    assert_eq!((seen.path.as_str(), &seen.headers["x-api-key"]), ("/v1/messages", &KEY.parse().unwrap()));
    assert_eq!(seen.headers["anthropic-version"], "2023-06-01");
    assert_eq!(
        seen.body,
        json!({"model": "small", "max_tokens": 4096, "temperature": 0.0, "system": "Be kind.", "messages": [
            {"role": "user", "content": [{"type": "text", "text": "where"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t0", "name": "look", "input": {"id": 6}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t0", "content": "lost"},
                {"type": "text", "text": "and now?"}]}]})
    );
    let plain = connect(TargetKind::Anthropic(model(server.url("/v1/")))).ask(&ask("hi")).await.unwrap();
    assert_eq!(plain.output, Content::Text("You said: hi".into()));
    assert_eq!(server.seen()[1].path, "/v1/messages");
}

#[tokio::test]
async fn an_endpoint_that_does_not_know_a_wording_is_told_in_another() {
    let server = LlmServer::start();
    let no = |word: &str| {
        let body =
            json!({"error": {"message": format!("Invalid value: {word}"), "type": "invalid_request_error"}});
        Fault::Status(400, Vec::new(), body.to_string())
    };
    server.fault_next(no("response_format.type"));
    let schema = json!({"type": "object"});
    let target = openai(&server);
    for _ in 0..2 {
        target.ask(&Ask { json: Some(schema.clone()), ..ask("x") }).await.unwrap();
    }
    let formats: Vec<Value> =
        server.seen().iter().map(|seen| seen.body["response_format"]["type"].clone()).collect();
    assert_eq!(formats, ["json_schema", "json_object", "json_object"]);
    // As llama-cpp-python puts it, word for word.
    let said = "1 validation error:\n  {'type': 'literal_error', 'loc': ('body', 'response_format', 'type'), \
                'msg': \"Input should be 'text' or 'json_object'\", 'input': 'json_schema'}";
    let error = json!({"error": {"message": said, "type": "internal_server_error"}});
    server.fault_next(Fault::Status(500, Vec::new(), error.to_string()));
    openai(&server).ask(&Ask { json: Some(schema.clone()), ..ask("x") }).await.unwrap();
    assert_eq!(server.seen()[4].body["response_format"]["type"], "json_object");
    let anthropic = connect(TargetKind::Anthropic(model(server.url(""))));
    server.fault_next(no("output_config"));
    anthropic.ask(&Ask { json: Some(schema.clone()), ..ask("x") }).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[5].body["output_config"]["format"]["schema"], schema);
    assert!(seen[6].body.get("output_config").is_none());
    let most = ModelSpec { max_tokens: Some(9), ..model(server.url("/v1")) };
    server.fault_next(no("Use 'max_completion_tokens' instead."));
    connect(TargetKind::OpenAi(most)).ask(&ask("x")).await.unwrap();
    assert_eq!(server.seen()[8].body["max_completion_tokens"], 9);
}

#[tokio::test]
async fn a_templates_values_are_json_whatever_is_in_them() {
    let server = LlmServer::start();
    let hostile = "\"}, {{ id }} \u{1b}[2J\n";
    let answer = connect(TargetKind::Http(http(&server))).ask(&ask(hostile)).await.unwrap();
    assert!(answer.output.answer_text().starts_with("You said: "));
    let seen = &server.seen()[0];
    assert_eq!(
        seen.body,
        json!({"q": hostile, "all": [{"role": "user", "content": hostile}], "p": null, "id": "case-1"})
    );
    assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
    let elsewhere = HttpSpec { answer: "/nowhere".into(), ..http(&server) };
    let error = connect(TargetKind::Http(elsewhere)).ask(&ask("x")).await.unwrap_err();
    assert_eq!(error.kind, AskErrorKind::Unreadable);
    assert!(error.what.raw().starts_with("There is nothing at /nowhere in the answer: {"), "{error:?}");
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_is() {
    let server = LlmServer::start();
    let no_key = |_: &str| None;
    let refused = |kind, variable: &dyn Fn(&str) -> Option<String>| {
        let error = Target::connect(&spec(kind), &BTreeMap::new(), variable).unwrap_err();
        let why = error.why.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(error.exit_code(), 2);
        format!("{} {why} {}", error.what, error.hints.join(" "))
    };
    let missing = refused(TargetKind::OpenAi(model(server.url("/v1"))), &no_key);
    assert!(
        missing.contains("`CANDIDATE_KEY`, which is not set") && missing.contains("export CANDIDATE_KEY=")
    );
    let broken = |_: &str| Some("sk-abc\ndef".to_owned());
    let words = refused(TargetKind::OpenAi(model(server.url("/v1"))), &broken);
    assert!(words.contains("CANDIDATE_KEY") && !words.contains("sk-abc"), "{words}");
    for (body, says) in [
        ("{{ input ", "line 1"),
        ("{\"q\": {{ question }}}", "undefined"),
        ("{\"q\": \"{{ input }}\"}", "does not come out as JSON"),
    ] {
        let words = refused(TargetKind::Http(HttpSpec { body: body.into(), ..http(&server) }), &variable);
        assert!(words.contains(says), "{body}: {words}");
    }
    let pointer = HttpSpec { answer: "result.text".into(), ..http(&server) };
    assert!(refused(TargetKind::Http(pointer), &variable).contains("not a JSON Pointer"));
    assert!(
        refused(TargetKind::Http(HttpSpec { url: "ours".into(), ..http(&server) }), &variable)
            .contains("http")
    );
    assert!(refused(TargetKind::Recorded, &variable).contains("cannot be asked"));
    assert!(refused(TargetKind::Command(Vec::new()), &variable).contains("names no program"));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn each_fault_has_its_kind_and_words_and_never_the_key() {
    use AskErrorKind::{Cut, RateLimit, Refused, Timeout, Unavailable, Unreadable};
    let server = LlmServer::start();
    let (open, own) = (openai(&server), connect(TargetKind::Http(http(&server))));
    let anthropic = connect(TargetKind::Anthropic(model(server.url(""))));
    let status = |code, body: &str| Fault::Status(code, Vec::new(), body.to_owned());
    let quota = json!({"error": {"message": "You have no money.", "code": "insufficient_quota"}}).to_string();
    let away = vec![("location", "http://127.0.0.1:9/v1".to_owned())];
    for (fault, kind, says) in [
        (Fault::rate_limit("7"), RateLimit, "The target said 429 Too Many Requests: Slow down."),
        (Fault::broken(), Unavailable, "The target said 500 Internal Server Error: The server had an error."),
        (status(503, ""), Unavailable, "The target said 503 Service Unavailable."),
        (status(408, ""), Timeout, "The target said 408 Request Timeout."),
        (status(425, ""), Unavailable, "The target said 425 Too Early."),
        (status(404, "no such model"), Refused, "The target said 404 Not Found: no such model."),
        (status(429, &quota), Refused, "The target said 429 Too Many Requests: You have no money."),
        (
            Fault::Status(307, away, String::new()),
            Refused,
            "The target said 307 Temporary Redirect: it sends else",
        ),
        (Fault::Cut, Cut, "The connection was cut in the middle of the answer"),
        (Fault::HalfJson, Unreadable, "The answer breaks off: it is half a JSON: {\""),
        (Fault::WrongType, Unreadable, "The answer is text/html, not JSON: <html>It works!"),
        (Fault::Endless, Unreadable, "The answer does not end: more than 8 MB came."),
        (Fault::ErrorInside, Unavailable, "The answer is an error: Overloaded."),
        (Fault::EchoKey, Refused, "The target said 401 Unauthorized: Incorrect API key provided: "),
    ] {
        for target in [&open, &anthropic, &own] {
            server.fault_next(fault.clone());
            let error = target.ask(&ask("hello")).await.unwrap_err();
            assert_eq!(error.kind, kind, "{error:?}");
            assert!(error.what.raw().starts_with(says), "{error:?}");
            assert!(!format!("{error:?}").contains(KEY), "{error:?}");
        }
    }
    server.fault_next(Fault::rate_limit("7"));
    assert_eq!(open.ask(&ask("x")).await.unwrap_err().retry_after, Some(Duration::from_secs(7)));
    server.fault_next(Fault::EchoKey);
    let error = open.ask(&ask("x")).await.unwrap_err();
    assert!(error.what.raw().contains("[key]") && error.what.raw().contains("`CANDIDATE_KEY`"), "{error:?}");
    server.fault_next(Fault::AnswerKey);
    let answer = open.ask(&ask("x")).await.unwrap();
    assert_eq!(answer.output, Content::Text("Your key is Bearer [key]".into()));
    let headers = BTreeMap::from([("x-api-key".to_owned(), "team-secret".to_owned())]);
    server.fault_next(Fault::EchoKey);
    let own = connect(TargetKind::Http(HttpSpec { headers, ..http(&server) }));
    let error = own.ask(&ask("x")).await.unwrap_err();
    assert!(error.what.raw().contains("[key][key]"), "{error:?}");
    for message in [json!({"role": "assistant"}), json!("text"), json!({"tool_calls": [7]})] {
        server.fault_next(Fault::Message(message));
        assert_eq!(open.ask(&ask("x")).await.unwrap_err().kind, Unreadable);
    }
    // Nobody listens there; the port of a server that has just ended may be another's by now.
    let url = "http://127.0.0.1:1/v1".to_owned();
    let error = connect(TargetKind::OpenAi(model(url))).ask(&ask("x")).await.unwrap_err();
    assert_eq!(error.kind, Unavailable);
    assert!(error.what.raw().starts_with("It could not be reached: "), "{error:?}");
    assert!(!format!("{open:?}").contains(KEY));
}

#[tokio::test]
async fn a_command_gets_the_case_and_gives_the_answer() {
    let asked = Ask { prompt: Some("p".into()), ..ask("it's \"quoted\"") };
    let answer = shell("cat").ask(&asked).await.unwrap();
    let case: Value = serde_json::from_str(&answer.output.answer_text()).unwrap();
    assert_eq!(
        (&case["input"], &case["prompt"], &case["id"]),
        (&json!("it's \"quoted\""), &json!("p"), &json!("case-1"))
    );
    assert_eq!(case["messages"][0]["role"], "system");
    let text = shell("echo plain; exit 0").ask(&asked).await.unwrap();
    assert_eq!(text.output, Content::Text("plain".into()));
    let said = r#"echo '{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"look"}}]}'"#;
    assert_eq!(shell(said).ask(&asked).await.unwrap().output.tool_calls().count(), 1);
    for (script, kind, says) in [
        (
            "head -c 200000 /dev/zero | tr '\\0' x >&2; exit 3",
            AskErrorKind::Unavailable,
            "The program ended with exit status: 3: ",
        ),
        ("kill -9 $$", AskErrorKind::Unavailable, "The program ended with signal: 9"),
        ("yes", AskErrorKind::Unreadable, "The answer does not end"),
        ("printf '\\377\\376'", AskErrorKind::Unreadable, "The answer is not UTF-8"),
    ] {
        let error = shell(script).ask(&asked).await.unwrap_err();
        assert_eq!(error.kind, kind, "{script}: {error:?}");
        assert!(error.what.raw().starts_with(says), "{script}: {error:?}");
    }
    let none = connect(TargetKind::Command(vec!["./no-such-program".into()]));
    let error = none.ask(&asked).await.unwrap_err();
    assert_eq!(error.kind, AskErrorKind::Refused);
    assert!(error.what.raw().contains("./no-such-program could not be started"), "{error:?}");
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let (pid, beat) = (folder.path().join("pid"), folder.path().join("beat"));
    let script = format!(
        "(while :; do date >> '{}'; sleep 0.02; done) & echo $! > '{}'; wait",
        beat.display(),
        pid.display()
    );
    let limits = TargetLimits { timeout: Duration::from_millis(600), ..quick() };
    let began = Instant::now();
    let (result, attempts) = patiently(&shell(&script), &limits).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind, attempts), (AskErrorKind::Timeout, 1));
    assert_eq!(error.what.raw(), "No answer within 600 ms.");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(pid.exists(), "the script never started");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let size = || std::fs::metadata(&beat).map(|m| m.len()).unwrap_or(0);
    let before = size();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(size(), before, "a child lives on");
}

#[tokio::test]
async fn what_passes_is_asked_again_and_what_does_not_is_not() {
    let server = LlmServer::start();
    let target = openai(&server);
    for fault in [Fault::HalfJson, Fault::Cut] {
        server.fault_next(fault);
    }
    let mut told = Vec::new();
    let (result, attempts) =
        ask_patiently(&target, &ask("hello"), &quick(), &Cancel::default(), |n, before| {
            told.push((n, before.map(|error| error.kind)));
            true
        })
        .await;
    assert_eq!(result.unwrap().output, Content::Text("You said: hello".into()));
    let befores = [None, Some(AskErrorKind::Unreadable), Some(AskErrorKind::Cut)];
    assert_eq!((attempts, told), (3, (1..).zip(befores).collect()));
    server.fault_next(Fault::HalfJson);
    let (result, attempts) =
        ask_patiently(&target, &ask("hello"), &quick(), &Cancel::default(), |n, _| n == 1).await;
    assert_eq!((result.unwrap_err().kind, attempts), (AskErrorKind::Unreadable, 1));
    let before = server.seen().len();
    server.fault_model("small", Fault::Status(400, Vec::new(), "bad".into()));
    assert_eq!(patiently(&target, &quick()).await.1, 1);
    server.fault_model("small", Fault::Status(429, vec![("retry-after", "0".into())], String::new()));
    let (result, attempts) = patiently(&target, &quick()).await;
    assert_eq!((result.unwrap_err().kind, attempts), (AskErrorKind::RateLimit, 3));
    assert_eq!(server.seen().len() - before, 4);
}

#[tokio::test]
async fn a_wish_to_be_left_alone_is_honoured_by_all_or_the_case_given_up() {
    let server = LlmServer::start();
    let target = openai(&server);
    server.fault_next(Fault::rate_limit("1"));
    let began = Instant::now();
    assert_eq!(patiently(&target, &quick()).await.1, 2);
    let took = began.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&took), "{took:?}");
    server.fault_next(Fault::rate_limit("60"));
    let began = Instant::now();
    let (result, attempts) = patiently(&target, &quick()).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind, attempts), (AskErrorKind::RateLimit, 1));
    assert!(error.what.raw().ends_with("asking again in 60 s would be too late."), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn the_time_limit_holds_and_a_wish_to_stop_is_followed_at_once() {
    let server = LlmServer::start();
    server.fault_model("small", Fault::Slow(Duration::from_secs(30)));
    let target = openai(&server);
    let limits = TargetLimits { timeout: Duration::from_millis(300), ..quick() };
    let began = Instant::now();
    let (result, attempts) = patiently(&target, &limits).await;
    assert_eq!((result.unwrap_err().kind, attempts), (AskErrorKind::Timeout, 1));
    assert!(began.elapsed() < Duration::from_secs(4));
    let cancel = Cancel::default();
    let began = Instant::now();
    let asked = ask("x");
    let limits = quick();
    let work = ask_patiently(&target, &asked, &limits, &cancel, |_, _| true);
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    };
    let ((result, attempts), ()) = tokio::join!(work, stop);
    assert_eq!((result.unwrap_err().kind, attempts), (AskErrorKind::Cancelled, 1));
    assert!(began.elapsed() < Duration::from_secs(3));
}
