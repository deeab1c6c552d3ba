"""The practice line: an independent fax machine (spandsp) that never leaves the box, with scripted faults."""
