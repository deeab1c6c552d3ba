"""Fax tones in a telephone call over IP.

``fax``      ``ToneFaxCall``: a whole fax over RTP; and what listens before one is known to be
``dce``      a modem made of software for the T.30 engine, fed and read in samples
``modems``   spandsp's modems and tones; ``hdlc`` is our own frames out of V.21's bits
``rtp``      packets out, packets in through a small play-out buffer; ``codec`` A-law and µ-law
"""
