"""Fax over IP networks (T.38), without I/O: datagrams and the time in, datagrams and a deadline out.

``fax``       ``T38Fax``: a whole call in one object, engine and all
``dce``       the T.30 engine's orders as IFP packets at the pace of a line
``signals``, ``ifp_receiver``  IFP packets as the signal that they stand for
``ifp``       the packets, in PER
``udptl``     the datagrams and their protection; ``udptl_receiver`` restores order, repairs loss
``sdp``       ``m=image``: offer, answer, agree; ``settings`` is what two ends agreed on
``timing``    line times that are kept although no line is near
"""
