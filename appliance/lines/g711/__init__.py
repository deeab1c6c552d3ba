"""Fax tones in a telephone call over IP.

``fax``      ``ToneFaxCall``: a whole fax over RTP
``before_fax``  audio while it is open how the fax will go; ``dialling_on`` dials digits after the answer
``dce``      a modem made of software for the T.30 engine, fed and read in samples
``modems``   spandsp's modems and tones, received by ``modem_receiver``, sent by ``modem_transmitter``;
             ``hdlc`` is our own frames out of V.21's bits
``rtp``      packets out, packets in through a small play-out buffer; ``codec`` A-law and µ-law
"""
