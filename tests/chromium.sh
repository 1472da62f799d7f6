#!/bin/sh
# Finds a headless Chromium, or installs Debian's where that is allowed (root, with apt). Prints its path. A minute the
# first time.
#
#     tests/chromium.sh      # then: cargo test --test e2e pages -- --ignored
set -eu

find_it() {
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name"; then return 0; fi
    done
    return 1
}

if ! find_it; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "chromium is missing" >&2; exit 1; }
    apt-get update >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core >&2
    find_it || { echo "chromium is missing after its installation" >&2; exit 1; }
fi
