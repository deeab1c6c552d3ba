"""Units and bounds of numbers that owners and programs give and read."""

from __future__ import annotations

# Octets, as disks, providers and mail servers count them; memory is counted in MiB.
MB, GB = 1_000_000, 1_000_000_000
# The largest id: integers that every JSON reader holds exactly (RFC 7493 2.2).
ID_MAX = (1 << 53) - 1
