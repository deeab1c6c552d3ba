#!/bin/sh
# Runs the tests of printing against Debian 13's CUPS (2.4.10), whose cupsd, filters and backends run in a root
# file system of their own; lp, ipptool and pycups stay this machine's.
#
#   make test-debian-13
#   debian-13.sh [WORDS FOR PYTEST]
#
# Needs root; the first time some 300 MB from Debian's mirror, kept in ~/.cache/faxbox.
set -eu
project=$(CDPATH='' cd -- "$(dirname "$0")/../.." && pwd)
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=${XDG_CACHE_HOME:-$HOME/.cache}/faxbox/cups-debian-13

if [ ! -e "$root/usr/sbin/cupsd" ]; then
    command -v mmdebstrap >/dev/null || apt-get install --yes --no-install-recommends mmdebstrap
    rm -rf "$root.part"
    mkdir -p "$(dirname "$root")"
    mmdebstrap --quiet --mode=root --variant=minbase --aptopt='APT::Install-Recommends "false"' \
        --include=cups,cups-client,cups-filters,fonts-dejavu-core,ghostscript,poppler-utils,python3 \
        trixie "$root.part" "deb $mirror trixie main"
    mv "$root.part" "$root"
fi
chroot "$root" dpkg-query --show cups-daemon cups-filters
cd "$project"
[ $# -gt 0 ] || set -- tests/printing tests/api_ipp
FAXBOX_CUPS_ROOT=$root exec .venv/bin/pytest -q "$@"
