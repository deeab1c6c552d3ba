"""Documents to fax pages and back.

PDF, pictures, text, e-mails, Office files and others become 1-bit pages in a worker process that has limits
and no secrets; a call gets the pages in a format that its receiver accepts; received pages become a PDF and
thumbnails.

What the other rooms use:

``render``                the fax pages of documents (``options``), as ``rendered`` on disk
``pages``                 these in the format that a receiver accepts
``pages_pdf``             fax pages as a PDF, searchable by ``invisible_text``; ``thumbnail``: small pictures
``kinds``, ``sniff``      the kinds of files, and of which a file is; ``foreign``: those that cannot be faxed
``errors``, ``causes``    why a document is refused
``settings``, ``labels``  the owner's settings; words that the box writes on pages
``selection``             page ranges as people write them
``typeface``              type for what the box itself draws on pages

The readers, each above those that it uses:

``text``       text and HTML: encodings, tables, visiting cards
``bilevel``    grey and colour to black and white
``pictures``   pictures, files of fax codes, printer rasters
``pdf``        PDF through pdfium
``typeset``    what has no pages of its own: HTML, text and books, cover pages, through WeasyPrint
``mail``       e-mails and Outlook's messages with their attachments
``office``     what LibreOffice, Ghostscript and other programs turn into a PDF
``workers``    the processes: a fork server, a worker for each part of a document, what opens each kind

Common to the readers:

``drawing``, ``joined``     a document as the renderer sees it; several drawn as one
``geometry``, ``placing``   where its content is on the fax page
``looks``, ``header``       a user's changes to a page; the line at its top
``bounded``, ``workshop``   work in a child with limits of its own; what is typeset once for all workers
``file_part``, ``zipped``   files that come with a document; ZIP files
``dicom``                   the document within a file of a hospital's picture archive
``first_octets``            how files begin
``signs``                   fonts in place of Windows' symbol fonts
"""
