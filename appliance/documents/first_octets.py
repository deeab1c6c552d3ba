"""How files of some kinds begin."""

from __future__ import annotations

PNG = b"\x89PNG"  # PNG, 5.2, has more: ``PNG_SIGNATURE``
PNG_SIGNATURE = PNG + b"\r\n\x1a\n"
JPEG = b"\xff\xd8"  # the marker SOI (T.81 B.1.1.3)
GIF = b"GIF8"  # of version 87a or 89a
RIFF = b"RIFF"  # WebP, and sounds and films
BMP = b"BM"
TIFF = (b"II*\0", b"MM\0*")  # TIFF 6.0, section 2: either order of octets
BIG_TIFF = (b"II+\0", b"MM\0+")
PWG, URF = b"RaS2", b"UNIRAST\0"  # PWG 5102.4 4.2, and Apple's raster
GZIP = b"\x1f\x8b"  # RFC 1952 2.3.1: SVGZ, EMZ, WMZ
POSTSCRIPT = b"%!PS"
EPS_WITH_PREVIEW = b"\xc5\xd0\xd3\xc6"  # Adobe technical note 5002
PLACED_METAFILE = b"\xd7\xcd\xc6\x9a"  # [MS-WMF] 2.3.2.3
CALS = b"srcdocid:"  # MIL-STD-1840, the first record of its header
JPEG_2000 = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")  # T.800 I.5.1, and without a container
DCX = b"\xb1\x68\xde\x3a"
