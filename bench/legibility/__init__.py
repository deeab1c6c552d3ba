"""Office pages, faxed and read: words found and octets, ours beside Ghostscript's and poppler's."""
