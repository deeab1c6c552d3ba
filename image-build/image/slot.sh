#!/bin/sh
# Makes a slot from the root file system: a partition of the disk, and the content of an update; runs in the toolbox (make.sh).
#
#   slot.sh ROOT.tar OUT.ext4
set -eu

root=$1 out=$2
. "$(dirname "$0")/layout.sh"
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" E2FSPROGS_FAKE_TIME="${SOURCE_DATE_EPOCH:-0}"

# Left out: features that U-Boot does not read, and a journal, since nothing is ever written here.
uuid=$(uuid_of "$root")
mke2fs -q -t ext4 -L faxbox -U "$uuid" -E "hash_seed=$uuid" -O ^has_journal,^metadata_csum,^metadata_csum_seed,^orphan_file,^64bit \
    -m 0 -d "$root" "$out" ${SLOT_MIB}M
