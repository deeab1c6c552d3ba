"""The dispatcher: which job is sent when, over which line, with what parameters, and what follows its end.

``dispatcher``     ``Dispatcher``: the scheduler, the lines and the calls of a running box
``rules``          the decisions, as functions of what is known, the settings and the time, without I/O
``scheduler``      takes jobs that are due and has their calls placed
``pool``           the lines, in the owner's order; ``full_lines`` those without a free channel
``outgoing``       the calls that the box places; ``settle`` records their end in one transaction
``reception``      incoming calls
``desk``           answers a call's requests from disk
``trace``          the progress events of a call as a file
``profile``        what was learned of a destination, and its effect on the next call
``clock``          the time by which jobs are scheduled
``prepare``        renders accepted documents as fax pages; ``making`` has their rendering options
``previews``       faxes that are being composed
``polling``        documents that callers may fetch
``practice``       sends a fax from the practice line to the box, on request
``text_reading``   reads the text of received faxes (OCR)
``route_reading``  reads words and barcodes for the routing of received faxes; ``code_reading`` the barcodes
``arrivals``       runs work in a thread after each received fax
"""
