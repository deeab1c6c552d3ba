"""Fax over IP networks (ITU-T T.38), without I/O: datagrams and the time in, datagrams and deadlines out.

``fax``             a whole call in one object, T.30 engine included
``dce``             the T.30 engine's orders as IFP packets in line time, and received packets as events
``signals``         the IFP packets of a signal to send
``ifp_receiver``    line events from received IFP packets
``ifp``             encoding and decoding of IFP packets (PER)
``udptl``           encoding and decoding of datagrams, and their error protection
``udptl_receiver``  restores the order of datagrams and repairs loss
``contradictions``  detects packets that somebody else sends in the far end's name
``sdp``             offer and answer with ``m=image``; ``settings`` has the result
``timing``          durations of signals on a telephone line
"""
