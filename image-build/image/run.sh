#!/bin/sh
# Starts an image in an emulator of 2 processors and 512 MiB, on 127.0.0.1 alone.
#
#   run.sh card|uefi|bios DISK.qcow2 HTTP_PORT [QEMU ARGUMENT...]   HTTP_PORT on 127.0.0.1 leads to the guest's port 80
#   run.sh --disk IMAGE.img DISK.qcow2 [SIZE]                       makes an overlay disk; IMAGE.img is not written
#
# card: QEMU's board "virt", a 64-bit ARM, with U-Boot.  uefi, bios: a virtual machine of FAXBOX_ARCHITECTURE with that firmware.
# FAXBOX_KVM=yes runs amd64 with KVM; for hosts that are not virtual machines themselves.
# FAXBOX_FORWARD adds one more forwarding, as "tcp:127.0.0.1:2222-:22".  The guest's console is standard output.
set -eu
. "$(dirname "$0")/common.sh"

if [ "$1" = --disk ]; then
    exec "$image/toolbox.sh" run qemu-img create -q -f qcow2 -b "$2" -F raw "$3" "${4:-8G}"
fi
firmware=$1 disk=$2 port=$3
shift 3
accelerator="${FAXBOX_KVM:+-accel kvm}"
case $architecture-$firmware in
    arm64-card) board="-M virt -cpu cortex-a53 -bios /usr/lib/u-boot/qemu_arm64/u-boot.bin" ;;
    arm64-uefi) board="-M virt -cpu cortex-a53 -bios /usr/share/qemu-efi-aarch64/QEMU_EFI.fd" ;;
    amd64-uefi) board="-M q35 $accelerator -cpu qemu64 -bios /usr/share/ovmf/OVMF.fd" ;;
    amd64-bios) board="-M q35 $accelerator -cpu qemu64" ;;
    *) die "no machine of $architecture with $firmware" ;;
esac
# shellcheck disable=SC2086 # words
exec "$image/toolbox.sh" run "qemu-system-$machine" $board -smp 2 -m 512 -nographic \
    -drive "if=none,id=card,file=$disk,format=qcow2,cache=writeback" \
    -device virtio-blk-pci,drive=card -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:80${FAXBOX_FORWARD:+,hostfwd=$FAXBOX_FORWARD}" \
    -device virtio-net-pci,netdev=net,romfile= "$@"
