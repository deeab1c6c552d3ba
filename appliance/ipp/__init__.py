"""The Internet Printing Protocol's messages as octets and back (RFC 8010), without any I/O."""
