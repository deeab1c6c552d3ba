"""Fax pages as coded data: MH, MR and MMR (T.4, T.6), and TIFF files of them, one page at a time.

``page``        the vocabulary: codings, resolutions, widths, rasters, coded pages
``coding``      whole pages: raster to coded page and back, fill for the minimum scan time
``tolerant``    decoding as the octets come in, damaged rows and all; on ``group3``, ``group4``, ``rows``
``codes``       the code words and the tables that decode them; ``bits`` for work on them
``libtiff``     the coder that does most of it, through Pillow or by ``system_libtiff``; ``_mmr`` is our own
``tiff``        TIFF class F out and in, one page at a time; ``tiff_reading`` checks what a file claims
"""
