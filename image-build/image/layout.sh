# What the system, the slots and the disk must agree about.  Sourced, not run.
# shellcheck shell=sh disable=SC2034

# The disk's number in its partition table; the partitions' names (PARTUUID) are made of it.  The same on every card.
DISK=fa8b0c5e

SLOT_MIB=1280

# Prints the UUID of a file system made from a root: the same for the same root.
uuid_of() { sha256sum "$1" | sed 's/\(........\)\(....\).\(...\).\(...\)\(............\).*/\1-\2-4\3-8\4-\5/'; }
