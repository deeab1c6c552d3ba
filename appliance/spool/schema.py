"""The migrations of the spool's tables, one script for each version."""

from __future__ import annotations

import sqlite3

from appliance.spool.first_schema import SCHEMA_1
from appliance.spool.word_tables import SCHEMA_18

# The recipient's company, for the cover page.
SCHEMA_2 = "ALTER TABLE job ADD COLUMN company TEXT NOT NULL DEFAULT '';"

SCHEMA_3 = """
CREATE TABLE offer (                    -- a document for callers that poll
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,          -- SEP; empty: for callers that name nothing
    title TEXT NOT NULL,
    files TEXT NOT NULL,                -- JSON, list of SourceFile
    rendered_path TEXT NOT NULL,
    pages INTEGER NOT NULL,
    created_at REAL NOT NULL,
    polled INTEGER NOT NULL DEFAULT 0,
    polled_at REAL
) STRICT;
"""

# Remarks on parts of the document that a fax lacks:  JSON, see ``remarks``.
SCHEMA_4 = "ALTER TABLE job ADD COLUMN remarks TEXT NOT NULL DEFAULT '[]';"

# The sender of a document that came by print, scan or e-mail.
SCHEMA_5 = """
ALTER TABLE submission ADD COLUMN from_user TEXT NOT NULL DEFAULT '';
ALTER TABLE submission ADD COLUMN from_computer TEXT NOT NULL DEFAULT '';
"""

# Made a table of search words, which version 18 replaces.
SCHEMA_6 = ""

# The spool's id, which the marker beside it and the settings name, too (``identity``).
SCHEMA_7 = """
CREATE TABLE identity (id TEXT NOT NULL) STRICT;
INSERT INTO identity VALUES (lower(hex(randomblob(16))));
"""

# Faxes of the practice line are marked as such.
SCHEMA_8 = """
ALTER TABLE received ADD COLUMN practice INTEGER NOT NULL DEFAULT 0;
UPDATE received SET practice = 1 WHERE line_kind = 'practice';
"""


def _tally(table: str, columns: str, watched: str, counted: str) -> str:
    """Triggers that keep the counts of ``table``'s rows for which ``counted`` (of ``row``) holds."""

    def step(row: str, by: int) -> str:
        fields = ", ".join(f"{row}.{column}" if column != "''" else column for column in columns.split(", "))
        return (
            f"INSERT INTO tally SELECT '{table}', {fields}, {by} WHERE {counted.replace('row', row)}"
            " ON CONFLICT DO UPDATE SET count = count + excluded.count;"
        )

    fields = columns
    return f"""
INSERT INTO tally SELECT '{table}', {fields}, COUNT(*) FROM {table} AS row WHERE {counted} GROUP BY {fields};
CREATE TRIGGER {table}_tally_new AFTER INSERT ON {table} BEGIN {step("new", 1)} END;
CREATE TRIGGER {table}_tally_changed AFTER UPDATE OF {watched} ON {table} BEGIN
    {step("old", -1)} {step("new", 1)}
END;
CREATE TRIGGER {table}_tally_gone AFTER DELETE ON {table} BEGIN {step("old", -1)} END;
"""


# When a fax was erased, and until when a received one is kept; files of erased faxes still to be destroyed;
# counts for monitoring, kept by triggers.
SCHEMA_9 = f"""
ALTER TABLE job ADD COLUMN erased_at REAL;
ALTER TABLE received ADD COLUMN erased_at REAL;
ALTER TABLE received ADD COLUMN keep_until REAL;
CREATE INDEX received_keep ON received (keep_until) WHERE keep_until IS NOT NULL AND erased_at IS NULL;
CREATE INDEX received_caller ON received (caller);
CREATE TABLE shred (path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE tally (
    what TEXT NOT NULL,                 -- the table that is counted
    state TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- of a job its cause, of a delivery its kind
    count INTEGER NOT NULL,
    PRIMARY KEY (what, state, kind)
) STRICT, WITHOUT ROWID;
{_tally("job", "state, cause", "state, cause, ended_at", "row.ended_at IS NOT NULL")}
{_tally("received", "state, ''", "state, deleted_at", "row.deleted_at IS NULL")}
{_tally("outbox", "state, kind", "state", "TRUE")}
"""

# The recognised text of a received fax's pages; deleted when the fax is erased.
SCHEMA_10 = """
CREATE TABLE received_text (
    received_id INTEGER PRIMARY KEY REFERENCES received (id) ON DELETE CASCADE,
    text TEXT NOT NULL
) STRICT;
"""

# Metadata of clients by name and value, to filter lists by; kept by triggers.
_METADATUM_LIMIT = 200  # longer values are stored with the fax but cannot be filtered by, characters
_VALUE = "CASE pair.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(pair.value AS TEXT) END"


