"""A soft class-1 modem (spandsp's T.31) and a small telephone exchange, in virtual time.  Test only.

spandsp's T.31 must not face a real line (an over-long V.21 frame overruns its buffers), which is why
nothing of this is part of the product.
"""
