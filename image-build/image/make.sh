#!/bin/sh
# Makes the image: the card for Raspberry Pi 3, 4, 5 and Zero 2 W, and the same system as a disk for virtual machines.
#
#   make.sh [--cached] [--quick] [--disk card|machine]...
#
# Writes into dist/, each faxbox-VERSION-ARCHITECTURE: .img.xz (the card; arm64 alone), -vm.qcow2 (the disk), .raucb (the update,
# the same for both) and .spdx.json (its contents).  FAXBOX_ARCHITECTURE is arm64 (the default) or amd64.
#
# --cached: makes nothing without a base root file system in the cache (exit 75).  --quick: makes only the slot and the one disk
# named by --disk, both uncompressed, and prints the path of the disk last.
# Needs root and `image-build/setup.sh image`; everything else is in the toolbox.
set -eu
. "$(dirname "$0")/common.sh"

NOT_CACHED=75 # EX_TEMPFAIL of sysexits.h
only_cached= quick=
[ "$architecture" = arm64 ] && disks="card machine" || disks=machine
while [ $# -gt 0 ]; do
    case $1 in
        --cached) only_cached=--cached ;;
        --quick) quick=yes ;;
        --disk) disks=$2; shift ;;
        *) die "unknown argument $1" ;;
    esac
    shift
done

base=$("$image/base.sh" $only_cached) || { [ -n "$only_cached" ] || exit 1; say "skipped: no cached base root file system (make image)"; exit $NOT_CACHED; }
"$image/keys.sh"
package=$("$image/package.sh")
root=$("$image/root.sh" "$base" "$package")
version=$("$project/image-build/version.sh")
name=faxbox-$version-$architecture
mkdir -p "$project/dist"
cp "${root%.tar}.spdx.json" "$project/dist/$name.spdx.json"
run() { "$image/toolbox.sh" run "$@" >&2; }
steps=/project/image-build/image
say "making one slot"
run sh $steps/slot.sh "/cache/${root##*/}" "/project/dist/$name.ext4"
for disk in $disks; do
    case $disk in
        card) kind=card out=$name.img ;;
        machine) kind=$architecture out=$name-vm.img ;;
        *) die "no such disk: $disk" ;;
    esac
    say "making the disk $out"
    run sh $steps/disk.sh $kind "/cache/${root##*/}" "/project/dist/$name.ext4" "/project/dist/$out"
done
[ -z "$quick" ] || { printf '%s\n' "$project/dist/$out"; exit 0; }

say "making the update, signed"
run sh $steps/bundle.sh "/project/dist/$name" "$version" "$architecture"
say "compressing"
made="$name.raucb"
for disk in $disks; do
    if [ "$disk" = card ]; then
        run xz --threads=0 --force --keep "/project/dist/$name.img"
        made="$made $name.img.xz"
    else
        MACHINE_SIZE=8G # the data grow to it, and to whatever the owner makes of it
        run qemu-img convert -q -f raw -O qcow2 -c -o compression_type=zstd "/project/dist/$name-vm.img" "/project/dist/$name-vm.qcow2"
        run qemu-img resize -q "/project/dist/$name-vm.qcow2" $MACHINE_SIZE
        made="$made $name-vm.qcow2"
    fi
done
(cd "$project/dist" && du -h $made) >&2
