#!/bin/sh
# The browser test: a whole day with two members. Builds nothing: the bot comes from $DRILLBOT, else target/debug/drillbot.
set -eu
case "${DRILLBOT:-}" in
    "" | /*) ;;
    *) export DRILLBOT="$PWD/$DRILLBOT" ;; # said from where run.sh was called
esac
cd "$(dirname "$0")"

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    echo "The browser test needs Node.js 18 or newer with npm. Install them and try again." >&2
    exit 2
fi
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 18 ]; then
    echo "The browser test needs Node.js 18 or newer; this is $(node --version)." >&2
    exit 2
fi
if [ -z "${CHROMIUM:-}" ]; then
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then CHROMIUM=$(command -v "$name"); break; fi
    done
fi
if [ -z "${CHROMIUM:-}" ] || [ ! -x "$CHROMIUM" ]; then
    echo "The browser test needs Chromium. Install chromium or google-chrome, or say where it is: CHROMIUM=/path/to/chromium" >&2
    exit 2
fi
export CHROMIUM

# node_modules is fresh when it was installed from this very lock file.
if ! cmp -s package-lock.json node_modules/.installed-from; then
    npm ci --silent --no-audit --no-fund
    cp package-lock.json node_modules/.installed-from
fi
exec node day.mjs
