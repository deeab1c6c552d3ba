"""Encodes and decodes messages of the Internet Printing Protocol (RFC 8010), without I/O."""
