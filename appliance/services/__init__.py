"""What doors may do with the box, and the rules that apply to every door.

``Box`` has one of each: ``rules`` (numbers, caller ids, cover pages, quotas, space), ``accounts``, ``faxes``,
``inbox``, ``notes``, ``documents``, ``polling``, ``outbox``, ``history``, ``attention``, ``erasure``.  All
methods are thread-safe and may block for a disk write, so they are not for the event loop.  A method that
returns has its effect on disk.
With ``owner``, a method finds only that owner's faxes.

Errors: ``RefusedError`` (the user's mistake or the box's limits, with a row of the table of causes),
``NotFoundError``, ``IllegalTransitionError`` (the fax is in a state that does not allow it),
``IdempotencyError``, ``DiskFullError``, ``SpoolClosedError`` (shutting down), ``SettingError``.
"""
