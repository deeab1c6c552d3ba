"""Fax tones in a telephone call over IP: modems, RTP with G.711, and the DCE made of them."""
