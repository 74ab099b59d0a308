#!/bin/sh
# The AWS SDK for JavaScript v3, from npm into build/javascript: a real client of the credentials endpoint. Where it
# cannot be had, that is said in a line, and its tests are skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
PARTS=build/javascript
[ -d "$PARTS/node_modules/@aws-sdk/client-sts" ] && exit 0
mkdir -p "$PARTS"
if command -v npm >/dev/null; then
    echo "Fetching the AWS SDK for JavaScript for the tests (once) …"
    npm install --silent --no-audit --no-fund --no-save --prefix "$PARTS" @aws-sdk/client-sts@3 >"$PARTS/npm.log" 2>&1 ||
        echo "The AWS SDK for JavaScript could not be installed; $PARTS/npm.log tells why." >&2
else
    echo "No npm here, so the tests of the AWS SDK for JavaScript are skipped. Type: apt-get install npm" >&2
fi
exit 0
