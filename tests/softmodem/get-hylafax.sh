#!/bin/sh
# Unpacks Debian's HylaFAX into a directory, without installing it: tests/softmodem/hylafax.py runs it there.
# Usage: get-hylafax.sh [DIR], default .cache/hylafax beside the tests.
set -eu
dir=${1:-$(dirname "$0")/../../.cache/hylafax}
[ -x "$dir/usr/lib/hylafax/bin/faxsend" ] && exit 0
mkdir -p "$dir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
(cd "$work" && apt-get download hylafax-server hylafax-client)
for package in "$work"/*.deb; do dpkg -x "$package" "$dir"; done
