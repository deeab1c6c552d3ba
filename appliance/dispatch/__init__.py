"""Which job, when, over which line, with what parameters; and what follows from how it ended.

``rules``     the decisions, as functions of (what is known, the settings, now): no clock, no I/O
``profile``   what is remembered of a destination, and what follows for the next call
``desk``      answers a call's requests from disk
``prepare``   accepted documents become fax pages, in a thread of its own
``scheduler`` what is due is looked at, and has a call placed
``outgoing``  the calls that the box places
``reception`` the calls that come in
``pool``      the lines, in the owner's order
``clock``     the time that jobs go by
``dispatcher`` ``Dispatcher``: what these five make together
``settle``    the end of a call, in one transaction
``trace``     the account of a call as a file
``polling``   documents on offer to callers
``practice``  a fax from the practice line to the box, on request
"""
