#!/bin/sh
# Makes the base root file system: Debian 13 with the packages of the image, without faxbox.
#
#   base.sh [--cached]   prints the path of the finished tar; with --cached nothing is made: without one, failure
#
# For arm64 fifteen minutes of a processor once (its programs run by emulation); kept under a key of the package lists.
set -eu
. "$(dirname "$0")/common.sh"

lists="$image/packages.txt $image/packages-$architecture.txt $project/image-build/packages/run.txt"
# shellcheck disable=SC2086 # three paths
key=$(key_of $lists "$image/base.sh" -- "$SUITE")
base=$cache/base-$key.tar
if [ -e "$base" ]; then printf '%s\n' "$base"; exit 0; fi
[ "${1:-}" != --cached ] || exit 1

# What faxbox needs, less what only builds it; of "a | b" the name that Debian 13 has, which is the last.
needs=$(sed -n '/^# Two small modules/q; s/#.*//; s/.*| *//; /^[[:space:]]*$/d; p' "$project/image-build/packages/run.txt" |
    grep -v '^python3-venv' | paste -sd,)
say "making the base root file system for $architecture, once; for arm64 this takes a quarter of an hour"
# The initial RAM disk is made once, with our own pieces in it (root.sh): not here, where emulation makes it minutes.
"$image/toolbox.sh" run mmdebstrap --mode=root --architectures="$architecture" --variant=minbase \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-include=/usr/share/locale/de/*' \
    --dpkgopt=force-confold \
    --essential-hook='mkdir -p "$1/etc/initramfs-tools"' \
    --essential-hook='echo update_initramfs=no >"$1/etc/initramfs-tools/update-initramfs.conf"' \
    --include="adduser,debconf,$needs,$(entries "$image/packages.txt" "$image/packages-$architecture.txt" | paste -sd,)" \
    "$SUITE" "/cache/base-$key.part.tar" \
    "deb $mirror $SUITE main non-free-firmware" \
    "deb $mirror $SUITE-updates main non-free-firmware" \
    "deb $mirror $SUITE-backports main non-free-firmware" \
    "deb $security $SUITE-security main non-free-firmware" >"$cache/base.log" 2>&1 || { tail -n 30 "$cache/base.log" >&2; die "see $cache/base.log"; }
mv "$cache/base-$key.part.tar" "$base"
printf '%s\n' "$base"
