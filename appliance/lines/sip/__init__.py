"""Fax calls over SIP trunks: signalling on pjsua2, media (T.38 and fax tones in G.711) by ourselves.

``line``      SipLine, what the rest of the box sees: one trunk
``settings``  what an owner says about a trunk and about SIP as a whole
``numbers``   what is dialled and who the called party sees
``switch``    the media switch of a call, without I/O: audio, T.38, glare, refusals, refreshes
``session``   the audio half of SDP, both ways (``t38.sdp`` has the other)
``stack``     the one thread that pjsua2 lives on; nothing else touches it
``signalling``  what is done on that thread: accounts and calls; ``events`` are what it tells the others
``call``      one call on the asyncio side: ports, media, result
``outcomes``  SIP's answers as causes; ``codes`` those that we give
``ports``     UDP sockets out of a configured range; ``stun`` how one looks from outside
``messages``  headers that the binding does not hand over
``check``     one real call for the check of a trunk; ``check_report`` says what a call showed in words
``trunk_kinds``  kinds of trunks, and what each begins with
"""
