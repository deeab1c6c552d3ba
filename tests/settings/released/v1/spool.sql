BEGIN TRANSACTION;
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
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE TABLE destination (
    number TEXT PRIMARY KEY,
    failures INTEGER NOT NULL DEFAULT 0,    -- of the quarantining kind, in a row
    quarantined_until REAL,
    profile TEXT NOT NULL DEFAULT '{}',     -- JSON, what was learned
    updated_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
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
INSERT INTO "document" VALUES(1,'5abddaf1-5d39-4f4f-b49b-0d8becfe2a76','ada','letter.txt','',1.79583762776418113713e+09,0,'[{"name": "letter.txt", "media_type": "text/plain", "path": "documents/129b1889-bdca-43bd-acc2-7d7cd892877e", "octets": 5, "pages": [], "digest": "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969"}]',NULL);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    fax_id INTEGER,
    owner TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
INSERT INTO "event" VALUES(1,1.79583762776418113713e+09,'job.accepted',1,'ada','{"number": "+4930123456", "submission": 1}');
INSERT INTO "event" VALUES(2,1.79583762776418113713e+09,'job.accepted',2,'ada','{"number": "+4930123457", "submission": 1}');
INSERT INTO "event" VALUES(3,1.79583762776837706567e+09,'job.cancelled',2,'ada','{"cause": "cancelled"}');
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
, company TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "job" VALUES(1,'68d4ae02-8b89-4370-87ef-6f676b4462e2',1,'ada','','rest','+4930123456','+4930123456','','domestic','preparing',1,'',1.79583762776418113713e+09,1.79583762776418113713e+09,1.79583762776418113713e+09,86400.0,1.79592402776418113706e+09,1.79592402776418113706e+09,NULL,0,'',NULL,0,'','',0.0,'',0,NULL,'');
INSERT INTO "job" VALUES(2,'8452b1c7-9461-4de7-9bcb-b03418cb5fba',1,'ada','','rest','+4930123457','+4930123457','','domestic','cancelled',1,'',1.79583762776418113713e+09,1.79583762776418113713e+09,1.79583762776418113713e+09,86400.0,1.79592402776418113706e+09,NULL,1.79583762776837706567e+09,0,'',NULL,0,'','',0.0,'cancelled',0,NULL,'');
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
CREATE TABLE outbox_try (
    outbox_id INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at REAL NOT NULL,
    ok INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (outbox_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE program (                  -- a stored document under a name, ready to be sent
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    document_id INTEGER NOT NULL REFERENCES document (id),
    created_at REAL NOT NULL
) STRICT;
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
CREATE TABLE sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO "sequence" VALUES('fax',2);
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
INSERT INTO "submission" VALUES(1,'58b389c7-b501-4ff3-a76f-6ba0be9253dd','ada','','rest',1.79583762776418113713e+09,1,'{}','','{}','',NULL,'');
CREATE TABLE usage (
    day TEXT NOT NULL,                  -- YYYY-MM-DD, the box's time zone
    scope TEXT NOT NULL,                -- see ledger.scopes
    calls INTEGER NOT NULL DEFAULT 0,
    pages INTEGER NOT NULL DEFAULT 0,   -- confirmed by the far end
    seconds REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (scope, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_owner ON document (owner, id) WHERE listed = 1;
CREATE INDEX document_age ON document (created_at) WHERE deleted_at IS NULL;
CREATE INDEX submission_idempotency_age ON submission (created_at) WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX submission_idempotency ON submission (owner, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX submission_document ON submission (document_id);
CREATE INDEX job_submission ON job (submission_id);
CREATE INDEX job_owner ON job (owner, id);
CREATE INDEX job_state ON job (state, id);
CREATE INDEX job_number ON job (number, id);
CREATE INDEX job_resent ON job (resent_from) WHERE resent_from IS NOT NULL;
CREATE INDEX job_tag ON job (tag, id) WHERE tag <> '';
CREATE INDEX job_due ON job (priority, next_try_at, id, number)
    WHERE state = 'waiting' AND reach <> 'practice';
CREATE INDEX job_due_practice ON job (priority, next_try_at, id, number)
    WHERE state = 'waiting' AND reach = 'practice';
CREATE INDEX job_deadline ON job (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX job_rendered ON job (rendered_path) WHERE rendered_path <> '';
CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX attempt_running ON attempt (id) WHERE ended_at IS NULL;
CREATE INDEX received_owner ON received (owner, id) WHERE deleted_at IS NULL;
CREATE INDEX received_unread ON received (id) WHERE read = 0 AND deleted_at IS NULL;
CREATE INDEX received_running ON received (id) WHERE state = 'receiving';
CREATE INDEX received_age ON received (started_at);
CREATE INDEX event_fax ON event (fax_id, id) WHERE fax_id IS NOT NULL;
CREATE INDEX outbox_due ON outbox (next_try_at) WHERE state = 'pending';
CREATE INDEX outbox_fax ON outbox (fax_id) WHERE fax_id IS NOT NULL;
CREATE INDEX outbox_ended ON outbox (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX audit_who ON audit (who, id);
CREATE INDEX destination_updated ON destination (updated_at);
CREATE INDEX program_document ON program (document_id);
CREATE INDEX program_owner ON program (owner, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('document',1);
INSERT INTO "sqlite_sequence" VALUES('submission',1);
INSERT INTO "sqlite_sequence" VALUES('event',3);
COMMIT;
PRAGMA user_version = 3;
