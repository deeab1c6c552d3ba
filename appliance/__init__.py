"""faxbox: a fax appliance. docs/architecture.md describes the packages and how they depend on each other."""

__version__ = "0.2.0"
