#!/bin/sh
# Starts an image in an emulator (QEMU's board "virt", a 64-bit ARM of 2 processors and 512 MiB).
#
#   run.sh DISK.qcow2 HTTP_PORT [QEMU ARGUMENT...]   HTTP_PORT on 127.0.0.1 leads to the guest's port 80
#   run.sh --disk IMAGE.img DISK.qcow2 [SIZE]        makes a disk that writes beside the image
#
# FAXBOX_FORWARD adds one more forwarding, as "tcp:127.0.0.1:2222-:22".  The guest's console is standard output.
set -eu
. "$(dirname "$0")/common.sh"

if [ "$1" = --disk ]; then
    exec "$image/toolbox.sh" run qemu-img create -q -f qcow2 -b "$2" -F raw "$3" "${4:-8G}"
fi
disk=$1 port=$2
shift 2
exec "$image/toolbox.sh" run qemu-system-aarch64 -M virt -cpu cortex-a53 -smp 2 -m 512 -nographic \
    -bios /usr/lib/u-boot/qemu_arm64/u-boot.bin -drive "if=none,id=card,file=$disk,format=qcow2,cache=writeback" \
    -device virtio-blk-pci,drive=card -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:80${FAXBOX_FORWARD:+,hostfwd=$FAXBOX_FORWARD}" \
    -device virtio-net-pci,netdev=net,romfile= "$@"
