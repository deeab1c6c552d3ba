"""IPP's numbers used here: operations, statuses, states (RFC 8011, PWG 5100.11, 5100.13)."""

from __future__ import annotations

from enum import IntEnum

from appliance.ipp.model import Attributes


class Operation(IntEnum):
    """Operations (RFC 8011 5.4.15)."""

    PRINT_JOB = 0x0002
    PRINT_URI = 0x0003
    VALIDATE_JOB = 0x0004
    CREATE_JOB = 0x0005
    SEND_DOCUMENT = 0x0006
    SEND_URI = 0x0007
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B
    HOLD_JOB = 0x000C
    RELEASE_JOB = 0x000D
    CANCEL_MY_JOBS = 0x0039
    CLOSE_JOB = 0x003B
    IDENTIFY_PRINTER = 0x003C


class Status(IntEnum):
    """Status codes (RFC 8011 appendix B)."""

    OK = 0x0000
    OK_IGNORED = 0x0001
    BAD_REQUEST = 0x0400
    FORBIDDEN = 0x0401
    NOT_AUTHENTICATED = 0x0402
    NOT_POSSIBLE = 0x0404
    TIMEOUT = 0x0405
    NOT_FOUND = 0x0406
    TOO_LARGE = 0x0408
    FORMAT_NOT_SUPPORTED = 0x040A
    ATTRIBUTES = 0x040B
    CHARSET = 0x040D
    CONFLICT = 0x040E
    COMPRESSION = 0x040F
    COMPRESSION_ERROR = 0x0410
    FORMAT_ERROR = 0x0411
    ACCOUNT_LIMIT = 0x041E  # PWG 5100.16
    INTERNAL = 0x0500
    OPERATION_NOT_SUPPORTED = 0x0501
    VERSION = 0x0503
    TEMPORARY = 0x0505
    NOT_ACCEPTING = 0x0506
    BUSY = 0x0507
    JOB_CANCELED = 0x0508


class PrinterState(IntEnum):
    """``printer-state`` (RFC 8011 5.4.11)."""

    IDLE = 3
    PROCESSING = 4
    STOPPED = 5


class PrintJobState(IntEnum):
    """``job-state`` (RFC 8011 5.3.7)."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9

    @property
    def ended(self) -> bool:
        """Whether the job changes no more."""
        return self >= PrintJobState.CANCELED


class IppError(Exception):
    """Ends a request with this status; the message is a sentence in the client's language."""

    def __init__(self, status: Status, sentence: str, unsupported: Attributes | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.unsupported = unsupported or {}
