"""Legibility of faxed office pages: words that OCR finds, and octets, against Ghostscript and poppler."""