def _metadata_of(job: str) -> str:
    return f"""INSERT OR IGNORE INTO metadatum
    SELECT pair.key, {_VALUE}, job.id FROM job JOIN submission ON submission.id = submission_id,
    json_each(submission.metadata) AS pair
    WHERE {job} AND pair.type <> 'null' AND length({_VALUE}) <= {_METADATUM_LIMIT};"""


SCHEMA_11 = f"""
CREATE TABLE metadatum (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    PRIMARY KEY (name, value, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX metadatum_job ON metadatum (job_id);
{_metadata_of("TRUE")}
CREATE TRIGGER job_metadata_new AFTER INSERT ON job BEGIN {_metadata_of("job.id = new.id")} END;
CREATE TRIGGER submission_metadata_changed AFTER UPDATE OF metadata ON submission BEGIN
    DELETE FROM metadatum WHERE job_id IN (SELECT id FROM job WHERE submission_id = new.id);
    {_metadata_of("job.submission_id = new.id")}
END;
"""

# The log of deliveries, by owner and by kind.
SCHEMA_12 = """
CREATE INDEX outbox_owner ON outbox (owner, id);
CREATE INDEX outbox_kind ON outbox (kind, id);
"""

# Whether the job is HELD for its owner once its pages are made.
SCHEMA_13 = "ALTER TABLE job ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;"

# Notes that people write on a fax; deleted with it.
SCHEMA_14 = """
CREATE TABLE note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fax_id INTEGER NOT NULL,            -- a job's or a received fax's
    at REAL NOT NULL,
    who TEXT NOT NULL,                  -- as in the audit log
    text TEXT NOT NULL
) STRICT;
CREATE INDEX note_fax ON note (fax_id, id);
CREATE TRIGGER job_notes_gone AFTER DELETE ON job BEGIN DELETE FROM note WHERE fax_id = old.id; END;
CREATE TRIGGER received_notes_gone AFTER DELETE ON received BEGIN
    DELETE FROM note WHERE fax_id = old.id;
END;
"""

# Index of the faxes of one owner in one state, newest first.
SCHEMA_15 = """
CREATE INDEX job_owner_state ON job (owner, state, id);
"""

# The time that the box has seen pass (``age_clock``): one row.
SCHEMA_16 = """
CREATE TABLE age_clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seen REAL NOT NULL,
    doubts TEXT NOT NULL,               -- JSON, list of (seconds ahead, seconds stood)
    behind_s REAL NOT NULL,
    boot TEXT NOT NULL,                 -- of which start of the machine ``uptime_s`` is
    uptime_s REAL NOT NULL
) STRICT;
"""

# Indexes for lists from or until a time, and of one origin (``words``, ``jobs.search``).
SCHEMA_17 = """
CREATE INDEX job_created ON job (created_at);
CREATE INDEX job_origin ON job (origin, id);
"""

# Indexes for the deliveries of one owner and kind, and for those that are not done.
SCHEMA_19 = """
CREATE INDEX outbox_owner_kind ON outbox (owner, kind, id);
CREATE INDEX outbox_pending ON outbox (id) WHERE state = 'pending';
CREATE INDEX outbox_failed ON outbox (id) WHERE state = 'failed';
CREATE INDEX outbox_dropped ON outbox (id) WHERE state = 'dropped';
CREATE INDEX outbox_owner_failed ON outbox (owner, id) WHERE state = 'failed';
CREATE INDEX outbox_owner_dropped ON outbox (owner, id) WHERE state = 'dropped';
"""

# Whether a received fax is whole with this page (``received.is_whole``).
SCHEMA_20 = "ALTER TABLE received_page ADD COLUMN last INTEGER NOT NULL DEFAULT 0;"

# One script for each version; a database at version n gets those from n on.
MIGRATIONS: tuple[str, ...] = (
    SCHEMA_1,
    SCHEMA_2,
    SCHEMA_3,
    SCHEMA_4,
    SCHEMA_5,
    SCHEMA_6,
    SCHEMA_7,
    SCHEMA_8,
    SCHEMA_9,
    SCHEMA_10,
    SCHEMA_11,
    SCHEMA_12,
    SCHEMA_13,
    SCHEMA_14,
    SCHEMA_15,
    SCHEMA_16,
    SCHEMA_17,
    SCHEMA_18,
    SCHEMA_19,
    SCHEMA_20,
)


class SchemaTooNewError(RuntimeError):
    """The database was written by a newer version of the box."""


def versions() -> int:
    """The version that ``migrate`` migrates a database to."""
    return len(MIGRATIONS)


def version_of(db: sqlite3.Connection) -> int:
    """The version of a database; 0 for an empty one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection) -> None:
    """Migrates the database to the newest version, each step in one transaction.

    Raises SchemaTooNewError when a newer version wrote it.
    """
    version = version_of(db)
    if version > len(MIGRATIONS):
        raise SchemaTooNewError(
            f"the spool is of version {version}, this program knows {len(MIGRATIONS)}: update the program"
        )
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
