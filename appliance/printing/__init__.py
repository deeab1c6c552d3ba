"""Printing: office PCs print to fax, and received faxes go to paper (docs/printing.md)."""
