"""Documents to fax pages and back.

PDF, TIFF, PNG, JPEG and text become 1-bit pages in a worker process that has limits and no secrets
(`render`, `worker`); a sending call gets them in whatever format the receiver takes (`pages`);
received pages become a PDF and thumbnails (`pdf`, `thumbnail`).
"""
