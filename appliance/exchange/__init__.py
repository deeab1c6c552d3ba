"""The exchange: the process that carries the calls, and the box's side of it.

Packets of a call must leave on time whatever else the box does.  Threads of one Python process share one
interpreter, so lines live in a process of their own that does nothing but carry calls; documents, disk
and HTTP stay in the box's.

``messages``  what the two tell each other, and the channel between them
``making``    a line from the settings that name it
``process``   the process itself
``remote``    ``Exchange`` starts it and starts it again; ``RemoteLine`` is a line in it
"""
