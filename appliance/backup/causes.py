"""Why a backup cannot be read."""

from __future__ import annotations

from appliance.causes import user_mistake

BACKUP_PASSPHRASE_WRONG = user_mistake(
    "backup_passphrase_wrong",
    "This is not the passphrase of this backup.",
    "Type the passphrase that was chosen when the backup was made; without it nobody can read it.",
)
BACKUP_DAMAGED = user_mistake(
    "backup_damaged",
    "This is not a complete backup of a faxbox.",
    "Nothing was changed. Copy the file anew from where it was kept, or take an older one.",
)
BACKUP_TOO_NEW = user_mistake(
    "backup_too_new",
    "This backup was made by a newer version of faxbox.",
    "Nothing was changed. Update this box first.",
)
