"""Measurements of speed and memory, each against a peer or a bound in the same run; see docs/bench.md."""
