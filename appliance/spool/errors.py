"""Exceptions of the spool."""

from __future__ import annotations


class SpoolError(Exception):
    """Base of the spool's exceptions."""


class NotFoundError(SpoolError):
    """No such job, received fax, document or delivery."""


class IllegalTransitionError(SpoolError):
    """The job is in a state that does not allow this; nothing was changed."""


class IdempotencyError(SpoolError):
    """This idempotency key was used before for a different request."""


class SpoolClosedError(SpoolError):
    """The box is shutting down."""


class SpoolFailedError(SpoolError):
    """The disk or the database refused a write; the operation had no effect."""


class SpoolDamagedError(SpoolFailedError):
    """The database is damaged; `faxbox spool rebuild` repairs it."""
