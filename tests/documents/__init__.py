"""Tests of the documents room.  FAXBOX_SWEEP=1 makes the sweeps over hostile files full size."""
