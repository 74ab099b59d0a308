#!/bin/sh
# Clients for the tests that go into no environment with the others: the AWS SDK for JavaScript v3, from npm into
# build/javascript, and aioboto3, which wants another aiobotocore than s3fs has, into build/aioboto3. Where one cannot be
# had, that is said in a line, and its tests are skipped. With `bench`: what stands beside ours there.
set -u
cd "$(dirname "$0")/.." || exit 1
PYTHON=${PYTHON:-python3}
if [ ! -d build/aioboto3/aioboto3 ]; then
    echo "Fetching aioboto3 for the tests (once) …"
    mkdir -p build/aioboto3
    "$PYTHON" -m pip install --quiet --target build/aioboto3 aioboto3 >build/aioboto3/pip.log 2>&1 ||
        echo "aioboto3 could not be installed; build/aioboto3/pip.log tells why." >&2
fi
if [ "${1:-}" = bench ]; then
    for package in aws-sso-util detect-secrets nbstripout; do
        [ -f "build/$package/pip.log" ] && continue
        mkdir -p "build/$package"
        "$PYTHON" -m pip install --quiet --target "build/$package" "$package" >"build/$package/pip.log" 2>&1 ||
            echo "$package could not be installed; build/$package/pip.log tells why." >&2
    done
    exit 0
fi
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
