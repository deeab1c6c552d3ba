"""The programming interfaces over HTTP: the box's own, IPP, and two foreign styles.

``server`` carries requests, ``application`` passes each to its door; a door reads the request with
``request``, ``intake`` and ``auth``, calls the `Box`, and builds the answer.  All of it runs in the server's
threads, never on the event loop.
"""
