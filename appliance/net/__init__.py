"""HTTP to addresses that somebody else wrote: documents by URL and webhooks.

``addresses``  which addresses are public, and looking a name up once
``http``       ``fetch`` and ``post``, bound in size, time and address
"""
