"""Lets real SDKs send real spans, and writes down what each of them exported.

    python sdks.py WHICH ENDPOINT OUT

WHICH is openinference, openllmetry or langfuse; ENDPOINT a receiver of OTLP over HTTP; OUT gets one JSON object
a span. The model behind the calls is a stub on loopback that answers as OpenAI's API does.
"""
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

which, endpoint, out = sys.argv[1:]


class Model(BaseHTTPRequestHandler):
    """A tool call, then an answer; the word `fail` is refused for volume."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        messages = asked["messages"]
        status, said, reason = 200, {"role": "assistant", "content": "The fee is 35 EUR."}, "stop"
        if messages[-1]["content"] == "fail":
            status = 429
        elif asked.get("tools") and messages[-1]["role"] != "tool":
            call = {"id": "call_1", "type": "function",
                    "function": {"name": "lookup_fee", "arguments": '{"account": 7}'}}
            said, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
        answer = {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": said, "finish_reason": reason}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19,
                      "prompt_tokens_details": {"cached_tokens": 4}},
        }
        if status != 200:
            answer = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


model = ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=model.serve_forever, daemon=True).start()
os.environ.update({
    "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": "support-bot", "OPENAI_API_KEY": "none",
    "OPENAI_BASE_URL": f"http://127.0.0.1:{model.server_port}/v1", "LANGFUSE_BASE_URL": endpoint,
    "LANGFUSE_PUBLIC_KEY": "pk-lf-x", "LANGFUSE_SECRET_KEY": "sk-lf-x",
})

from opentelemetry import trace  # noqa: E402
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter  # noqa: E402
from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: E402


class WriteDown(SpanExporter):
    def export(self, spans):
        with open(out, "a") as file:
            for span in spans:
                file.write(json.dumps({
                    "name": span.name, "trace": f"{span.context.trace_id:032x}", "span": f"{span.context.span_id:016x}",
                    "parent": f"{span.parent.span_id:016x}" if span.parent else None,
                    "start_ns": span.start_time, "end_ns": span.end_time, "failed": not span.status.is_ok,
                    "attributes": dict(span.attributes), "resource": dict(span.resource.attributes),
                    "events": [{"name": e.name, "attributes": dict(e.attributes)} for e in span.events],
                }) + "\n")
        return SpanExportResult.SUCCESS


def calls():
    from openai import OpenAI
    client = OpenAI(max_retries=0)
    tool = {"type": "function", "function": {"name": "lookup_fee", "description": "Looks up a fee",
            "parameters": {"type": "object", "properties": {"account": {"type": "integer"}}}}}
    messages = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "How much is the fee?"}]
    with trace.get_tracer("app").start_as_current_span("answer", attributes={"session.id": "s-1", "app.custom": 5}):
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=[tool], temperature=0.2)
        said = answer.choices[0].message
        messages += [said.model_dump(exclude_none=True),
                     {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "35"}]
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=[tool])
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "fail"}])
        raise SystemExit("the stub should have refused")
    except Exception as refused:
        print(f"as it should: {refused}")


if which == "langfuse":
    from langfuse import Langfuse, propagate_attributes
    client = Langfuse(environment="prod", release="1.2")
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(WriteDown()))
    about = {"user_id": "u-1", "session_id": "s-1", "tags": ["prod"], "metadata": {"tenant": "acme"}}
    with propagate_attributes(trace_name="support", **about), client.start_as_current_observation(
            as_type="span", name="answer", input={"question": "How much is the fee?"}) as root:
        with client.start_as_current_observation(
                as_type="generation", name="chat", model="gpt-4o-mini", model_parameters={"temperature": 0.2},
                input=[{"role": "user", "content": "How much is the fee?"}], metadata={"k": 1}) as step:
            step.update(output={"role": "assistant", "content": "The fee is 35 EUR."},
                        usage_details={"input": 12, "output": 7, "total": 19},
                        cost_details={"input": 0.0000018, "output": 0.0000042, "total": 0.000006})
        with client.start_as_current_observation(as_type="tool", name="lookup_fee", input={"account": 7}) as step:
            step.update(output="35")
        root.update(output="The fee is 35 EUR.")
    client.flush()
else:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(WriteDown()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    if which == "openinference":
        from openinference.instrumentation import using_attributes
        from openinference.instrumentation.openai import OpenAIInstrumentor
        OpenAIInstrumentor().instrument(tracer_provider=provider)
        with using_attributes(user_id="u-1", session_id="s-1", metadata={"tenant": "acme"}, tags=["prod"],
                              prompt_template="Fee of {account}?", prompt_template_version="v4",
                              prompt_template_variables={"account": 7}):
            calls()
    else:
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor
        OpenAIInstrumentor().instrument(tracer_provider=provider)
        calls()
    if not provider.force_flush():
        raise SystemExit("the spans were not sent in time")
