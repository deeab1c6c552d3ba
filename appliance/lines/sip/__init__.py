"""Fax calls over SIP trunks: signalling by pjsua2, media (T.38 and fax tones in G.711) by our own code.

``line``      SipLine, the line of one trunk
``settings``  settings of a trunk, and of SIP as a whole
``numbers``   the number to dial, and the identity shown to the called party
``switch``    the media switch of a call, without I/O: audio, T.38, glare, refusals, refreshes
``session``   the audio half of SDP, both ways (``t38.sdp`` has the other)
``session_timer``  when a session that nobody refreshed is refreshed by us
``stack``     the thread that runs pjsua2; nothing else uses it
``signalling``  accounts and calls, on that thread; ``events`` are what it reports
``call``      one call on the asyncio side: ports, media, result
``outcomes``  SIP's status codes as causes; ``codes`` those that we send or act upon
``ports``     UDP sockets out of a configured range; ``stun`` how one looks from outside
``messages``  headers that the binding does not provide
``lost_connection``  CANCEL for a number that rings, where its connection was lost
``check``     one real call for the check of a trunk; ``check_report`` puts its findings into words
``trunk_kinds``  kinds of trunks, and their initial settings
"""
