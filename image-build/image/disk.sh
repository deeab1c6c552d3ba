#!/bin/sh
# Makes a disk from the root file system and the slot made from it; runs in the toolbox (make.sh).
#
#   disk.sh card|arm64|amd64 ROOT.tar SLOT.ext4 OUT.img
#
# card: of a Raspberry Pi, which starts by U-Boot.  arm64, amd64: of a virtual machine, which starts by GRUB, from UEFI or
# (amd64) a BIOS.
#
#   0        the partition table; for a BIOS also GRUB
#   1 MiB    U-Boot's state, one sector (boot/boot.cmd); GRUB's is a file (grub/grubenv)
#   4 MiB    1  FAT    256 MiB   files that start the machine, and files of the owner
#            2  ext4  1280 MiB   root, slot A
#            3  ext4  1280 MiB   root, slot B; empty until the first update
#            4  ext4   128 MiB   data; grows to the size of the disk at the first start
set -eu

kind=$1 root=$2 slot=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
MIB=1048576
. "$here/layout.sh"
STATE_MIB=4 BOOT_MIB=256 DATA_MIB=128
A_MIB=$((STATE_MIB + BOOT_MIB)) B_MIB=$((STATE_MIB + BOOT_MIB + SLOT_MIB)) DATA_AT_MIB=$((STATE_MIB + BOOT_MIB + 2 * SLOT_MIB))
STATE_AT=2048 STATE_OCTETS=512 # sector, size: boot/boot.cmd, /etc/fw_env.config
work=$(mktemp -d /var/tmp/disk.XXXXXX)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" E2FSPROGS_FAKE_TIME="${SOURCE_DATE_EPOCH:-0}" MTOOLS_SKIP_CHECK=1

# Writes a file into the disk: FILE SECTOR
put() { dd if="$1" of="$out" bs=512 seek="$2" conv=notrunc,sparse status=none; }
sector() { echo $(($1 * (MIB / 512))); }
boot() { mcopy -i "$work/boot.fat" "$@"; }

# The contents of the first partition and of the space before it.  Slot B is empty, so it has no starts.

for_card() {
    mkimage -A arm64 -T script -C none -n faxbox -d "$here/boot/boot.cmd" "$work/boot.scr" >/dev/null
    tar -xf "$root" -C "$work" --wildcards './usr/lib/raspi-firmware/*' './usr/lib/u-boot/rpi_arm64/*' './boot/dtb/broadcom/bcm2*'
    boot "$work"/usr/lib/raspi-firmware/*.bin "$work"/usr/lib/raspi-firmware/*.elf "$work"/usr/lib/raspi-firmware/*.dat \
        "$work"/usr/lib/u-boot/rpi_arm64/u-boot.bin "$work"/boot/dtb/broadcom/bcm2*-rpi-*.dtb "$here/boot/config.txt" "$work/boot.scr" ::
    printf 'BOOT_ORDER=A B\nBOOT_A_LEFT=14\nBOOT_B_LEFT=0\n' | mkenvimage -s $STATE_OCTETS -o "$work/state" -
}

for_machine() { # GRUB'S NAME OF THE MACHINE, UEFI'S NAME OF THE FILE (3.5.1.1)
    sed "s/@DISK@/$DISK/" "$here/boot/grub.cfg" >"$work/grub.cfg"
    grub-script-check "$work/grub.cfg"
    mmd -i "$work/boot.fat" ::/EFI ::/EFI/BOOT ::/grub
    boot "$work/grub.cfg" ::/grub/
    grub "$1" /grub efi_gop "$work/$2"
    boot "$work/$2" ::/EFI/BOOT/
    # One sector, which is written atomically; GRUB's own tool would make two.
    printf '# GRUB Environment Block\nORDER=A B\nA_LEFT=%s\nB_LEFT=\n' xxxxxxxxxxxxxxxxxxxx >"$work/grubenv"
    head -c $((STATE_OCTETS - $(stat -c %s "$work/grubenv"))) /dev/zero | tr '\0' '#' >>"$work/grubenv"
    boot "$work/grubenv" ::/grub/
}

for_bios() {
    grub i386-pc '(,msdos1)/grub' biosdisk "$work/core"
    [ "$(stat -c %s "$work/core")" -lt $((STATE_MIB * MIB - 512)) ] || { echo "GRUB does not fit before the first partition"; exit 1; }
    put "$work/core" 1
    dd if=/usr/lib/grub/i386-pc/boot.img of="$out" bs=440 count=1 conv=notrunc status=none # the rest of it is the partition table
}

grub() { # MACHINE FOLDER SCREEN-OR-DISK OUT
    # Also the modules that grub.cfg uses.
    grub-mkimage -O "$1" -d "/usr/lib/grub/$1" -p "$2" -o "$4" "$3" normal part_msdos fat ext2 linux loadenv regexp test echo reboot
}

mkfs.vfat -C -F 32 -n FAXBOX -i "$DISK" "$work/boot.fat" $((BOOT_MIB * 1024)) >/dev/null
boot "$here/boot/README.txt" ::
case $kind in
    card) for_card ;;
    arm64) for_machine arm64-efi BOOTAA64.EFI ;;
    amd64) for_machine x86_64-efi BOOTX64.EFI ;;
    *) echo "no such kind of disk: $kind"; exit 1 ;;
esac
type=ef # UEFI's own
[ "$kind" != card ] || type=c # FAT

# -- the data partition, and assembly ------------------------------------------------------------------
uuid=$(uuid_of "$root")
mke2fs -q -t ext4 -O encrypt -L data -m 1 -U "$uuid" -E "hash_seed=$uuid" "$work/data" ${DATA_MIB}M
rm -f "$out"
truncate -s $(((DATA_AT_MIB + DATA_MIB) * MIB)) "$out"
sfdisk --quiet "$out" <<END
label: dos
label-id: 0x$DISK
start=${STATE_MIB}MiB, size=${BOOT_MIB}MiB, type=$type, bootable
start=${A_MIB}MiB, size=${SLOT_MIB}MiB, type=83
start=${B_MIB}MiB, size=${SLOT_MIB}MiB, type=83
start=${DATA_AT_MIB}MiB, type=83
END
[ "$kind" != amd64 ] || for_bios
[ "$kind" != card ] || put "$work/state" $STATE_AT
put "$work/boot.fat" "$(sector $STATE_MIB)"
put "$slot" "$(sector $A_MIB)"
put "$work/data" "$(sector $DATA_AT_MIB)"
