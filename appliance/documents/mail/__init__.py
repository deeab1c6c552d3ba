"""E-mails and Outlook's messages.  Pure but for ``letters``; every octet is untrusted.

``letters``   an e-mail as a document: heading, text, then the attachments
``parsing``   reads the octets; ``tree``: the parts; ``parts``: what these are for a reader; ``headers``
``signed``    the content of signed messages; ``packed``: uuencode and BinHex
``outlook``   messages of Outlook (MSG), with ``outlook_items`` (appointments …); ``tnef``: winmail.dat;
              ``rtf_compression``: their text
"""
