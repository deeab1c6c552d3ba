#!/bin/sh
# Makes a disk with three updates; runs in the toolbox.
#
#   updates.sh SLOT.ext4 OUT.img ARCHITECTURE
#
# newer.raucb (also beside OUT.img) says another version, broken.raucb holds a box that cannot start, stranger.raucb has another's signature.
set -eu

slot=$1 out=$2 architecture=$3
bundle=/project/image-build/image/bundle.sh
export FAXBOX_BUNDLE_LEVEL=1
work=$(mktemp -d "${out%/*}/updates.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/disk" "$work/stranger"

cp --sparse=always "$slot" "$work/newer.ext4"
debugfs -R "dump /usr/lib/os-release $work/os-release" "$work/newer.ext4" 2>/dev/null
sed -i 's/^IMAGE_VERSION=.*/IMAGE_VERSION=newer/' "$work/os-release"
printf '%s\n' 'rm /usr/lib/os-release' 'cd /usr/lib' "write $work/os-release os-release" >"$work/commands"
debugfs -w -f "$work/commands" "$work/newer.ext4" >/dev/null 2>&1
sh $bundle "$work/newer" newer "$architecture"

cp --sparse=always "$work/newer.ext4" "$work/broken.ext4"
printf '#!/bin/sh\nexit 1\n' >"$work/false"
printf '%s\n' 'rm /usr/lib/faxbox/bin/faxbox' 'cd /usr/lib/faxbox/bin' "write $work/false faxbox" \
    'set_inode_field faxbox mode 0100755' >"$work/commands"
debugfs -w -f "$work/commands" "$work/broken.ext4" >/dev/null 2>&1
sh $bundle "$work/broken" broken "$architecture"

openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=stranger -addext keyUsage=critical,digitalSignature \
    -addext extendedKeyUsage=emailProtection -keyout "$work/stranger/key.pem" -out "$work/stranger/keyring.pem" 2>/dev/null
ln "$work/newer.ext4" "$work/stranger.ext4"
sh $bundle "$work/stranger" newer "$architecture" "$work/stranger"

mv "$work"/*.raucb "$work/disk/"
ln "$work/disk/newer.raucb" "${out%/*}/newer.raucb"
rm -f "$out"
mke2fs -q -t ext4 -d "$work/disk" "$out" 2G
