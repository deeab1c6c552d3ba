"""Printing and scanning to fax: CUPS queues, the print folder, the scan folder (docs/printing.md)."""
