#!/bin/sh
# Makes the image for Raspberry Pi 3, 4, 5 and Zero 2 W, and for any arm64 machine that starts with U-Boot.
#
#   make.sh [--cached] [--quick]    writes dist/faxbox-VERSION-arm64.img.xz, .raucb (update) and .spdx.json
#
# --cached: without a finished base root file system nothing is made (exit 75).  --quick: not compressed, no bundle.
# Needs root, mmdebstrap and `make setup`; everything else is in the toolbox.
set -eu
. "$(dirname "$0")/common.sh"

NOT_CACHED=75 # EX_TEMPFAIL of sysexits.h
only_cached= quick=
for word in "$@"; do
    case $word in
        --cached) only_cached=--cached ;;
        --quick) quick=yes ;;
        *) die "unknown argument $word" ;;
    esac
done

base=$("$image/base.sh" $only_cached) || { [ -n "$only_cached" ] || exit 1; say "skipped: no cached base root file system (make image)"; exit $NOT_CACHED; }
"$image/keys.sh"
package=$("$image/package.sh")
root=$("$image/root.sh" "$base" "$package")
version=$("$project/image-build/version.sh")
name=faxbox-$version-arm64
mkdir -p "$project/dist"
say "making the disk"
"$image/toolbox.sh" run sh /project/image-build/image/disk.sh "/cache/${root##*/}" "/project/dist/$name" >&2
cp "${root%.tar}.spdx.json" "$project/dist/$name.spdx.json"
[ -z "$quick" ] || { printf '%s\n' "$project/dist/$name.img"; exit 0; }

say "making the update, signed"
"$image/toolbox.sh" run sh /project/image-build/image/bundle.sh "/project/dist/$name" "$version" >&2
say "compressing"
"$image/toolbox.sh" run xz --threads=0 --force --keep "/project/dist/$name.img"
say "$(du -h "$project/dist/$name.img.xz" | cut -f1) dist/$name.img.xz, $(du -h "$project/dist/$name.raucb" | cut -f1) dist/$name.raucb"
printf '%s\n' "$project/dist/$name.img"
