"""Everything with a wire. Each line module carries fax calls; ``line.py`` is what they have in common."""
