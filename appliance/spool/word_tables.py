"""The tables for searching lists of faxes, as SQL: version 18 of the spool's schema.

Sent and received faxes have a table of words each, kept by triggers.  Beside its words a fax has *marks* for
values such as its owner: three private-use letters each, so that one scan of the index finds the faxes that
have both the words and the marks.  ``words`` makes the queries.
"""

from __future__ import annotations

# Marks consist of private-use letters: two encode the mark, the third ends it.
_FIRST, _LETTERS = 0xE000, 6400

# The names of marks.  All unfinished faxes have the same state mark, since their state changes often.
OWNER, DIALLED, READ, STATE = "owner:", "dialled:", "read:", "state:"
ON_THE_WAY = "on_the_way"
_STATE = (
    f"CASE WHEN {{0}}.state IN ('preparing', 'waiting', 'sending') THEN '{ON_THE_WAY}' ELSE {{0}}.state END"
)


def _mark(name: str) -> str:
    return f"' ' || COALESCE((SELECT letters FROM mark_letters WHERE name = {name}), '') || ' '"


def _new_mark(name: str) -> str:
    return f"INSERT INTO mark (name) VALUES ({name}) ON CONFLICT DO NOTHING;"


_NOTES = (
    "COALESCE((SELECT ' ' || group_concat(text, ' ') FROM note"
    " WHERE fax_id = {0}.id AND text NOT LIKE 'sealed:%'), '')"
)
_SENT_MARKS = (f"'{OWNER}' || {{0}}.owner", f"'{STATE}' || {_STATE}")
_RECEIVED_MARKS = (
    f"'{OWNER}' || {{0}}.owner",
    f"'{DIALLED}' || {{0}}.dialled",
    f"'{READ}' || {{0}}.read",
)


def _marks(names: tuple[str, ...], row: str) -> str:
    return " || ".join(_mark(name.format(row)) for name in names)


def _make_marks(names: tuple[str, ...]) -> str:
    return " ".join(_new_mark(name.format("new")) for name in names)


def _words_again(table: str, fax_id: str) -> str:
    return (
        f"UPDATE {table}_words SET words = (SELECT words FROM {table}_to_find WHERE id = {fax_id})"
        f" WHERE rowid = {fax_id};"
    )


def _kept(table: str, rows: str, watched: str, names: tuple[str, ...]) -> str:
    """SQL: the table of words of ``rows``, filled, and its triggers on changes of the ``watched`` columns."""
    changed = [(f"old.{column}", f"new.{column}") for column in watched.split(", ") if column != "state"]
    if "state" in watched.split(", "):
        changed.append((_STATE.format("old"), _STATE.format("new")))
    before, after = (", ".join(each) for each in zip(*changed, strict=True))
    return f"""
CREATE VIRTUAL TABLE {table}_words USING fts5 (words, tokenize = 'trigram');
INSERT INTO {table}_words (rowid, words) SELECT id, words FROM {table}_to_find;
CREATE TRIGGER {table}_words_new AFTER INSERT ON {rows} BEGIN
    {_make_marks(names)}
    INSERT INTO {table}_words (rowid, words) SELECT id, words FROM {table}_to_find WHERE id = new.id;
END;
CREATE TRIGGER {table}_words_changed AFTER UPDATE OF {watched} ON {rows}
WHEN ({before}) IS NOT ({after}) BEGIN
    {_make_marks(names)}
    {_words_again(table, "new.id")}
END;
CREATE TRIGGER {table}_words_gone AFTER DELETE ON {rows} BEGIN
    DELETE FROM {table}_words WHERE rowid = old.id;
END;
"""


def _all_marks(rows: str, names: tuple[str, ...]) -> str:
    return "".join(
        f"INSERT INTO mark (name) SELECT DISTINCT {name.format('fax')} FROM {rows} AS fax WHERE TRUE"
        " ON CONFLICT DO NOTHING;"
        for name in names
    )


def _notes_kept() -> str:
    return "".join(
        f"""
CREATE TRIGGER note_words_{name} AFTER {event} ON note BEGIN
    {_words_again("sent", row + ".fax_id")} {_words_again("received", row + ".fax_id")}
END;"""
        for name, event, row in (
            ("new", "INSERT", "new"),
            ("changed", "UPDATE OF text", "new"),
            ("gone", "DELETE", "old"),
        )
    )


_SENT_WATCHED = "remote_id, number, given, name, company, tag, owner, state, erased_at"
_RECEIVED_WATCHED = "caller, caller_name, dialled, tsi, sub_address, owner, read, deleted_at, erased_at"

# The triggers that kept the table of words in databases of version 6 to 17.
_DROPPED = " ".join(
    f"DROP TRIGGER IF EXISTS {rows}_{event};"
    for rows in ("job_words", "received_words", "note_words")
    for event in ("new", "changed", "gone")
)

SCHEMA_18 = f"""
{_DROPPED}
DROP TRIGGER IF EXISTS received_text_erased;
DROP TABLE IF EXISTS fax_words;
CREATE TABLE mark (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE           -- such as owner:ada
) STRICT;
CREATE VIEW mark_letters (name, letters) AS
    SELECT name, char({_FIRST} + id / {_LETTERS}, {_FIRST} + id % {_LETTERS}, {_FIRST + _LETTERS - 1})
    FROM mark;
{_all_marks("job", _SENT_MARKS)}
{_all_marks("received", _RECEIVED_MARKS)}
-- The blank at the end: two letters are looked for with what follows them.
CREATE VIEW sent_to_find (id, words) AS
    SELECT job.id, CASE WHEN job.erased_at IS NOT NULL THEN '' ELSE
        job.number || ' ' || job.given || ' ' || job.name || ' ' || job.company || ' '
        || job.tag || ' ' || job.remote_id || ' '
        || COALESCE(json_extract(submission.options, '$.cover.subject'), '') || ' '
        || COALESCE(json_extract(submission.metadata, '$.title'), '')
        || {_NOTES.format("job")} || {_marks(_SENT_MARKS, "job")} END
    FROM job JOIN submission ON submission.id = job.submission_id;
CREATE VIEW received_to_find (id, words) AS
    SELECT received.id, CASE WHEN received.deleted_at IS NOT NULL THEN '' ELSE
        received.caller || ' ' || received.caller_name || ' ' || received.dialled || ' '
        || received.tsi || ' ' || received.sub_address
        || COALESCE((SELECT ' ' || text FROM received_text WHERE received_id = received.id), '')
        || {_NOTES.format("received")} || {_marks(_RECEIVED_MARKS, "received")} END
    FROM received;
{_kept("sent", "job", _SENT_WATCHED, _SENT_MARKS)}
{_kept("received", "received", _RECEIVED_WATCHED, _RECEIVED_MARKS)}
{_notes_kept()}
CREATE TRIGGER received_text_new AFTER INSERT ON received_text BEGIN
    {_words_again("received", "new.received_id")}
END;
CREATE TRIGGER received_text_changed AFTER UPDATE OF text ON received_text BEGIN
    {_words_again("received", "new.received_id")}
END;
-- Before its row is looked at again: the text of an erased fax goes, as its words do.
CREATE TRIGGER received_text_erased AFTER UPDATE OF erased_at ON received WHEN new.erased_at IS NOT NULL BEGIN
    DELETE FROM received_text WHERE received_id = new.id;
END;
-- The list goes through no calls that brought nothing, and through none that were deleted.
CREATE INDEX received_listed ON received (id) WHERE deleted_at IS NULL AND (pages > 0 OR state = 'receiving');
"""
