"""Whether this thread was refused memory: libraries that were may leave something out, or abort.

malloc(3) leaves ENOMEM in errno then, and nothing that succeeds takes it away.
"""

def forget() -> None:
    """What was until now does not count for `was_refused`."""

def was_refused() -> bool: ...
def exit_with(code: int, /) -> None:
    """The exit code of this process when a library aborts it for want of memory.

    Without such want it ends by the signal (SIGABRT, SIGTRAP, SIGILL, SIGSEGV) as ever.
    """
