"""Documents without pages of their own, typeset into a PDF by WeasyPrint in a bounded child.

``source``         text, HTML and SVG as documents; ``epub``: books; ``cover``: cover pages, by ``markup``
``typesetting``    HTML to PDF; ``page_files`` are the only files that it gets, ``font_map`` its fonts;
                   ``library``: what of WeasyPrint is mended
``screen_parts``   what only a screen shows, changed for paper; ``styles``, ``conditions``: of style sheets
``drawings``       SVG, changed so that nothing is omitted silently; ``drawing_values``: its values
``overflow``, ``invisible_words``  what the laid-out page would lose
"""
