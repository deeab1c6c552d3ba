"""The spool's tables as they were first; ``schema`` has what changed since.

Every query that runs for each fax uses an index.  Ids of jobs and received faxes come from
``sequence``; those of the other tables are SQLite's own ascending ones.
"""

from __future__ import annotations

SCHEMA_1 = """
CREATE TABLE sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO sequence VALUES ('fax', 0);

CREATE TABLE document (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at REAL NOT NULL,
    listed INTEGER NOT NULL,
    files TEXT NOT NULL,                -- JSON, list of SourceFile
    deleted_at REAL                     -- the files are gone
) STRICT;
CREATE INDEX document_owner ON document (owner, id) WHERE listed = 1;
CREATE INDEX document_age ON document (created_at) WHERE deleted_at IS NULL;

CREATE TABLE submission (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at REAL NOT NULL,
    document_id INTEGER NOT NULL REFERENCES document (id),
    options TEXT NOT NULL,              -- JSON, SendOptions
    tag TEXT NOT NULL,
    metadata TEXT NOT NULL,             -- JSON
    callback_url TEXT NOT NULL,
    idempotency_key TEXT,
    idempotency_digest TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX submission_idempotency_age ON submission (created_at) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX submission_idempotency ON submission (owner, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX submission_document ON submission (document_id);

CREATE TABLE job (
    id INTEGER PRIMARY KEY,             -- from sequence 'fax'
    uuid TEXT NOT NULL UNIQUE,
    submission_id INTEGER NOT NULL REFERENCES submission (id),
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    origin TEXT NOT NULL,
    number TEXT NOT NULL,
    given TEXT NOT NULL,
    name TEXT NOT NULL,
    reach TEXT NOT NULL,                -- practice, internal, domestic, abroad
    state TEXT NOT NULL,
    priority INTEGER NOT NULL,
    tag TEXT NOT NULL,
    created_at REAL NOT NULL,
    scheduled_at REAL NOT NULL,
    next_try_at REAL NOT NULL,
    lifetime_s REAL NOT NULL,
    expires_at REAL NOT NULL,
    deadline REAL,                      -- NULL once ended
    ended_at REAL,
    tries INTEGER NOT NULL DEFAULT 0,
    rendered_path TEXT NOT NULL DEFAULT '',
    pages INTEGER,
    pages_confirmed INTEGER NOT NULL DEFAULT 0,
    line TEXT NOT NULL DEFAULT '',
    remote_id TEXT NOT NULL DEFAULT '',
    seconds_on_line REAL NOT NULL DEFAULT 0,
    cause TEXT NOT NULL DEFAULT '',
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    resent_from INTEGER
) STRICT;
CREATE INDEX job_submission ON job (submission_id);
CREATE INDEX job_owner ON job (owner, id);
CREATE INDEX job_state ON job (state, id);
CREATE INDEX job_number ON job (number, id);
CREATE INDEX job_resent ON job (resent_from) WHERE resent_from IS NOT NULL;
CREATE INDEX job_tag ON job (tag, id) WHERE tag <> '';
-- Practice jobs queue apart: busy trunks never hold them up, nor the other way about.
CREATE INDEX job_due ON job (priority, next_try_at, id, number)
    WHERE state = 'waiting' AND reach <> 'practice';
CREATE INDEX job_due_practice ON job (priority, next_try_at, id, number)
    WHERE state = 'waiting' AND reach = 'practice';
CREATE INDEX job_deadline ON job (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX job_rendered ON job (rendered_path) WHERE rendered_path <> '';
CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    line TEXT NOT NULL,
    line_kind TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    first_page INTEGER NOT NULL,
    pages_confirmed INTEGER NOT NULL DEFAULT 0,
    last_page_at REAL,
    cause TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0,
    trace_path TEXT NOT NULL DEFAULT '',
    facts TEXT NOT NULL DEFAULT '{}',
    UNIQUE (job_id, number)
) STRICT;
CREATE INDEX attempt_running ON attempt (id) WHERE ended_at IS NULL;

CREATE TABLE received (
    id INTEGER PRIMARY KEY,             -- from sequence 'fax'
    uuid TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL DEFAULT '',
    line TEXT NOT NULL,
    line_kind TEXT NOT NULL,
    caller TEXT NOT NULL,
    caller_name TEXT NOT NULL,
    dialled TEXT NOT NULL,
    tsi TEXT NOT NULL DEFAULT '',
    sub_address TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    pages INTEGER NOT NULL DEFAULT 0,
    bad_rows INTEGER NOT NULL DEFAULT 0,
    cause TEXT NOT NULL DEFAULT '',
    read INTEGER NOT NULL DEFAULT 0,
    deleted_at REAL,
    trace_path TEXT NOT NULL DEFAULT '',
    facts TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX received_owner ON received (owner, id) WHERE deleted_at IS NULL;
CREATE INDEX received_unread ON received (id) WHERE read = 0 AND deleted_at IS NULL;
CREATE INDEX received_running ON received (id) WHERE state = 'receiving';
CREATE INDEX received_age ON received (started_at);

CREATE TABLE received_page (
    received_id INTEGER NOT NULL REFERENCES received (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    path TEXT NOT NULL,
    width INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    resolution TEXT NOT NULL,
    bad_rows INTEGER NOT NULL,
    longest_bad_run INTEGER NOT NULL,
    stored_at REAL NOT NULL,
    PRIMARY KEY (received_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    fax_id INTEGER,
    owner TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX event_fax ON event (fax_id, id) WHERE fax_id IS NOT NULL;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    payload TEXT NOT NULL,
    timetable TEXT NOT NULL,            -- JSON, seconds
    fax_id INTEGER,
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_try_at REAL NOT NULL,
    created_at REAL NOT NULL,
    ended_at REAL,
    last_error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_due ON outbox (next_try_at) WHERE state = 'pending';
CREATE INDEX outbox_fax ON outbox (fax_id) WHERE fax_id IS NOT NULL;
CREATE INDEX outbox_ended ON outbox (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE outbox_try (
    outbox_id INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at REAL NOT NULL,
    ok INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (outbox_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_who ON audit (who, id);

CREATE TABLE usage (
    day TEXT NOT NULL,                  -- YYYY-MM-DD, the box's time zone
    scope TEXT NOT NULL,                -- see ledger.scopes
    calls INTEGER NOT NULL DEFAULT 0,
    pages INTEGER NOT NULL DEFAULT 0,   -- confirmed by the far end
    seconds REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (scope, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE destination (
    number TEXT PRIMARY KEY,
    failures INTEGER NOT NULL DEFAULT 0,    -- of the quarantining kind, in a row
    quarantined_until REAL,
    profile TEXT NOT NULL DEFAULT '{}',     -- JSON, what was learned
    updated_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX destination_updated ON destination (updated_at);

CREATE TABLE program (                  -- a stored document under a name, ready to be sent
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    document_id INTEGER NOT NULL REFERENCES document (id),
    created_at REAL NOT NULL
) STRICT;
CREATE INDEX program_document ON program (document_id);
CREATE INDEX program_owner ON program (owner, id);
"""
