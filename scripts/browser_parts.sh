#!/bin/sh
# What the browser tests need beside .venv, into build/browser: the hub's proxy and axe-core from npm, other lines of ipykernel
# from PyPI; and Chromium and Firefox from Debian, where this user may install it. What cannot be had is said in a line, and
# the tests that need it are skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
PARTS=build/browser
PYTHON=${PYTHON:-.venv/bin/python}
mkdir -p "$PARTS"

if [ ! -x /usr/bin/chromium ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Chromium for the browser tests (once) …"
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium; } >"$PARTS/apt.log" 2>&1 ||
            echo "Chromium could not be installed; $PARTS/apt.log tells why." >&2
    else
        echo "No Chromium here, so the browser tests are skipped. Type: apt-get install chromium" >&2
    fi
fi

# Firefox speaks WebDriver BiDi itself, so it needs no driver.
if [ ! -x /usr/bin/firefox-esr ] && [ ! -x /usr/bin/firefox ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Firefox for the browser tests (once) …"
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y firefox-esr; } >>"$PARTS/apt.log" 2>&1 ||
            echo "Firefox could not be installed; $PARTS/apt.log tells why." >&2
    else
        echo "No Firefox here, so its tests are skipped. Type: apt-get install firefox-esr" >&2
    fi
fi

if [ ! -e "$PARTS/node_modules/configurable-http-proxy/bin/configurable-http-proxy" ]; then
    if command -v npm >/dev/null; then
        npm install --silent --no-audit --no-fund --no-save --prefix "$PARTS" configurable-http-proxy@5 axe-core@4 >"$PARTS/npm.log" 2>&1 ||
            echo "configurable-http-proxy could not be installed; $PARTS/npm.log tells why." >&2
    else
        echo "No npm here, so the browser tests are skipped. Type: apt-get install npm" >&2
    fi
fi

if [ ! -e "$PARTS/node_modules/axe-core/axe.min.js" ] && command -v npm >/dev/null; then
    npm install --silent --no-audit --no-fund --no-save --prefix "$PARTS" configurable-http-proxy@5 axe-core@4 >"$PARTS/npm.log" 2>&1 ||
        echo "axe-core could not be installed; $PARTS/npm.log tells why." >&2
fi

# Each beside the packages of .venv, in front of its own ipykernel.
for wanted in "ipykernel6 ipykernel<7" "ipykernel7.0 ipykernel==7.0.1" "ipykernel7.2 ipykernel==7.2.*"; do
    folder=$PARTS/${wanted%% *}
    [ -d "$folder/ipykernel" ] && continue
    "$PYTHON" -m pip install -qq --no-input --no-deps --disable-pip-version-check --target "$folder" "${wanted#* }" 2>"$PARTS/pip.log" ||
        echo "${wanted#* } could not be installed; its tests are skipped. $PARTS/pip.log tells why." >&2
done
exit 0
