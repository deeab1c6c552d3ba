"""Coding of fax pages: MH, MR and MMR (ITU-T T.4, T.6), and TIFF files of them.

``page``        codings, resolutions, widths, rasters, coded pages
``coding``      encoding and decoding of whole pages; fill for the minimum scan line time
``tolerant``    decoding of damaged data as it arrives; uses ``group3``, ``group4`` and ``rows``
``codes``       the code words and their decoding tables; ``bits`` has operations on bits
``_mmr``        the coder and the decoder of rows, in C (`c/`)
``tiff``        writes TIFF class F files, one page at a time; ``tiff_reading`` reads and checks TIFF files
"""
