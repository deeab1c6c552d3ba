"""The programming interfaces over HTTP: the box's own, and two foreign ones.

``server`` carries requests, ``application`` leads each to its door; a door reads what came in with
``request``, ``intake`` and ``auth``, asks the ``Box``, and words the answer.  All of it runs in the
server's threads, never on the event loop.
"""
