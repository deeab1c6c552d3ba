"""Which job, when, over which line, with what parameters; and what follows from how it ended.

``numbers``   what a written number means, and whether it may be dialled
``rules``     the decisions, as functions of (what is known, the settings, now): no clock, no I/O
``profile``   what is remembered of a destination, and what follows for the next call
``pages``     a page source that has the last page recorded before it goes out
``runner``    ``Dispatcher``: carries the decisions out on the event loop
"""
