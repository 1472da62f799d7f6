#!/bin/sh
# Makes a Python environment with the SDKs that send real spans: OpenTelemetry's with the instrumentation of
# OpenInference and OpenLLMetry, and Langfuse's. Prints the path of its python. Half a minute the first time.
#
#     tests/sdks.sh          # then: cargo test --test e2e sdks -- --ignored
set -eu

root="$(cd "$(dirname "$0")/.." && pwd)"
home="${CARGO_TARGET_DIR:-$root/target}/sdks"
python="$home/bin/python"

command -v python3 >/dev/null || { echo "python3 is missing" >&2; exit 1; }
if ! "$python" -c 'import langfuse, openai, openinference.instrumentation.openai' 2>/dev/null; then
    python3 -m venv "$home" >&2
    "$python" -m pip install --quiet --disable-pip-version-check \
        'opentelemetry-sdk==1.45.2' 'opentelemetry-exporter-otlp-proto-http==1.45.2' \
        'openinference-instrumentation-openai==0.1.66' 'opentelemetry-instrumentation-openai==0.62.4' \
        'langfuse==5.0.4' 'openai==3.57.0' >&2
fi
echo "$python"
