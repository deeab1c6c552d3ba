#!/bin/sh
# Makes the disk from the root file system; runs in the toolbox (make.sh).
#
#   disk.sh ROOT.tar OUT
#
# Writes OUT.img, a whole card, and OUT.ext4, one slot, for updates.
#
#   1 MiB    the starter's state, one sector (boot.cmd)
#   4 MiB    1  FAT    256 MiB   the Pi's firmware, U-Boot, what the owner puts there
#            2  ext4  1280 MiB   root, slot A
#            3  ext4  1280 MiB   root, slot B; empty until the first update
#            4  ext4   128 MiB   data; grows to the card when it first starts
set -eu

root=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
MIB=1048576
. "$here/layout.sh"
STATE_MIB=4 BOOT_MIB=256 SLOT_MIB=1280 DATA_MIB=128
A_MIB=$((STATE_MIB + BOOT_MIB)) B_MIB=$((STATE_MIB + BOOT_MIB + SLOT_MIB)) DATA_AT_MIB=$((STATE_MIB + BOOT_MIB + 2 * SLOT_MIB))
STATE_AT=2048 STATE_OCTETS=512 # sector, size: boot.cmd, /etc/fw_env.config
work=$(mktemp -d /var/tmp/disk.XXXXXX)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" E2FSPROGS_FAKE_TIME="${SOURCE_DATE_EPOCH:-0}" MTOOLS_SKIP_CHECK=1

# -- a slot ----------------------------------------------------------------------------------------
# Left out: features that U-Boot does not read, and a journal, since nothing is ever written here.
uuid=$(sha256sum "$root" | sed 's/\(........\)\(....\).\(...\).\(...\)\(............\).*/\1-\2-4\3-8\4-\5/')
mke2fs -q -t ext4 -L faxbox -U "$uuid" -E "hash_seed=$uuid" -O ^has_journal,^metadata_csum,^metadata_csum_seed,^orphan_file,^64bit \
    -m 0 -d "$root" "$out.ext4" ${SLOT_MIB}M

# -- the first partition -----------------------------------------------------------------------------
mkimage -A arm64 -T script -C none -n faxbox -d "$here/boot/boot.cmd" "$work/boot.scr" >/dev/null
tar -xf "$root" -C "$work" --wildcards './usr/lib/raspi-firmware/*' './usr/lib/u-boot/rpi_arm64/*' './boot/dtb/broadcom/bcm2*'
mkfs.vfat -C -F 32 -n FAXBOX -i "$DISK" "$work/boot.fat" $((BOOT_MIB * 1024)) >/dev/null
mcopy -i "$work/boot.fat" "$work"/usr/lib/raspi-firmware/*.bin "$work"/usr/lib/raspi-firmware/*.elf \
    "$work"/usr/lib/raspi-firmware/*.dat "$work"/usr/lib/u-boot/rpi_arm64/u-boot.bin "$work"/boot/dtb/broadcom/bcm2*-rpi-*.dtb \
    "$here/boot/config.txt" "$here/boot/README.txt" "$work/boot.scr" ::

# -- the data, and all of it together ------------------------------------------------------------------
mke2fs -q -t ext4 -L data -m 1 -U "$uuid" -E "hash_seed=$uuid" "$work/data" ${DATA_MIB}M
rm -f "$out.img"
truncate -s $(((DATA_AT_MIB + DATA_MIB) * MIB)) "$out.img"
sfdisk --quiet "$out.img" <<END
label: dos
label-id: 0x$DISK
start=${STATE_MIB}MiB, size=${BOOT_MIB}MiB, type=c, bootable
start=${A_MIB}MiB, size=${SLOT_MIB}MiB, type=83
start=${B_MIB}MiB, size=${SLOT_MIB}MiB, type=83
start=${DATA_AT_MIB}MiB, type=83
END
put() { dd if="$1" of="$out.img" bs=1M seek="$2" conv=notrunc,sparse status=none; }
put "$work/boot.fat" $STATE_MIB
put "$out.ext4" $A_MIB
put "$work/data" $DATA_AT_MIB
# Slot B is empty: it has no start.
printf 'BOOT_ORDER=A B\nBOOT_A_LEFT=14\nBOOT_B_LEFT=0\n' | mkenvimage -s $STATE_OCTETS -o "$work/state" -
dd if="$work/state" of="$out.img" bs=512 seek=$STATE_AT conv=notrunc status=none
