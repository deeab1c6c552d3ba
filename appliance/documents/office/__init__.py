"""Documents that other programs turn into a PDF, where these are installed.

``libreoffice``  word processor files, spreadsheets, slides
``parts``        what their pages do not show: hidden parts, comments; ``binary_parts``: of DOC, XLS and PPT;
                 ``pictures``, ``values``: what LibreOffice cannot read
``postscript``   PostScript by Ghostscript; ``converted``: XPS and DjVu
``iwork``        Pages, Numbers and Keynote, by their preview
``confined``     finds the programs and confines them
"""
