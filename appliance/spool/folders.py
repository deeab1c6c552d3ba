"""Folders of the data folder that hold the spool's files."""

from __future__ import annotations

DOCUMENTS = "documents"
RENDERED = "rendered"
RECEIVED = "received"
TRACES = "traces"
OF_FAXES = (DOCUMENTS, RENDERED, RECEIVED)  # the box notices their loss
FOLDERS = (*OF_FAXES, TRACES)
# Files that no row names are kept there for weeks before housekeeping deletes them.
SET_ASIDE = "set-aside"
TEMPORARY = "passing"  # files that no row ever names
