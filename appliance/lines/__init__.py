"""Everything with a wire.  Each folder carries fax calls over one kind of it.

``line``       what every line looks like to those who use it
``sip``        trunks; ``g711`` is fax in their audio
``modem``      the telephone line
``practice``   a fax machine that never leaves the box
``datagram_driver``  carries a call's datagrams over a UDP socket; ``calltime`` has its clock
``packets``    the packets of a call, kept when they are wanted; ``pcap`` writes them
"""
