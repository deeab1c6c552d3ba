#!/bin/sh
# Makes the update from one slot, signed; runs in the toolbox (make.sh).
#
#   bundle.sh OUT VERSION ARCHITECTURE [KEYS]   OUT.ext4 becomes OUT.raucb, signed with KEYS/key.pem
#
# FAXBOX_BUNDLE_LEVEL is zstd's level: 15 by default, 1 for tests.
set -eu

out=$1 version=$2 architecture=$3 keys=${4:-/cache/keys}
work=$(mktemp -d /var/tmp/bundle.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir "$work/content"
ln "$out.ext4" "$work/content/rootfs.ext4" 2>/dev/null || cp --sparse=always "$out.ext4" "$work/content/rootfs.ext4"
cat >"$work/content/manifest.raucm" <<END
[update]
compatible=faxbox-$architecture
version=$version

[bundle]
format=plain

[image.rootfs]
filename=rootfs.ext4
END
rm -f "$out.raucb"
rauc --cert "$keys/keyring.pem" --key "$keys/key.pem" \
    --mksquashfs-args="-comp zstd -Xcompression-level ${FAXBOX_BUNDLE_LEVEL:-15}" bundle "$work/content" "$out.raucb" >&2
