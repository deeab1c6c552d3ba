"""One running box for all tests of a module."""

from tests.api_ifax.running import box

__all__ = ["box"]
