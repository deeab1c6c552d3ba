"""The practice line: an independent fax machine (spandsp) that never leaves the box, with scripted faults.

In the box: ``line`` is the line, ``numbers`` what each number does, with the machine's ``abilities``;
``carrying``, which is loaded at the first call, carries the calls, and its ``process`` starts and minds the
room.

In the room, a process of its own: ``room`` has one ``machine`` a call, which is ``spandsp_fax`` behind the
``framing`` of UDPTL, with ``faults``.  ``messages`` is what the two sides say.

``steps`` keeps both ends of a call that is faster than real time together; ``virtual`` is a line in
simulated time, for tests and benches.
"""
