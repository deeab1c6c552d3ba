"""The spool: every fax that was accepted or received, durable before it is acknowledged.

How it is laid out
------------------
``model``        the data model: frozen dataclasses and states; ``filters``: which of them a list holds
``delivery``     the same of the outbox; ``errors`` is what all of this raises
``first_schema`` the tables (SQLite, WAL, synchronous=FULL); ``schema``: their migrations
``folders``      where the spool's files lie
``store``        ``Spool``: the doors to all of this, from threads and from asyncio
``writer``       the one thread that changes the database, with group commit
``transaction``  ``Tx``: a change under way, with the events in it
``connection``   how a connection to the database is made
``jobs``         jobs as they are: one by its id, its attempts, those that match
``accepting``    handing in: submissions and their jobs, drafts, numbers that come later
``preparing``    from the document to its fax pages
``queues``       which waiting job is next, and when
``attempts``     calls that carry a job: begun, pages confirmed, ended
``decisions``    what is decided between calls: cancel, reschedule, give up, settle what is unknown
``bounds``       jobs past their bound, calls that a crash cut off
``job_states``   the table of transitions, each state's bound, and the steps that all of these take
``received``     operations on received faxes
``documents``    stored source files and where they lie
``events``       the append-only event log and its live hub
``outbox``       deliveries to make, surviving restarts
``ledger``       audit log, usage counters, learned destinations
``offers``       documents offered to callers that poll
``stats``        counts for monitoring
``age_clock``    the time that ages are counted from, however wrong the system's clock is
``incoming``     ``IncomingFax``: a received page is on disk before MCF
``retention``    deletes expired rows and the remains of interrupted writes
``room``         free space on the disk

How it is used
--------------
An *operation* is a plain function whose first argument is a ``Tx`` (it changes something) or a
``sqlite3.Connection`` (it only reads).  ``Spool`` runs them::

    job_ids = spool.do(accepting.accept, new, now)     # any thread; returns when it is on disk
    await spool.ado(attempts.confirm_pages, attempt, 3, now)  # asyncio: the loop does not wait on disk
    job = spool.read(jobs.get, job_id)                 # any thread
    page = await spool.aread(jobs.search, JobFilter(owner="ada"))

Operations that wait at the same time are committed together, with one fsync.  Times are Unix time in
seconds (float), given as ``now``.
"""
