"""Which job, when, over which line, with what parameters; and what follows from how it ended.

``rules``     the decisions, as functions of (what is known, the settings, now): no clock, no I/O
``profile``   what is remembered of a destination, and what follows for the next call
``pages``     a page source that has the last page recorded before it goes out
``prepare``   accepted documents become fax pages, in a thread of its own
``runner``    ``Dispatcher``: carries the decisions out on the event loop
``settle``    the end of a call, in one transaction
``trace``     the account of a call as a file
``polling``   documents on offer to callers
``practice``  a fax from the practice line to the box, on request
"""
