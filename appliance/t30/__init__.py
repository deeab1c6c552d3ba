"""The T.30 engine: the protocol of a fax machine, sending and receiving (ITU-T T.30, T.4 Annex A).

It does no I/O and reads no clock: callers hand in events and the time, and take out orders and deadlines.

A call, from the outside in:

``call``          one fax call: the engine, the DCE that carries it, requests for pages and their replies
``parameters``    the parameters of a call and its result
``conversation``  the messages between a call and its owner; ``memory`` an owner with pages in memory
``dce``           the interface between the engine and a DCE
``station``       what sender and receiver share: the line, timers, the end of the call; ``listener``
                  collects frames into bursts; ``roles`` has stimuli, state tables and their base class
``sender``        selects the sender's active role: ``sender_phase_b``, from DIS to CFR, yields a ``link``;
                  ``sender_page`` and ``sender_ecm`` send one page over it; ``pages`` holds pages to send
``receiver``      selects the receiver's active role: ``receiver_phase_b``, from DIS to the training check;
                  ``receiver_page`` receives pages, ``receiver_confirming`` has them stored and confirms
                  them; ``receiver_role`` has their responses, ``intake`` the data of a page

The contents of the Recommendation:

``frames``                          HDLC frames
``fields``, ``field_codes``         DIS, DTC and DCS; their codes and, in
``field_bits``                      ``field_bits``, their bits in table 2
``negotiation``, ``ladder``         the capabilities that two stations share; the order of fall-back
``ecm``, ``tcf``, ``quality``       blocks and frames; the training check; the choice of MCF, RTP or RTN
``timers``                          timers and limits, each with its clause
``asking``, ``pace``                matching responses to commands; nominal and shortened times
``states``, ``tables``, ``trace``   states; state tables and frames as text
"""
