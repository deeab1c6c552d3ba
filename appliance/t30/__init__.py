"""The T.30 engine: a whole fax machine without a wire.  No I/O, no clock: both are handed in.

A call, from outside inwards:

``call``          one fax call: the engine, a DCE that carries it, pages in and out
``parameters``    what a caller says about a call, and what it hears back
``dce``           the one interface between the engine and whatever carries it
``engine``        sender and receiver, and which of them is in charge
``station``       what both share: the line, bursts of frames, timers, saying good-bye
``sender``        phases C and D; ``sender_phase_b`` from DIS to CFR; ``pages`` that are not confirmed yet
``receiver``      phases C and D; ``receiver_phase_b`` from DIS to the training; ``intake`` of a page

What they know of the Recommendation:

``frames``, ``fields``              HDLC frames, and DIS, DTC and DCS bit by bit
``negotiation``, ``ladder``         what two stations have in common, and how a transmitter steps down
``ecm``, ``tcf``, ``quality``       blocks and frames, the training check, MCF or RTP or RTN
``timers``                          each timer and limit with its clause
``trace``, ``tables``               frames and state tables in words
"""
