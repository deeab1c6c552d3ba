"""The box as a printer of the network: IPP Everywhere and PWG 5100.15 FaxOut (docs/printing.md)."""
