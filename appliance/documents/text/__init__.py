"""Text and HTML from outside: what their octets mean.  Pure; every octet is untrusted.

``plain``       finds the encoding of a text, lays it out; ``charsets``: encodings that no text names
``tables``      CSV and TSV; ``line_mode``: how printers of lines read a text; ``cards``: vCards, invitations
``recurrence``  how often and how long, of invitations, in words
``hypertext``   HTML made safe to parse; ``direction``: lines from right to left
``coded``       texts that programs write for programs
"""
