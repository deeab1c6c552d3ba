#!/bin/sh
# Makes the root file system of the image: the base, faxbox's package, and the files in root/.
#
#   root.sh BASE.tar PACKAGE.deb   prints the path of the finished tar
set -eu
. "$(dirname "$0")/common.sh"

base=$1 package=$2
pieces=$(find "$image/root" -type f | LC_ALL=C sort)
# shellcheck disable=SC2086 # no blanks in our names
key=$(key_of "$package" $pieces "$image/root.sh" "$image/assemble.sh" "$image/layout.sh" "$image/sbom.py" -- "$base")
root=$cache/root-$key.tar
if [ -e "$root" ]; then printf '%s\n' "$root"; exit 0; fi

# The initial RAM disk takes minutes under emulation; it depends on the base and on our pieces in it alone.
# shellcheck disable=SC2086
initrd=initrd-$(key_of $(printf '%s\n' "$pieces" | grep /initramfs-tools/) -- "$base")
say "putting the root file system together"
cp "$package" "$cache/faxbox.deb"
"$image/toolbox.sh" run sh /project/image-build/image/assemble.sh "/cache/${base##*/}" /cache/faxbox.deb \
    "/cache/$initrd" "/cache/root-$key.part" >&2
rm -f "$cache/faxbox.deb"
mv "$cache/root-$key.part" "$root"
mv "$cache/root-$key.part.spdx.json" "$cache/root-$key.spdx.json"
printf '%s\n' "$root"
