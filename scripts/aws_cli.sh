#!/bin/sh
# A current AWS CLI v2 into build/aws-cli, for the tests that set ours beside the real one. PyPI has only v1; Debian
# has v2 as plain Python, which apt fetches from this machine's own mirror and checks, without root and without
# installing it, and the Python of .venv runs. Where it cannot be had, a line says so; a v2 of the system does too.
set -u
cd "$(dirname "$0")/.." || exit 1
PARTS=build/aws-cli
PYTHON=${PYTHON:-.venv/bin/python}
LOG=$PARTS/apt.log

runs() { "$1" --version 2>/dev/null | grep -q '^aws-cli/2\.'; }

runs "$PARTS/aws" && exit 0
mkdir -p "$PARTS"
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "No apt here, so tests beside the AWS CLI v2 need one in /usr/bin or /usr/local/bin." >&2
    exit 0
fi
echo "Fetching the AWS CLI v2 for the tests (once) …"

APT=$PWD/$PARTS/apt
mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial"
apt() {
    apt-get -q -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o Dir::State::lists="$APT/lists" -o Dir::Cache="$APT/cache" "$@"
}
apt_here() {
    apt -o Dir::Etc::sourcelist="$APT/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null "$@"
}
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=$(apt --print-uris update 2>/dev/null | sed -n "s|^'\([^']*debian/\)dists/$release/InRelease'.*|\1|p" | head -n 1)
[ -n "$mirror" ] || echo "This machine has no mirror of Debian." >"$LOG"

# The newest knows most; the stable one stays as it is for years.
for suite in sid stable; do
    [ -n "$mirror" ] || break
    echo "deb $mirror $suite main" >"$APT/sources.list"
    rm -rf "$PARTS/package" "$PARTS"/*.deb
    { apt_here update && (cd "$PARTS" && apt_here download awscli) && dpkg-deb -x "$PARTS"/awscli_*.deb "$PARTS/package"; } \
        >>"$LOG" 2>&1 || continue
    case $PYTHON in /*) python=$PYTHON ;; *) python=$PWD/$PYTHON ;; esac
    cat >"$PARTS/aws" <<EOF
#!/bin/sh
# Made by scripts/aws_cli.sh.
PYTHONPATH='$PWD/$PARTS/package/usr/lib/python3/dist-packages' exec '$python' '$PWD/$PARTS/package/usr/bin/aws' "\$@"
EOF
    chmod +x "$PARTS/aws"
    runs "$PARTS/aws" && break
    echo "The AWS CLI of $suite does not run on this Python." >>"$LOG"
    rm -f "$PARTS/aws"
done
rm -rf "$APT" "$PARTS"/*.deb
[ -x "$PARTS/aws" ] || echo "The AWS CLI v2 could not be had; $LOG tells why. Tests beside it need one in /usr/bin." >&2
exit 0
