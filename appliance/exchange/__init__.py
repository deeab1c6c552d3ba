"""The exchange: the process that carries the calls, and the box's side of it.

Packets of a call must be sent on time whatever else the box does.  Threads of one Python process share one
interpreter, so the lines run in a process that does nothing but carry calls; documents, disk and HTTP are in
the box's process.

``process``        the process of the exchange; ``launching`` starts it
``remote``         ``Exchange`` supervises it, ``RemoteLine`` represents one of its lines in the box
``messages``       the messages between the two processes, and their channel
``zone``           the time zone of both processes
``making``         makes lines from their settings
``confirmations``  notes of confirmed pages that survive the death of the box
"""
