"""Documents to fax pages and back.

PDF, pictures, text, e-mails, Office files and others become 1-bit pages in a worker process that has limits
and no secrets (`render`, `worker`); a call gets the pages in a format that its receiver accepts (`pages`);
received pages become a PDF and thumbnails (`pdf`, `thumbnail`).
"""
