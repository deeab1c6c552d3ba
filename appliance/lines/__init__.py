"""The lines that carry fax calls, one package for each kind.

``line``             the interface of all lines
``sip``              SIP trunks; ``g711`` is fax in their audio
``modem``            class-1 modems on telephone lines
``practice``         fax machines within the box, for tests
``datagram_driver``  carries a call's datagrams over a UDP socket; ``calltime`` has its clock
``packets``          keeps the packets of a call on request; ``pcap`` writes them
"""
