"""The T.30 engine: a whole fax machine without a wire.  No I/O, no clock: both are handed in.

A call, from outside inwards:

``call``          one fax call: who is in charge, a DCE that carries it, requests for pages and replies
``parameters``    what a caller says about a call, and what it hears back
``dce``           the one interface between the engine and whatever carries it
``station``       what both share: the line, bursts of frames, timers, saying good-bye; ``roles`` what
                  its parts are made of: stimuli, steps in tables, a state
``sender``        who of the sender's roles is in charge: ``sender_phase_b``, from DIS to CFR, yields a
                  ``link``, ``sender_page`` and ``sender_ecm`` send one page over it; ``pages`` to send
``receiver``      who of the receiver's roles is in charge: ``receiver_phase_b``, from DIS to the training,
                  comes to settings, ``receiver_page`` receives pages with them; ``receiver_role``
                  their answers; ``intake`` of a page

What they know of the Recommendation:

``frames``                          HDLC frames
``fields``, ``field_bits``          DIS, DTC and DCS; their bits in table 2
``negotiation``, ``ladder``         what two stations have in common, and how a transmitter steps down
``ecm``, ``tcf``, ``quality``       blocks and frames, the training check, MCF or RTP or RTN
``timers``                          each timer and limit with its clause
``asking``, ``pace``                which answer belongs to which command; nominal and quick times
``states``, ``tables``, ``trace``   what both sides wait for; tables and frames in words
"""
