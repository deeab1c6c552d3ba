"""HTTP requests to URLs from users: documents by URL and webhooks.

``addresses``  which addresses are public; resolves a name once
``http``       ``fetch`` and ``post``, with limits of size, time and address
``own_address``  where the box's own server listens
"""
