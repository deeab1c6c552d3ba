"""PDF through pdfium, drawn as for printing; qpdf reads what pdfium does not tell.  In the worker only.

``source``        a PDF's pages; ``opening`` opens it, repaired by ``mending``; ``portfolio``: files in it
``drawing``       draws a page; ``objects``: what is on it, ``places``: where that is on the fax page
``scans``         pages that are one picture
``lines``, ``marks``, ``layers``, ``units``  what pdfium does not draw as printers do: thin lines, annotations
                  without appearance, layers, UserUnit
``fonts``, ``substitutes``  fonts that a PDF does not embed, and what replaces them
``reading``       what of a page is damaged or missing: ``parts``, ``streams``, ``enclosures``, ``states``
"""
