"""Fixtures of all tests of printing."""

from __future__ import annotations

from tests.printing.cupsd import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]  # a test that fails tells what CUPS said
