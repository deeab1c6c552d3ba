"""The practice line: an independent fax machine (spandsp) within the box, with scripted faults.

In the box's exchange: ``line`` is the line, ``numbers`` defines the behaviour of each number, with the
machine's ``abilities``; ``carrying``, imported at the first call, carries the calls; ``process`` starts and
supervises the machines' process.

In that process: ``room`` has one ``machine`` for each call, which is ``spandsp_fax`` with the UDPTL of
``framing`` and ``faults``.  ``messages`` has the messages between the two.

``steps`` synchronises both ends of calls that run faster than real time; ``network`` loses and delays the
datagrams of some numbers.
"""
