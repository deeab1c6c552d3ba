"""faxbox: a fax appliance. Each folder here is one room; docs/architecture.md draws the plan."""

__version__ = "0.2.0"
