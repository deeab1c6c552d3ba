# What the system and the disk must agree about.  Sourced, not run.
# shellcheck shell=sh disable=SC2034

# The disk's number in its partition table; the partitions' names (PARTUUID) are made of it.  The same on every card.
DISK=fa8b0c5e
