"""Why a backup cannot be read."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

BACKUP_PASSPHRASE_WRONG = declare(
    "backup_passphrase_wrong",
    Side.USER,
    Retry.NO,
    "This is not the passphrase of this backup.",
    "Type the passphrase that was chosen when the backup was made; without it nobody can read it.",
)
BACKUP_DAMAGED = declare(
    "backup_damaged",
    Side.USER,
    Retry.NO,
    "This is not a complete backup of a faxbox.",
    "Nothing was changed. Copy the file anew from where it was kept, or take an older one.",
)
BACKUP_TOO_NEW = declare(
    "backup_too_new",
    Side.USER,
    Retry.NO,
    "This backup was made by a newer version of faxbox.",
    "Nothing was changed. Update this box first.",
)
