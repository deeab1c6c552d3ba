"""What the spool raises: the user's mistakes and the box's limits, never the far end's."""

from __future__ import annotations


class SpoolError(Exception):
    """Base of what the spool raises."""


class NotFoundError(SpoolError):
    """No such job, received fax, document or delivery."""


class IllegalTransitionError(SpoolError):
    """The job is in a state that does not allow this; nothing was changed."""


class IdempotencyError(SpoolError):
    """This idempotency key was used before for a different request."""


class SpoolClosedError(SpoolError):
    """The box is shutting down."""


class SpoolFailedError(SpoolError):
    """The disk or the database refused a write; nothing of this operation was kept."""


class SpoolDamagedError(SpoolFailedError):
    """The database is damaged: `faxbox spool rebuild` is the way back."""
