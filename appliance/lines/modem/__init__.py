"""The telephone line: a class-1 (T.31) fax modem on a serial port.

From the wire upwards: ``lexer`` (bytes to result lines and stuffed data), ``port`` (one command at a
time), ``hdlc`` (the framing that a class-1 modem does not do at the fast rates), ``class1`` (the DCE
for the T.30 engine), ``fax`` (one call, from dialling to on-hook), ``line`` (the serial port, and the
line that the daemon uses).  Everything up to ``fax`` does no I/O and reads no clock.
"""
