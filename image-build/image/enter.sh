#!/bin/sh
# Runs a command in the toolbox, with the checkout and the cache mounted there.  Called by toolbox.sh in a
# separate mount namespace.
#
#   enter.sh ROOT PROJECT CACHE COMMAND...
set -eu
root=$1 project=$2 cache=$3
shift 3

for each in proc sys dev; do mount --rbind "/$each" "$root/$each"; done
mount --bind "$project" "$root/project"
mount --bind "$cache" "$root/cache"
cp /etc/resolv.conf "$root/etc/resolv.conf"

# Programs for arm64 run by emulation.  The kernel keeps the emulator open (F), so that it is found in any
# root, and hands it the file already opened (O) with the caller's credentials (C).  The magic is that of
# ELF, 64 bits, little-endian, executable or shared, machine 0xb7.
binfmt=/proc/sys/fs/binfmt_misc
magic='\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
[ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt
if [ ! -e $binfmt/qemu-aarch64 ]; then
    printf '%s' ":qemu-aarch64:M::$magic:$mask:$root/usr/bin/qemu-aarch64:OCF" >$binfmt/register
fi

# This processor model lacks pointer authentication, which takes 20 times as long to emulate.
exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 QEMU_CPU=cortex-a53 \
    ${SOURCE_DATE_EPOCH:+SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH"} "$@"
