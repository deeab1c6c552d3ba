"""Fax over IP networks: IFP packets, UDPTL, the T.38 endpoint under the T.30 engine, SDP for image."""
