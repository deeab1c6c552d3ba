"""Fax calls over SIP trunks: signalling on pjsua2, media (T.38 and fax tones in G.711) by ourselves.

``line``      SipLine, what the rest of the box sees: one trunk
``settings``  what an owner says about a trunk and about SIP as a whole
``numbers``   what is dialled and who the called party sees
``switch``    the media switch of a call, without I/O: audio, T.38, glare, refusals, refreshes
``session``   SDP text, both ways
``stack``     the one thread that pjsua2 lives on; nothing else touches it
``call``      one call on the asyncio side: ports, media, result
``outcomes``  SIP's answers as causes
"""
