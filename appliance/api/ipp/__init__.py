"""The box as a network printer: IPP Everywhere and PWG 5100.15 FaxOut (docs/printing.md)."""
